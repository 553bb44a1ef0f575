import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner
from whosays.cli.app import app

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


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
def test_rows_go_to_a_file_that_is_never_overwritten_unasked(article, tiny_model, tmp_path, ending):
    output = tmp_path / f"out.{ending}"
    assert run(article, *SIDES, "--model", tiny_model, "-o", output).exit_code == 0
    before = output.read_bytes()
    again = run(article, *SIDES, "--model", tiny_model, "-o", output)
    assert again.exit_code == 2
    assert "--force" in again.stderr
    assert output.read_bytes() == before
    assert run(article, *SIDES, "--model", tiny_model, "-o", output, "--force").exit_code == 0


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
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / "latin.txt").write_bytes(b"\xfcber")
    (tmp_path / "body.csv").write_text("id,body\n1,x\n")
    (tmp_path / "notmodel").mkdir()
    output = tmp_path / "out.jsonl"
    cases = [
        ([tmp_path / "nothing.txt", *SIDES], "no such file"),
        ([tmp_path / "empty.txt", *SIDES], "empty"),
        ([tmp_path / "latin.txt", *SIDES], "UTF-8"),
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
    path.write_text("".join(json.dumps({"text": TEXT * 5}) + "\n" for _ in range(2000)))
    command = f'"{sys.executable}" -m whosays.cli predict {path} --side K=Kyiv --side M=Moscow --model {tiny_model} | head -n 1'
    done = subprocess.run(command, shell=True, capture_output=True, timeout=120)
    assert b"Traceback" not in done.stderr


def test_help_is_quick_and_lists_the_commands():
    result = runner.invoke(app, ["--help"])
    assert result.exit_code == 0
    for command in ("predict", "train", "evaluate", "conflicts"):
        assert command in result.stdout
    heavy = "import sys, whosays.cli.app; print(sorted({'torch', 'transformers', 'sklearn', 'datasets'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]"
