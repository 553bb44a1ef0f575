import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner
from whosays.cli.app import app
from whosays.cli.stopping import Stop
from whosays.cli.table import print_tables
from whosays.model.article import article_from_text
from whosays.model.predictor import Predictor
from whosays.model.sides import Conflict, Mention, Side

runner = CliRunner()
SIDES = ["--side", "Kyiv=Ukraine,Ukrainian", "--side", "Moscow=Russia,Russian,Kremlin"]
TEXT = "Kyiv said the bridge had fallen. The Kremlin denied it.\n"


@pytest.fixture
def article(tmp_path):
    path = tmp_path / "article.txt"
    path.write_text(TEXT)
    return str(path)


def run(*args):
    return runner.invoke(app, ["predict", *map(str, args)])


def test_rows_go_to_standard_output(article, tiny_model):
    result = run(article, *SIDES, "--model", tiny_model)
    assert result.exit_code == 0, result.stderr
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [row["text"] for row in rows] == ["Kyiv said the bridge had fallen.", "The Kremlin denied it."]
    assert list(rows[0])[:9] == [
        "article_id", "index", "start", "end", "text", "side", "side_score", "stance", "stance_score",
    ]  # fmt: skip
    assert {"evidence", "evidence_start", "evidence_end"} <= set(rows[0])


def test_a_terminal_gets_a_table(article, tiny_model, monkeypatch):
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("COLUMNS", "120")
    result = run(article, *SIDES, "--model", tiny_model)
    assert result.exit_code == 0
    assert "sentence" in result.stdout
    assert "\x1b[" in result.stdout
    columns = run(article, *SIDES, "--model", tiny_model, "--probabilities")
    assert "side_probabilities" in json.loads(columns.stdout.splitlines()[0]), "a table would not show them"


def test_a_mention_is_underlined_where_it_stands_whichever_sentence_points_at_it(
    tiny_model, strait, capsys, monkeypatch
):
    monkeypatch.setenv("COLUMNS", "120")
    text = "Norden met the press. He denied it."
    first, second = Predictor.load(str(tiny_model)).label(article_from_text("a", text), strait)
    print_tables([[replace(first, evidence=None), replace(second, evidence=Mention("northland", 0, 6))]])
    assert "\x1b[4mNorden\x1b[0m met the press." in capsys.readouterr().out


@pytest.mark.parametrize("width", ["40", "80"])
def test_a_narrow_terminal_cuts_no_sentence(tiny_model, capsys, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", width)
    key = "organisation_for_security_and_co_operation"
    conflict = Conflict("c", (Side(key, "Organisation", ("OSCE",)), Side("b", "B", ("Suden",))))
    text = "See https://www.example.org/news/2024/05/12/the-very-long-address-of-a-page-that-nobody-reads.html"
    [row] = Predictor.load(str(tiny_model)).label(article_from_text("a", text), conflict)
    print_tables([[replace(row, labels=row.labels | {"side": key})]])
    printed = re.sub(r"\x1b\[[\d;]*m", "", capsys.readouterr().out)
    cells = [line.rsplit("│", 2)[-2].strip() for line in printed.splitlines() if line.count("│") > 2]
    assert text.replace(" ", "") in "".join(cells).replace(" ", "")
    assert "…" not in printed


def test_a_terminal_need_not_have_every_character(article, tiny_model):
    Path(article).write_text("Kyiv spoke of a “café” there.", encoding="utf-8")
    command = [sys.executable, "-m", "whosays.cli", "predict", str(article), *SIDES, "--model", str(tiny_model)]
    environment = os.environ | {"TTY_COMPATIBLE": "1", "PYTHONIOENCODING": "ascii", "COLUMNS": "100"}
    done = subprocess.run(command, env=environment, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert b"?caf??" in done.stdout


@pytest.mark.parametrize("where", [[], ["-o", "out.csv"], ["--html", "out.html"]])
def test_aliases_that_never_occur_are_noticed(tmp_path, tiny_model, monkeypatch, where):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text("Nobody that anybody knows spoke.")
    result = run("a.txt", *SIDES, "--model", tiny_model, *where)
    assert result.exit_code == 0, result.stderr
    assert "no side is mentioned in 1 of 1 articles" in result.stderr


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
def test_rows_go_to_a_file_that_is_never_overwritten_unasked(article, tiny_model, tmp_path, ending):
    output = tmp_path / f"out.{ending}"
    assert run(article, *SIDES, "--model", tiny_model, "-o", output).exit_code == 0
    before = output.read_bytes()
    again = run(article, *SIDES, "--model", tiny_model, "-o", output)
    assert again.exit_code == 0
    assert again.stderr == f"nothing to do: {output} is finished, 2 rows of 1 articles\n"
    other = run(article, *SIDES, "--model", tiny_model, "-o", output, "--probabilities")
    assert other.exit_code == 2
    assert "probabilities was false, is true" in other.stderr
    assert "--force" in other.stderr
    assert output.read_bytes() == before
    assert run(article, *SIDES, "--model", tiny_model, "-o", output, "--probabilities", "--force").exit_code == 0
    assert output.read_bytes() != before


def test_a_folder_of_parts_grows(tmp_path, tiny_model):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jsonl").write_text(json.dumps({"text": TEXT, "place": "sea"}) + "\n{\n")
    options = [
        tmp_path / "in",
        *SIDES,
        "--model",
        tiny_model,
        "-o",
        tmp_path / "out",
        "--format",
        "csv",
        "--keep",
        "place",
    ]
    first = run(*options)
    assert first.exit_code == 3, first.stderr
    assert "1 articles rejected, 1 labelled" in first.stderr
    assert (tmp_path / "out" / "_rejects.jsonl").exists()
    again = run(*options)
    assert again.exit_code == 3, "a short output never looks like a whole one"
    assert "nothing to do" in again.stderr
    (tmp_path / "in" / "b.txt").write_text(TEXT)
    assert run(*options).exit_code == 3
    parts = sorted(path.name for path in (tmp_path / "out").glob("part-*"))
    assert parts == ["part-00000.csv", "part-00001.csv"]
    assert (tmp_path / "out" / parts[0]).read_text().splitlines()[1].endswith(",sea")


def test_strict_stops_at_the_first_reject(tmp_path, tiny_model):
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"text": TEXT}) + "\n{\n" + json.dumps({"text": TEXT}) + "\n")
    for where in ([], ["-o", tmp_path / "out.jsonl"], ["--html", tmp_path / "out.html"]):
        result = run(path, *SIDES, "--model", tiny_model, "--strict", *where)
        assert result.exit_code == 1
        assert len(result.stderr.strip().splitlines()) == 1
        assert f"{path}, line 2" in result.stderr
        assert not (tmp_path / "out.jsonl").exists()
        assert not (tmp_path / "out.html").exists()


@pytest.mark.parametrize("where", [[], ["-o", "out.csv"], ["--html", "out.html"]])
def test_articles_that_are_all_rejected_are_rejects_like_any(tmp_path, tiny_model, monkeypatch, where):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / "latin.txt").write_bytes(b"\xfcber")
    result = run("empty.txt", "latin.txt", *SIDES, "--model", tiny_model, *where)
    assert result.exit_code == 3, result.output
    assert result.stdout == ""
    assert "rejected: empty.txt: empty; there is nothing to label" in result.stderr
    assert "rejected: latin.txt: not UTF-8 text" in result.stderr
    assert "2 articles rejected, 0 labelled" in result.stderr
    assert not (tmp_path / "out.html").exists()
    rejects = tmp_path / "out.csv.rejects.jsonl"
    assert rejects.exists() == (where[:1] == ["-o"])


def test_html_is_a_page_of_one_article_or_an_index_of_several(article, tmp_path, tiny_model):
    page = tmp_path / "page.html"
    result = run(article, *SIDES, "--model", tiny_model, "--html", page)
    assert result.exit_code == 0, result.stderr
    assert result.stdout == ""
    assert "denied it." in page.read_text()
    before = page.read_bytes()
    again = run(article, *SIDES, "--model", tiny_model, "--html", page)
    assert again.exit_code == 2
    assert "--force" in again.stderr
    assert page.read_bytes() == before
    several = tmp_path / "a.jsonl"
    several.write_text("".join(json.dumps({"title": f"Title {n}", "text": TEXT}) + "\n" for n in range(3)) + "{\n")
    result = run(several, *SIDES, "--model", tiny_model, "--html", page, "--force")
    assert result.exit_code == 3
    assert "3 articles written" in result.stderr
    assert "1 articles rejected, 3 labelled" in result.stderr
    assert all(f"Title {n}" in page.read_text() for n in range(3))
    assert len(list((tmp_path / "page_pages").iterdir())) == 3
    page.unlink()
    orphan = run(article, *SIDES, "--model", tiny_model, "--html", page)
    assert orphan.exit_code == 2
    assert f"{tmp_path / 'page_pages'}: exists already" in orphan.stderr
    (tmp_path / "in_pages").write_text("mine")
    for name, part in (("page.htm", "ends in .html"), ("page", "ends in .html"), ("in.html", "is a file")):
        refused = run(article, *SIDES, "--model", tiny_model, "--html", tmp_path / name)
        assert refused.exit_code == 2
        assert part in refused.stderr
    assert len(list((tmp_path / "page_pages").iterdir())) == 3
    for options in (["-o", tmp_path / "o.csv"], ["--keep", "x"], ["--by", "article"]):
        both = run(article, *SIDES, "--model", tiny_model, "--html", tmp_path / "new.html", *options)
        assert both.exit_code == 2
        assert "--html writes a page" in both.stderr
        assert not (tmp_path / "new.html").exists()


@pytest.mark.parametrize("number", [pytest.param(signal.SIGINT, marks=pytest.mark.slow), signal.SIGTERM])
def test_a_signal_finishes_the_part_in_hand_and_the_same_command_goes_on(tmp_path, tiny_model, number):
    path = tmp_path / "many.jsonl"
    path.write_text("".join(json.dumps({"text": TEXT * 30}) + "\n" for _ in range(6000)))
    command = [
        sys.executable,
        "-m",
        "whosays.cli",
        "predict",
        path,
        *SIDES,
        "--model",
        tiny_model,
        "-o",
        tmp_path / "out",
    ]
    with subprocess.Popen(list(map(str, command)), stderr=subprocess.PIPE, text=True) as process:
        while not list(tmp_path.glob("out/part-00000.jsonl")):
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.01)
        process.send_signal(number)
        _, said = process.communicate(timeout=200)
    assert process.returncode == 128 + number, said
    assert "stopping after the part in hand" in said
    *_, last = said.strip().splitlines()  # on a slow machine, lines of progress come before
    assert "the same command goes on from there" in last
    parts = sorted((tmp_path / "out").glob("part-*"))
    lines = sum(len(part.read_text().splitlines()) for part in parts)
    assert 0 < lines < 6000 * 60
    assert f"{128 * len(parts)} articles are labelled and safe" in last
    manifest = (tmp_path / "out" / "_manifest.jsonl").read_text().splitlines()
    assert sum('{"part"' in line for line in manifest) == len(parts)


def test_standard_input_to_a_file(tmp_path, tiny_model):
    output = tmp_path / "out.jsonl"
    lines = "".join(json.dumps({"id": n, "text": TEXT}) + "\n" for n in range(3))

    def again(*options):
        arguments = ["predict", "-", *SIDES, "--model", str(tiny_model), "-o", str(output), *options]
        return runner.invoke(app, arguments, input=lines)

    assert again().exit_code == 0
    assert len(output.read_text().splitlines()) == 6
    second = again()
    assert second.exit_code == 2
    assert "--force" in second.stderr
    assert again("--force").exit_code == 0


@pytest.mark.parametrize(("given", "after"), [("-", "begins anew"), ("article.txt", "goes on from there")])
def test_what_is_said_of_a_stopped_run_holds_for_its_input(article, tmp_path, tiny_model, monkeypatch, given, after):
    @contextmanager
    def stopped(doing):
        stop = Stop()
        stop.signal = signal.SIGINT
        yield stop

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("whosays.cli.stopping.stopping", stopped)
    arguments = ["predict", given, *SIDES, "--model", str(tiny_model), "-o", "out"]
    result = runner.invoke(app, arguments, input=TEXT)
    assert result.exit_code == 130, result.output
    [line] = result.stderr.strip().splitlines()
    assert "1 articles are labelled and safe" in line
    assert f"the same command {after}" in line


@pytest.mark.parametrize("where", ["", "out.jsonl"])
def test_columns_to_keep_are_checked_wherever_rows_go(tmp_path, tiny_model, where):
    table = tmp_path / "in.csv"
    table.write_text("id,text,day,side\n1,Kyiv spoke.,7,x\n")
    output = ["-o", tmp_path / where] if where else []
    for column, part in {"text": "cannot follow", "side": "rename it", "dya": "none of the inputs has it"}.items():
        result = run(table, *SIDES, "--model", tiny_model, "--keep", column, *output)
        assert result.exit_code == 2, (column, result.output)
        assert result.stdout == ""
        [line] = result.stderr.strip().splitlines()
        assert f"'{column}'" in line
        assert part in line
    result = run(table, *SIDES, "--model", tiny_model, "--keep", "day", "--keep", "conflict", *output)
    assert result.exit_code == 0, result.stderr
    [row] = map(json.loads, ((tmp_path / where).read_text() if where else result.stdout).splitlines())
    assert (row["day"], row["conflict"]) == ("7", "command line")


def test_articles_use_the_conflict_that_they_name(tmp_path, tiny_model, sides_file):
    path = tmp_path / "a.jsonl"
    rows = [
        {"id": "x", "text": "Norden spoke.", "conflict": "strait"},
        {"id": "y", "text": "Nobody spoke.", "conflict": "atlantis"},
        {"id": "z", "text": "Suden spoke."},
    ]
    path.write_text("\n".join(map(json.dumps, rows)))
    result = run(path, "--sides", sides_file, "--model", tiny_model)
    assert result.exit_code == 3
    assert [json.loads(line)["article_id"] for line in result.stdout.splitlines()] == ["x", "z"]
    assert "atlantis" in result.stderr
    assert "1 articles rejected, 2 labelled" in result.stderr


def test_wrong_usage_is_one_line_and_exit_code_2(article, tmp_path, tiny_model, sides_file):
    (tmp_path / "one.yaml").write_text("conflict: c\nsides:\n  a: {name: A, aliases: [A]}\n")
    (tmp_path / "empty.jsonl").write_text("")
    (tmp_path / "body.csv").write_text("id,body\n1,x\n")
    (tmp_path / "notmodel").mkdir()
    output = tmp_path / "out.jsonl"
    cases = [
        ([tmp_path / "nothing.txt", *SIDES], "no such file"),
        ([tmp_path / "empty.jsonl", *SIDES], "no article"),
        ([tmp_path / "body.csv", *SIDES], "'text'"),
        ([article], "--conflict"),
        ([article, "--conflict", "atlantis"], "atlantis"),
        ([article, "--sides", tmp_path / "one.yaml"], "two sides"),
        ([article, "--side", "A=x", "--side", "B=x"], "'x'"),
        ([article, "--side", "A"], "Name=alias"),
        ([article, *SIDES, "--sides", sides_file], "not several"),
        ([article, *SIDES, "--model", tmp_path / "notmodel"], "not a whosays model"),
        ([article, *SIDES, "--precision", "int8"], "int8"),
        ([article, *SIDES, "--output", tmp_path / "out.xml"], "unknown kind"),
    ]
    for args, part in cases:
        model = [] if "--model" in args else ["--model", tiny_model]
        where = [] if "--output" in args else ["--output", output]
        result = run(*args, *model, *where)
        assert result.exit_code == 2, (args, result.output)
        assert part in result.stderr
        assert len(result.stderr.strip().splitlines()) == 1, result.stderr
        assert not output.exists()


def test_in_a_real_process_from_standard_input(tiny_model):
    command = [sys.executable, "-m", "whosays.cli", "predict", "-", *SIDES, "--model", str(tiny_model)]
    done = subprocess.run(command, input=TEXT.encode(), capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 2
    assert done.stderr == b""
    lines = b'{"id": "j", "text": "Kyiv spoke."}\nnonsense\n'
    done = subprocess.run(command, input=lines, capture_output=True, timeout=120)
    assert done.returncode == 3
    assert json.loads(done.stdout)["article_id"] == "j"
    assert b"line 2" in done.stderr


def test_a_reader_that_leaves_early_is_no_traceback(tiny_model, tmp_path):
    path = tmp_path / "many.jsonl"
    path.write_text("".join(json.dumps({"text": TEXT * 5}) + "\n" for _ in range(400)))
    command = f'"{sys.executable}" -m whosays.cli predict {path} --side K=Kyiv --side M=Moscow --model {tiny_model} | head -n 1'
    done = subprocess.run(command, shell=True, capture_output=True, timeout=120)
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(("where", "said"), [("> /dev/full", b"No space left on device"), ("| true", b"")])
def test_a_few_rows_that_cannot_be_written_are_one_line_and_exit_code_1(tiny_model, article, where, said):
    command = f'"{sys.executable}" -m whosays.cli predict {article} --side K=Kyiv --side M=Moscow --model {tiny_model}'
    # Python holds back what it prints, as it does for users; a pipe's exit code is its last command's without pipefail.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    shell = ["bash", "-c", f"set -o pipefail; {command} {where}"]
    done = subprocess.run(shell, env=environment, capture_output=True, timeout=120)
    assert done.returncode == 1
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == bool(said), done.stderr


def test_help_is_quick_and_lists_the_commands():
    result = runner.invoke(app, ["--help"])
    assert result.exit_code == 0
    for command in ("predict", "train", "evaluate", "conflicts"):
        assert command in result.stdout
    heavy = "import sys, whosays.cli.app; print(sorted({'torch', 'transformers', 'sklearn', 'datasets'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]"
