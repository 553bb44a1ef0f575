"""Batch runs: what comes out, what stands in the way, and what a second run makes of the first."""

import csv
import gzip
import json
import re
import resource
import signal
import subprocess
import sys
from dataclasses import replace

import datasets
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from whosays.model.batch.layout import Layout
from whosays.model.batch.local import local_engine
from whosays.model.batch.run import label_files, label_stream
from whosays.model.errors import InputError, WorkError
from whosays.model.files.reading import Reject, read_articles
from whosays.model.files.sources import find_inputs
from whosays.model.predictor import Predictor

TEXTS = [
    "Northland said its ships had left the strait. Southland denied the report.",
    "Residents said they saw no ships. Marshal Ruiz accused Norden of lying. “No,” said Suden.",
    "The strait is twelve miles wide.",
]


def rows(count: int, first: int = 0) -> list[dict]:
    return [
        {"id": f"a{n}", "place": ["land", "sea", None][n % 3], "text": " ".join(TEXTS[: 1 + n % 3] * (1 + n % 4))}
        for n in range(first, first + count)
    ]


def write(path, *lines):
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return path


@pytest.fixture(scope="module")
def engine(tiny_model):
    """The local engine, loaded once: started anew for each run, it takes its time and not a label more."""
    return local_engine(str(tiny_model), "fp32", 0.0)


@pytest.fixture
def label(engine, strait):
    def run(*inputs, to, **options):
        options = {"conflict": strait, "part_items": 4, "start_engine": lambda *given: engine} | options
        return label_files([str(path) for path in inputs], to, **options)

    return run


def files_of(folder) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


def read_jsonl(path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def manifest(path) -> dict[str, list]:
    found: dict[str, list] = {}
    for line in read_jsonl(path):
        [(kind, body)] = line.items()
        found.setdefault(kind, []).append(body)
    return found


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
    assert found["input"] == [
        {"path": str(source), "bytes": source.stat().st_size, "sha256": found["input"][0]["sha256"]}
    ]
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
    summary = label(source, to=tmp_path / "out", format=format, partition_by="place", layout=Layout(keep=("place",)))
    assert summary.articles == 11
    folders = {path.name for path in (tmp_path / "out").iterdir() if path.is_dir()}
    assert folders == {"place=land", "place=sea", "place=__HIVE_DEFAULT_PARTITION__", "place=a%2Fb%3D%C3%A7"}
    if format == "parquet":
        files = (tmp_path / "out").glob("place=sea/*.parquet")
        found = [row for path in sorted(files) for row in pq.ParquetFile(path).read().to_pylist()]
        assert {row["article_id"] for row in found} == {"a1", "a4", "a7"}
        assert {row["place"] for row in found} == {"sea"}


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


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=8, deadline=None)
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
        assert label(*again, to=output) == replace(first, resumed=first.parts)
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


# What is done already


def test_a_finished_run_is_left_as_it_is(label, tmp_path):
    source = write(tmp_path / "in.jsonl", *rows(9), "{")
    for name in ("out.jsonl", "out"):
        first = label(source, to=tmp_path / name)
        before = files_of(tmp_path)
        again = label(source, to=tmp_path / name)
        assert again == replace(first, resumed=first.parts)
        assert files_of(tmp_path) == before
    assert not list(tmp_path.glob(".out*")), "the folder of parts is gone"


def test_a_run_that_was_told_to_stop_goes_on(label, tmp_path):
    source = write(tmp_path / "in.jsonl", *rows(14), "{")
    for name in ("out.parquet", "out"):
        (tmp_path / "whole").mkdir(exist_ok=True)
        label(source, to=tmp_path / "whole" / name)
        (tmp_path / "cut").mkdir(exist_ok=True)
        told = []
        stopped = label(
            source,
            to=tmp_path / "cut" / name,
            stop=lambda: True,
            tell=lambda part, summary, told=told: told.append(summary),
        )
        assert (stopped.parts, stopped.articles, stopped.finished) == (1, 4, False)
        assert [t.articles for t in told] == [4]
        rest = label(source, to=tmp_path / "cut" / name)
        assert (rest.resumed, rest.articles, rest.rejects, rest.finished) == (1, 14, 1, True)
    assert files_of(tmp_path / "cut") == files_of(tmp_path / "whole")


def test_what_a_folder_has_grown_by_is_all_that_is_labelled(label, tmp_path):
    (tmp_path / "in").mkdir()
    write(tmp_path / "in" / "m.jsonl", *rows(6), "{")
    first = label(tmp_path / "in", to=tmp_path / "out")
    before = files_of(tmp_path / "out")
    write(tmp_path / "in" / "a.jsonl", "{", *rows(5, 50))  # it comes first by name, and is read last
    seen = []
    second = label(tmp_path / "in", to=tmp_path / "out", tell=lambda part, summary: seen.extend(part.jobs))
    assert [article.id for article, _ in seen] == [f"a{n}" for n in range(50, 55)]
    assert (second.resumed, second.articles, second.rejects) == (first.parts, 11, 2)
    after = files_of(tmp_path / "out")
    parts = {name: content for name, content in before.items() if name.startswith("part-")}
    assert parts.items() < after.items()
    assert after["_manifest.jsonl"].startswith(before["_manifest.jsonl"])
    assert [r["file"][-7:] for r in read_jsonl(second.rejects_file)] == ["m.jsonl", "a.jsonl"]
    assert label(tmp_path / "in", to=tmp_path / "out").resumed == second.parts


def test_a_single_file_does_not_grow(label, tmp_path):
    (tmp_path / "in").mkdir()
    write(tmp_path / "in" / "a.jsonl", *rows(3))
    label(tmp_path / "in", to=tmp_path / "out.csv")
    before = files_of(tmp_path)
    write(tmp_path / "in" / "b.jsonl", *rows(3))
    with pytest.raises(InputError, match=r"b\.jsonl is new.*--force"):
        label(tmp_path / "in", to=tmp_path / "out.csv")
    assert before.items() < files_of(tmp_path).items()
    assert label(tmp_path / "in", to=tmp_path / "out.csv", force=True).articles == 6


@pytest.mark.parametrize("name", ["out.jsonl", "out"])
@pytest.mark.parametrize("finished", [True, False])
def test_what_differs_is_said_and_nothing_is_touched(label, engine, strait, tmp_path, name, finished):
    (tmp_path / "in").mkdir()
    source = write(tmp_path / "in" / "in.jsonl", *rows(9))
    output = tmp_path / name
    label(source, to=output, stop=lambda: not finished)
    before = files_of(tmp_path)
    other = replace(engine, settings=engine.settings | {"model_sha256": "0" * 64})
    sides = replace(strait, sides=tuple(reversed(strait.sides)))
    renamed = replace(strait, name="straits")
    for changed, part in [
        ({"start_engine": lambda *given: other}, "model_sha256 was"),
        ({"min_confidence": 0.5}, "min_confidence was 0.0, is 0.5"),
        ({"layout": Layout(probabilities=True)}, "probabilities was false, is true"),
        ({"layout": Layout(keep=("place",))}, "keep was"),
        ({"part_items": 5}, "part_items was 4, is 5"),
        ({"conflict": renamed}, "conflict.name was strait, is straits"),
        ({"conflict": replace(strait, sides=(replace(strait.sides[0], aliases=("Norden",)), strait.sides[1]))}, "aliases"),
    ]:  # fmt: skip
        with pytest.raises(InputError, match=part.replace(".", r"\.")) as error:
            label(source, to=output, **changed)
        assert "\n" not in str(error.value)
        assert "--force" in str(error.value)
        assert files_of(tmp_path) == before
    assert label(source, to=output, conflict=sides, stop=lambda: True).articles, "the order of sides decides nothing"
    write(source, *rows(9), {"text": "More."})
    with pytest.raises(InputError, match=r"in\.jsonl has changed: it was \d+ bytes, is \d+"):
        label(source, to=output)
    other_source = write(tmp_path / "in" / "other.jsonl", *rows(2))
    with pytest.raises(InputError, match=r"in\.jsonl was read, and is not given"):
        label(other_source, to=output)
    assert label(other_source, to=output, force=True).articles == 2
    assert label(other_source, to=output).finished


def test_nothing_of_others_is_replaced_unasked(label, tmp_path):
    source = write(tmp_path / "in.jsonl", *rows(3))
    (tmp_path / "out.jsonl").write_text("mine\n")
    with pytest.raises(InputError, match="--force"):
        label(source, to=tmp_path / "out.jsonl")
    assert (tmp_path / "out.jsonl").read_text() == "mine\n"
    assert label(source, to=tmp_path / "out.jsonl", force=True).finished
    (tmp_path / "out.jsonl").write_text("mine\n")  # no longer what the run wrote
    with pytest.raises(InputError, match="--force"):
        label(source, to=tmp_path / "out.jsonl")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.md").write_text("mine")
    for force in (False, True):
        with pytest.raises(InputError, match=r"notes\.md"):
            label(source, to=tmp_path / "mine", force=force)
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["notes.md"]


@pytest.mark.parametrize("force", [True, False])
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("part-00000.csv", "mine"),
        (".part-00000.jsonl.partial", "mine"),
        ("conflict=x/part-00000.parquet", "mine"),
        ("_rejects.jsonl", "mine\n"),
        ("_manifest.jsonl", '{"mine": 1}'),
        ("_manifest.jsonl", '{"run": {"mine": 1}}\n{"mine": 2'),
        ("_manifest.jsonl", "[]\n"),
    ],
)
def test_a_folder_without_the_manifest_of_a_run_is_nobodys_to_clear(label, tmp_path, name, content, force):
    source = write(tmp_path / "in.jsonl", *rows(3))
    mine = tmp_path / "out" / name
    mine.parent.mkdir(parents=True)
    mine.write_text(content)
    with pytest.raises(InputError, match="is not the folder of a run"):
        label(source, to=tmp_path / "out", force=force)
    assert [path for path in (tmp_path / "out").rglob("*") if path.is_file()] == [mine]
    assert mine.read_text() == content


@pytest.mark.parametrize("force", [True, False])
def test_a_folder_is_not_labelled_into_itself(label, tmp_path, force):
    (tmp_path / "data").mkdir()
    source = write(tmp_path / "data" / "part-00000.jsonl", *rows(3))
    before = files_of(tmp_path)
    for own in (tmp_path / "data", source):
        with pytest.raises(InputError, match="write the output elsewhere"):
            label(own, to=tmp_path / "data", force=force)
    assert files_of(tmp_path) == before


def test_what_others_put_beside_parts_stays(label, tmp_path):
    source = write(tmp_path / "in.jsonl", *rows(9))
    first = label(source, to=tmp_path / "out")
    (tmp_path / "out" / "place=x").mkdir()
    mine = {"part-00000.csv", "part-00000.parquet", "place=x/part-00003.jsonl"}
    for name in {*mine, "part-00099.jsonl"}:
        (tmp_path / "out" / name).write_text("mine")
    before = files_of(tmp_path / "out")
    assert label(source, to=tmp_path / "out") == replace(first, resumed=first.parts)
    assert files_of(tmp_path / "out") == before
    label(source, to=tmp_path / "out", force=True, layout=Layout(by="article"))
    after = files_of(tmp_path / "out")
    assert {name for name, content in after.items() if content == b"mine"} == mine


def test_what_stands_beside_a_file_is_replaced_only_if_a_run_left_it(label, tmp_path):
    source = write(tmp_path / "in.jsonl", *rows(3))
    output, rejects = tmp_path / "out.jsonl", tmp_path / "out.jsonl.rejects.jsonl"
    rejects.write_text("mine\n")
    with pytest.raises(InputError, match=r"rejects\.jsonl: exists already; give --force"):
        label(source, to=output)
    assert rejects.read_text() == "mine\n"
    label(source, to=output, force=True)
    assert not rejects.exists()
    write(source, *rows(3), "{")
    label(source, to=output, force=True)
    output.unlink()
    write(source, *rows(3))
    assert label(source, to=output).finished
    assert not rejects.exists()


def test_the_manifest_of_another_version_is_called_that(label, tmp_path):
    source = write(tmp_path / "in.jsonl", *rows(6))
    label(source, to=tmp_path / "out.jsonl")
    path = tmp_path / "out.jsonl.manifest.jsonl"
    text = path.read_text().replace('"version": 2', '"version": 1')
    path.write_text(re.sub(r'"unmentioned": \d+, ', "", text))
    with pytest.raises(InputError, match="version was 1, is 2"):
        label(source, to=tmp_path / "out.jsonl")


def test_a_damaged_manifest_is_said_and_replaced_by_force_alone(label, tmp_path):
    source = write(tmp_path / "in.jsonl", *rows(9))
    label(source, to=tmp_path / "out")
    whole = files_of(tmp_path / "out")
    for damage in ("[]", "1", "null", '"run"', "{}", '{"part": []}', '{"input": 1}'):
        manifest = tmp_path / "out" / "_manifest.jsonl"
        manifest.write_text(f"{manifest.read_text()}{damage}\n")
        before = files_of(tmp_path / "out")
        with pytest.raises(InputError, match=r"line \d+: damaged; give --force"):
            label(source, to=tmp_path / "out")
        assert files_of(tmp_path / "out") == before
        label(source, to=tmp_path / "out", force=True)
        assert files_of(tmp_path / "out") == whole


def test_a_folder_that_was_not_cleared_to_the_end_is_still_a_runs(label, tmp_path):
    source = write(tmp_path / "in.jsonl", *rows(9), "{")
    label(source, to=tmp_path / "out")
    whole = files_of(tmp_path / "out")
    (tmp_path / "out" / "_manifest.jsonl").rename(tmp_path / "out" / "._manifest.jsonl.cleared")
    (tmp_path / "out" / "._manifest.jsonl.partial").write_text('{"run": {')  # and another began, and was killed too
    assert label(source, to=tmp_path / "out").resumed == 0
    assert files_of(tmp_path / "out") == whole


@pytest.mark.parametrize(
    ("to", "options", "part"),
    [
        ("out.doc", {}, "unknown kind"),
        ("no/out.csv", {}, "does not exist"),
        ("out.csv", {"format": "parquet"}, "ends in"),
        ("out.csv", {"partition_by": "place"}, "need a folder"),
        ("out", {"format": "xml"}, "use jsonl"),
        ("in.jsonl", {"force": True}, "among the inputs"),
        ("out", {"layout": Layout(keep=("text",))}, "'text'"),
        ("out", {"layout": Layout(keep=("side",))}, "rename"),
        ("out", {"partition_by": "id"}, "'id'"),
    ],
)
def test_outputs_that_cannot_be(label, tmp_path, to, options, part):
    source = write(tmp_path / "in.jsonl", *rows(3))
    before = files_of(tmp_path)
    with pytest.raises(InputError, match=part):
        label(source, to=tmp_path / to, **options)
    assert files_of(tmp_path) == before
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]


def test_a_column_that_no_input_has_is_an_error_unless_rows_may_have_it(label, tmp_path):
    table = tmp_path / "in.csv"
    table.write_text("id,text,day\n1,Norden spoke.,7\n")
    with pytest.raises(InputError, match="'dya': none of the inputs has it"):
        label(table, to=tmp_path / "out.jsonl", layout=Layout(keep=("day", "dya")))
    source = write(tmp_path / "in.jsonl", {"text": "Suden spoke."})
    label(table, source, to=tmp_path / "out.jsonl", layout=Layout(keep=("day",)))
    assert [row["day"] for row in read_jsonl(tmp_path / "out.jsonl")] == ["7", None]
    with pytest.raises(WorkError, match="too long for a folder"):
        label(write(tmp_path / "b.jsonl", {"text": "Hm.", "day": "x" * 300}), to=tmp_path / "out", partition_by="day")


def test_a_folder_of_parts_opens_as_one_table(label, tmp_path):
    source = write(tmp_path / "in.jsonl", *rows(12), "{broken")
    summary = label(source, to=tmp_path / "out", format="parquet", partition_by="place")
    assert summary.rejects == 1
    table = pa.dataset.dataset(tmp_path / "out", partitioning="hive").to_table()
    assert table.num_rows == summary.rows
    assert set(table["place"].to_pylist()) == {"land", "sea", None}


def test_articles_that_mention_no_side_are_counted_and_paths_may_be_of_any_kind(label, engine, strait, tmp_path):
    source = write(tmp_path / "in.jsonl", {"text": "Norden spoke."}, *({"text": "It rained."} for _ in range(6)))
    options = {"conflict": strait, "part_items": 4, "start_engine": lambda *given: engine}
    for inputs, output in ((source, tmp_path / "a.jsonl"), (str(source), str(tmp_path / "b.jsonl"))):
        summary = label_files(inputs, output, **options)
        assert (summary.unmentioned, summary.articles) == (6, 7)
    assert label_files([source], tmp_path / "b.jsonl", **options) == replace(summary, resumed=2)
    [part] = label_stream(str(source), conflict=strait, start_engine=lambda *given: engine)
    assert len(part.articles) == 7


@pytest.mark.parametrize("option", [{"partition_by": ""}, {"layout": Layout(keep=("",))}])
def test_a_column_without_a_name_is_refused(label, tmp_path, option):
    source = write(tmp_path / "in.jsonl", *rows(1))
    with pytest.raises(InputError, match="has no name"):
        label(source, to=tmp_path / "out", **option)


def test_a_part_that_is_gone_or_cut_is_noticed(label, tmp_path):
    source = write(tmp_path / "in.jsonl", *rows(9))
    label(source, to=tmp_path / "out")
    part = tmp_path / "out" / "part-00001.jsonl"
    content = part.read_bytes()
    for damage in (lambda: part.write_bytes(content[:-5]), part.unlink):
        damage()
        with pytest.raises(InputError, match=r"part-00001.*missing or damaged"):
            label(source, to=tmp_path / "out")
    label(source, to=tmp_path / "out", force=True)
    assert part.read_bytes() == content
    manifest = tmp_path / "out" / "_manifest.jsonl"
    unfinished = [line for line in manifest.read_text().splitlines(keepends=True) if "finished" not in line]
    manifest.write_text("".join(unfinished))
    part.unlink()
    with pytest.raises(InputError, match=r"part-00001.*missing or damaged"):
        label(source, to=tmp_path / "out")
    label(source, to=tmp_path / "out", force=True)
    assert part.read_bytes() == content


def test_a_folder_that_was_there_stays_when_nothing_can_be_labelled(label, tmp_path):
    (tmp_path / "mine").mkdir()
    source = write(tmp_path / "in.jsonl", "{")
    for name in ("mine", "new"):
        with pytest.raises(InputError):
            label(source, to=tmp_path / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl", "mine"]
    assert not list((tmp_path / "mine").iterdir())


def test_two_runs_do_not_share_an_output(label, tmp_path):
    source = write(tmp_path / "in.jsonl", *rows(9))
    refused = []

    def again(part, summary):
        with pytest.raises(InputError, match="another run is writing it"):
            label(source, to=tmp_path / "out.jsonl")
        refused.append(part.number)

    assert label(source, to=tmp_path / "out.jsonl", tell=again).finished
    assert refused == [0, 1, 2]


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


def test_nothing_to_label_is_an_error_and_leaves_nothing(label, tmp_path):
    source = write(tmp_path / "in.jsonl", "{", "{")
    with pytest.raises(InputError, match=r"line 1.*1 more"):
        label(source, to=tmp_path / "out.jsonl")
    write(source)
    with pytest.raises(InputError, match="no article"):
        label(source, to=tmp_path / "out.jsonl")
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]


def test_a_forgotten_conflict_is_said_before_a_model_is_loaded(label, tmp_path):
    def start(*given):
        raise AssertionError("the model is loaded")

    source = write(tmp_path / "in.jsonl", *rows(9))
    with pytest.raises(InputError, match=r"'a0' names no conflict.*each of the first 4"):
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
