"""Batch runs: what comes out, what is rejected, and a disk that is full."""

import csv
import gzip
import json
import resource
import signal
import subprocess
import sys
from dataclasses import replace
from unittest.mock import ANY

import datasets
import pandas
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from runs import TEXTS, files_of, manifest, read_jsonl, rows, write
from whosays.model.batch.layout import Layout
from whosays.model.batch.run import label_files, label_stream
from whosays.model.errors import InputError, WorkError
from whosays.model.files.reading import Reject, read_articles
from whosays.model.files.sources import find_inputs
from whosays.model.predictor import Predictor

# What comes out


def test_the_formats_hold_the_same_rows(label, tmp_path, tiny_model, strait):
    source = write(tmp_path / "in.jsonl", *rows(10))
    layout = Layout(probabilities=True, keep=("place", "conflict"))
    for name in ("out.jsonl", "out.csv", "out.parquet"):
        assert label(source, to=tmp_path / name, layout=layout).rows == len(read_jsonl(tmp_path / "out.jsonl"))
    expected = read_jsonl(tmp_path / "out.jsonl")
    predictor = Predictor.load(str(tiny_model), "fp32")
    articles = list(read_articles(find_inputs([str(source)])))
    direct = [p for a in articles for p in predictor.label(a, strait)]
    assert [(r["article_id"], r["text"], r["start"], r["side"], r["stance"]) for r in expected] == [
        (p.article_id, p.text, p.start, p.labels["side"], p.labels["stance"]) for p in direct
    ]
    assert {r["place"] for r in expected} == {"land", "sea", None}
    assert {r["conflict"] for r in expected} == {"strait"}
    table = pq.read_table(tmp_path / "out.parquet")
    maps = [name for name in table.column_names if name.endswith("probabilities")]
    assert [r | {name: dict(r[name]) for name in maps} for r in table.to_pylist()] == expected
    assert table.schema.field("start").type == pa.int64()
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        found = list(csv.DictReader(file))
    assert [r["text"] for r in found] == [r["text"] for r in expected]
    assert [json.loads(r["side_probabilities"]) for r in found] == [r["side_probabilities"] for r in expected]


def test_the_manifest_and_parquet_say_what_made_them(label, tmp_path, engine):
    source = write(tmp_path / "in.jsonl", *rows(6), "{")
    label(source, to=tmp_path / "out.parquet")
    found = manifest(tmp_path / "out.parquet.manifest.jsonl")
    [run] = found["run"]
    assert run["precision"] == "fp32"
    assert run["token_budget"] == 1024
    assert run["model_sha256"] == engine.settings["model_sha256"]
    assert list(run["conflict"]["sides"]) == ["northland", "southland"]
    assert found["input"] == [{"path": str(source), "short": "in.jsonl", "bytes": source.stat().st_size, "sha256": ANY}]
    assert [(p["articles"], p["rejects"]) for p in found["part"]] == [(4, 0), (2, 1)]
    assert found["finished"][0] | {"rows": 0} == {"inputs": 1, "parts": 2, "articles": 6, "rows": 0, "rejects": 1}
    assert found["output"] == [{"bytes": (tmp_path / "out.parquet").stat().st_size}]
    metadata = pq.read_schema(tmp_path / "out.parquet").metadata
    assert metadata[b"whosays.model_sha256"].decode() == run["model_sha256"]
    assert {b"whosays.version", b"whosays.model", b"whosays.precision"} <= set(metadata)


def test_one_row_an_article(label, tmp_path):
    source = write(tmp_path / "in.jsonl", *rows(5))
    label(source, to=tmp_path / "sentences.jsonl")
    layout = Layout(by="article", probabilities=True)
    for name in ("articles.jsonl", "articles.parquet"):
        label(source, to=tmp_path / name, layout=layout)
    sentences = read_jsonl(tmp_path / "sentences.jsonl")
    articles = read_jsonl(tmp_path / "articles.jsonl")
    assert [a["article_id"] for a in articles] == [f"a{n}" for n in range(5)]
    for article in articles:
        own = [s for s in sentences if s["article_id"] == article["article_id"]]
        assert article["sentences"] == len(own)
        for head in ("side", "stance"):
            counts = article[f"{head}_counts"]
            assert counts == {name: sum(s[head] == name for s in own) for name in counts}
            assert sum(article[f"{head}_shares"].values()) == pytest.approx(1)
            assert sum(article[f"{head}_probabilities"].values()) == pytest.approx(1)
    assert {"northland", "southland", "both", "other", "none"} == set(articles[0]["side_counts"])
    assert [dict(r["side_counts"]) for r in pq.read_table(tmp_path / "articles.parquet").to_pylist()] == [
        a["side_counts"] for a in articles
    ]


@pytest.mark.parametrize("format", ["jsonl", "csv", "parquet"])
def test_partitions_hold_their_rows_and_no_others(label, tmp_path, format):
    source = write(tmp_path / "in.jsonl", *rows(9), *({**row, "place": "a/b=ç"} for row in rows(2, 9)))
    # A table has the place from its folder's name.
    layout = Layout() if format == "parquet" else Layout(keep=("place",))
    summary = label(source, to=tmp_path / "out", format=format, partition_by="place", layout=layout)
    assert summary.articles == 11
    folders = {path.name for path in (tmp_path / "out").iterdir() if path.is_dir()}
    assert folders == {"place=land", "place=sea", "place=__HIVE_DEFAULT_PARTITION__", "place=a%2Fb%3D%C3%A7"}
    files = sorted((tmp_path / "out" / "place=sea").iterdir())
    if format == "parquet":
        found = [row for path in files for row in pq.ParquetFile(path).read().to_pylist()]
        assert set(pq.read_table(tmp_path / "out")["place"].to_pylist()) == {"land", "sea", None, "a/b=ç"}
        # By its own reading of the folders' names pandas cannot have one for what has no place.
        table = pandas.read_parquet(tmp_path / "out", partitioning=pyarrow.dataset.partitioning(flavor="hive"))
        assert set(table["place"].dropna()) == {"land", "sea", "a/b=ç"}
        assert table["place"].isna().any()
    else:
        read = (lambda text: map(json.loads, text.splitlines())) if format == "jsonl" else csv.DictReader
        found = [row for path in files for row in read(path.read_text() if format == "jsonl" else path.open())]
        assert {row["place"] for row in found} == {"sea"}
    assert {row["article_id"] for row in found} == {"a1", "a4", "a7"}


def test_many_kinds_of_input_in_one_run(label, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.txt").write_text(TEXTS[0])
    (folder / "b.jsonl.gz").write_bytes(gzip.compress("".join(json.dumps(r) + "\n" for r in rows(6)).encode()))
    with (folder / "c.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["id", "text"], *([r["id"], r["text"]] for r in rows(5))])
    pq.write_table(pa.Table.from_pylist(rows(5)), folder / "d.parquet", row_group_size=2)
    datasets.Dataset.from_list(rows(3)).save_to_disk(str(folder / "e"))
    whole = label(folder, to=tmp_path / "whole.jsonl")
    assert whole.articles == 20
    assert not label(folder, to=tmp_path / "out.jsonl", stop=lambda: True).finished
    while not (summary := label(folder, to=tmp_path / "out.jsonl", stop=lambda: True)).finished:
        pass
    assert summary.resumed
    assert (tmp_path / "out.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=8)
@given(size=st.integers(1, 12))
def test_where_parts_end_changes_no_label(engine, strait, tmp_path_factory, size):
    folder = tmp_path_factory.mktemp("parts")
    source = write(folder / "in.jsonl", *rows(10))
    found = {}
    for name, items in {"cut": size, "whole": 128}.items():
        options = {"conflict": strait, "start_engine": lambda *given: engine, "part_items": items}
        label_files([str(source)], folder / f"{name}.jsonl", **options)
        found[name] = read_jsonl(folder / f"{name}.jsonl")
    for cut, whole in zip(found["cut"], found["whole"], strict=True):
        scores = [name for name in whole if name.endswith("_score")]
        assert [cut.pop(name) for name in scores] == pytest.approx([whole.pop(name) for name in scores], abs=1e-5)
        assert cut == whole


def test_a_run_does_not_read_its_own_output(label, tmp_path):
    (tmp_path / "news").mkdir()
    source = write(tmp_path / "news" / "a.jsonl", *rows(6))
    output = tmp_path / "news" / "labels"
    first = label(source, to=output)
    before = files_of(tmp_path)
    (tmp_path / "link.jsonl").symlink_to(output / "part-00000.jsonl")
    for again in (
        [source, output],
        [source, output / "part-00000.jsonl"],
        [source, tmp_path / "link.jsonl"],
        [tmp_path / "news" / "**" / "*.jsonl"],
        [tmp_path / "news"],
    ):
        assert label(*again, to=output) == replace(first, resumed=first.parts, idle=True)
    (tmp_path / "link.jsonl").unlink()
    assert files_of(tmp_path) == before
    for alone in (output, output / "part-00000.jsonl", output / "*.jsonl"):
        with pytest.raises(InputError, match="no input besides what runs have written"):
            label(alone, to=output, force=True)
    assert files_of(tmp_path) == before


def test_a_run_does_not_read_what_another_has_written(label, tmp_path):
    (tmp_path / "news").mkdir()
    write(tmp_path / "news" / "a.jsonl", *rows(6), "{broken")
    for name in ("labels.csv", "labels.jsonl", "folder"):
        label(tmp_path / "news", to=tmp_path / "news" / name)
    label(tmp_path / "news", to=tmp_path / "news" / "places", partition_by="place")
    again = label(tmp_path / "news", tmp_path / "news" / "*", to=tmp_path / "again.jsonl")
    assert (again.articles, again.rejects) == (6, 1)
    with pytest.raises(InputError, match="no input besides what runs have written"):
        label(tmp_path / "news" / "labels.jsonl", to=tmp_path / "more.jsonl")


def test_only_what_a_run_has_written_is_passed_over(label, tmp_path):
    source = write(tmp_path / "a.jsonl", *rows(2))
    label(source, to=tmp_path / "old.jsonl")
    write(tmp_path / "old.jsonl", *rows(3, first=10))  # somebody's own, beside the manifest that was left
    (tmp_path / f"{'ж' * 122}.txt").write_text(TEXTS[0])
    write(tmp_path / ".manifest.jsonl", *rows(1, first=20))
    found = label(tmp_path, tmp_path / ".manifest.jsonl", to=tmp_path / "out.jsonl")
    assert (found.articles, found.rejects) == (7, 0)


def test_standard_input_does_not_replace_a_run_that_can_go_on(label, tmp_path, monkeypatch):
    source = write(tmp_path / "in.jsonl", *rows(12))
    label(source, to=tmp_path / "out", stop=lambda: True)
    before = files_of(tmp_path)
    for force in (False, True):
        monkeypatch.setattr("sys.stdin", source.open())
        if force:
            assert label("-", to=tmp_path / "out", force=True).finished
        else:
            with pytest.raises(InputError, match="was not over standard input and can still go on"):
                label("-", to=tmp_path / "out")
            assert files_of(tmp_path) == before


def test_an_input_that_goes_meanwhile_is_what_is_named(label, tmp_path):
    (tmp_path / "news").mkdir()
    write(tmp_path / "news" / "a.jsonl", *rows(6))
    write(tmp_path / "news" / "b.txt", TEXTS[0])
    with pytest.raises(WorkError, match=r"b\.txt: changed while it was read"):
        label(tmp_path / "news", to=tmp_path / "out", tell=lambda *_: (tmp_path / "news" / "b.txt").unlink(True))


# Rejects


def test_rejects_are_written_once_with_their_place_and_original(label, tmp_path):
    bad = '{"id": "half'
    source = write(
        tmp_path / "in.jsonl", *rows(3), bad, {"id": "e", "text": " "}, *rows(4, 10), {"text": "Hm.", "conflict": "?"}
    )
    for name in ("out.jsonl", "out"):
        while not (summary := label(source, to=tmp_path / name, stop=lambda: True)).finished:
            pass
        assert (summary.articles, summary.rejects) == (7, 3)
        found = read_jsonl(summary.rejects_file)
        assert [(r["file"], r["line"], r["cut"]) for r in found] == [(str(source), n, False) for n in (4, 5, 10)]
        assert found[0]["original"] == bad + "\n"
        assert json.loads(found[2]["original"]) == {"text": "Hm.", "conflict": "?"}
        assert all(r["reason"] for r in found)


def test_strict_stops_at_the_first_and_keeps_what_is_whole(label, tmp_path):
    source = write(tmp_path / "in.jsonl", *rows(6), "{", *rows(6, 10))
    with pytest.raises(WorkError, match="line 7") as error:
        label(source, to=tmp_path / "out.jsonl", strict=True)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "out.jsonl").exists()
    summary = label(source, to=tmp_path / "out.jsonl")
    assert (summary.resumed, summary.articles, summary.rejects) == (1, 12, 1)
    with pytest.raises(WorkError, match="1 articles were rejected already"):
        label(source, to=tmp_path / "out.jsonl", strict=True)


@pytest.mark.parametrize("name", ["out.jsonl", "out.csv", "out.parquet", "out"])
@pytest.mark.parametrize("count", [1, 4, 5])
def test_rejects_are_written_however_many_even_if_they_are_all(label, tmp_path, name, count):
    source = write(tmp_path / "in.jsonl", *["{"] * (count - 1), {"body": TEXTS[0]})
    summary = label(source, to=tmp_path / name)
    assert (summary.articles, summary.rows, summary.rejects, summary.finished) == (0, 0, count, True)
    found = read_jsonl(summary.rejects_file)
    assert [reject["line"] for reject in found] == list(range(1, count + 1))
    assert "needs 'text' or 'sentences'" in found[-1]["reason"]
    assert label(source, to=tmp_path / name).idle


def test_nothing_to_label_is_an_error_and_leaves_nothing(label, tmp_path):
    source = write(tmp_path / "in.jsonl", "", "")
    with pytest.raises(InputError, match="no article"):
        label(source, to=tmp_path / "out.jsonl")
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]


def test_a_forgotten_conflict_is_said_before_a_model_is_loaded(label, tmp_path):
    def start(*given):
        raise AssertionError("the model is loaded")

    for lines, said in (
        (rows(1), r"line 1: article 'a0' names no conflict.*or more$"),
        (rows(9), r"line 1: .*\(and 3 more\)$"),
        (["{", *rows(2)], r"line 2: .*\(and 2 more\)$"),
    ):
        source = write(tmp_path / "in.jsonl", *lines)
        with pytest.raises(InputError, match=said):
            label(source, to=tmp_path / "out.jsonl", conflict=None, start_engine=start)
        assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]
    write(source, *rows(3), *({**row, "conflict": "kashmir"} for row in rows(2)), *rows(8, 9))
    summary = label(source, to=tmp_path / "out.jsonl", conflict=None)
    assert (summary.articles, summary.rejects) == (2, 11)


def test_the_stream_has_the_labels_of_the_file(label, engine, strait, tmp_path):
    source = write(tmp_path / "in.jsonl", *rows(5), "{")
    label(source, to=tmp_path / "out.jsonl", part_items=128)
    parts = list(label_stream([str(source)], conflict=strait, start_engine=lambda *given: engine))
    assert [p.row() for part in parts for article in part.articles for p in article] == read_jsonl(
        tmp_path / "out.jsonl"
    )
    assert [type(r) for part in parts for r in part.part.rejects] == [Reject]


# A disk that is full


@pytest.mark.parametrize(("given", "after"), [("-", "begins anew"), ("in.jsonl", "goes on from there")])
@pytest.mark.parametrize("step", ["write_part", "publish"])
def test_what_fails_promises_no_more_than_it_can_keep(label, tmp_path, monkeypatch, given, after, step):
    def no_room(*args):
        raise OSError(28, "No space left on device")

    write(tmp_path / "in.jsonl", *rows(3))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", (tmp_path / "in.jsonl").open())
    with monkeypatch.context() as full:
        full.setattr(f"whosays.model.batch.run.{step}", no_room)
        with pytest.raises(WorkError, match=f"No space left.*the same command {after}"):
            label(given, to=tmp_path / "out.jsonl")
    monkeypatch.setattr("sys.stdin", (tmp_path / "in.jsonl").open())
    assert label(given, to=tmp_path / "out.jsonl").finished
    assert {row["article_id"] for row in read_jsonl(tmp_path / "out.jsonl")} == {"a0", "a1", "a2"}


FULL = """
import resource, sys
from pathlib import Path
from whosays.cli.app import app
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)), resource.RLIM_INFINITY))
app(["predict", *sys.argv[1:]])
"""


@pytest.mark.parametrize("name", ["out.csv", pytest.param("out.parquet", marks=pytest.mark.slow)])
def test_a_full_disk_ends_in_one_line_and_the_run_goes_on_later(tmp_path, tiny_model, sides_file, label, name):
    source = write(tmp_path / "in.jsonl", *rows(400))
    options = [source, "--sides", sides_file, "--model", tiny_model, "--precision", "fp32", "-o", tmp_path / name]
    label(source, to=tmp_path / f"whole-{name}", part_items=128)
    size = (tmp_path / f"whole-{name}").stat().st_size
    command = [
        sys.executable,
        "-c",
        FULL,
        str(size - 100),
        *map(str, options),
    ]  # the parts fit, what they become does not
    done = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert done.returncode == 1, done.stderr
    [line] = done.stderr.strip().splitlines()
    assert "File too large" in line
    assert "400 articles in 4 parts are safe" in line
    assert not (tmp_path / name).exists()
    summary = label(source, to=tmp_path / name, part_items=128)
    assert summary.resumed == 4
    assert (tmp_path / name).read_bytes() == (tmp_path / f"whole-{name}").read_bytes()


def test_no_room_for_a_part_or_the_manifest(label, tmp_path):
    source = write(tmp_path / "in.jsonl", *rows(40))
    label(source, to=tmp_path / "whole")
    parts = [path.stat().st_size for path in (tmp_path / "whole").glob("part-*")]
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN), resource.getrlimit(resource.RLIMIT_FSIZE)
    for room in (100, 800, min(parts) - 1, max(parts) - 1):
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1][1]))
        try:
            with pytest.raises((WorkError, OSError)) as error:
                label(source, to=tmp_path / "out")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before[1])
        assert "\n" not in str(error.value)
    signal.signal(signal.SIGXFSZ, before[0])
    assert label(source, to=tmp_path / "out").finished
    assert files_of(tmp_path / "out") == files_of(tmp_path / "whole")
