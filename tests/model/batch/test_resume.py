"""Batch runs in a place where one has been: what a second run makes of the first, and what stands in the way."""

import re
from dataclasses import replace

import pyarrow as pa
import pyarrow.dataset
import pytest
from runs import files_of, read_jsonl, rows, write
from whosays.model.batch.layout import Layout
from whosays.model.batch.run import label_files, label_stream
from whosays.model.errors import InputError, WorkError


def test_a_finished_run_is_left_as_it_is(label, tmp_path):
    source = write(tmp_path / "in.jsonl", *rows(9), "{")
    for name in ("out.jsonl", "out"):
        first = label(source, to=tmp_path / name)
        before = files_of(tmp_path)
        again = label(source, to=tmp_path / name)
        assert again == replace(first, resumed=first.parts, idle=True)
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


def test_what_has_grown_keeps_its_ids_when_it_is_reached_by_another_name(label, tmp_path):
    write(tmp_path / "news" / "day1" / "a.jsonl", *({"text": row["text"]} for row in rows(6)))
    label(tmp_path / "news" / "day1", to=tmp_path / "out", stop=lambda: True)
    (tmp_path / "news" / "a.txt").write_text("The strait is closed.")
    assert label(tmp_path / "news", to=tmp_path / "out").finished
    found = [row["article_id"] for path in sorted((tmp_path / "out").glob("part-*")) for row in read_jsonl(path)]
    assert list(dict.fromkeys(found)) == [*(f"a-{line}" for line in range(1, 7)), "a.txt"]


def test_a_forced_run_whose_file_could_not_be_written_goes_on(label, tmp_path, monkeypatch):
    def no_room(*args):
        raise OSError(28, "No space left on device")

    source = write(tmp_path / "in.jsonl", *rows(9))
    output = write(tmp_path / "out.jsonl", "somebody's own")
    with monkeypatch.context() as full:
        full.setattr("whosays.model.batch.run.publish", no_room)
        with pytest.raises(WorkError, match="the same command goes on from there"):
            label(source, to=output, force=True)
    found = label(source, to=output, force=True)
    assert (found.resumed, found.parts, found.idle) == (3, 3, False)
    assert len(read_jsonl(output)) == found.rows
    assert label(source, to=output).idle


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
    with pytest.raises(InputError, match="is not a folder that `whosays predict` wrote"):
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


def test_looking_whether_a_file_is_a_runs_mends_nothing(label, tmp_path):
    source = write(tmp_path / "in.jsonl", *rows(3))
    output = tmp_path / "out.jsonl"
    label(source, to=output)
    with (tmp_path / "out.jsonl.manifest.jsonl").open("a") as manifest:
        manifest.write('{"outp')
    before = files_of(tmp_path)
    with pytest.raises(InputError, match=r"out\.jsonl: exists already; give --force"):
        label(source, to=output)
    assert files_of(tmp_path) == before


def test_what_others_put_beside_parts_stays(label, tmp_path):
    source = write(tmp_path / "in.jsonl", *rows(9))
    first = label(source, to=tmp_path / "out")
    (tmp_path / "out" / "place=x").mkdir()
    mine = {"part-00000.csv", "part-00000.parquet", "place=x/part-00003.jsonl"}
    for name in {*mine, "part-00099.jsonl"}:
        (tmp_path / "out" / name).write_text("mine")
    before = files_of(tmp_path / "out")
    assert label(source, to=tmp_path / "out") == replace(first, resumed=first.parts, idle=True)
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
    text = path.read_text().replace('"version": 3', '"version": 1')
    path.write_text(re.sub(r'"unmentioned": \d+, |"short": "[^"]*", ', "", text))
    with pytest.raises(InputError, match="version was 1, is 3"):
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


def test_an_article_whose_partition_has_no_name_is_rejected_and_the_rest_labelled(label, tmp_path):
    given = [*rows(5), {"id": "long", "text": "Norden spoke.", "place": "Ж" * 48}, *rows(5, 9)]
    summary = label(write(tmp_path / "in.jsonl", *given), to=tmp_path / "out", partition_by="place")
    assert (summary.articles, summary.rejects, summary.finished) == (len(given) - 1, 1, True)
    [reject] = read_jsonl(summary.rejects_file)
    assert (reject["line"], reject["reason"][:37]) == (6, "place: too long for the name of a fol")


def test_a_file_spelt_otherwise_is_the_same_input(label, tmp_path):
    source = write(tmp_path / "in.jsonl", *rows(3))
    label(source, to=tmp_path / "out")
    assert label(f"{tmp_path}//./in.jsonl", to=tmp_path / "out").idle


def test_a_column_that_the_first_articles_lack_is_told(label, tmp_path, caplog):
    source = write(tmp_path / "in.jsonl", *rows(3))
    label(source, to=tmp_path / "out.jsonl", layout=Layout(keep=("place", "plaice")))
    assert "column 'plaice': none of the first 3 articles has it" in caplog.text
    assert "'place'" not in caplog.text
    table = tmp_path / "table.csv"
    table.write_text("text,plaice\nNorden spoke.,\n")
    caplog.clear()
    label(table, source, to=tmp_path / "other.jsonl", layout=Layout(keep=("plaice",)))
    assert not caplog.text, "a table has it, if with nothing in it"


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
    assert label_files([source], tmp_path / "b.jsonl", **options) == replace(summary, resumed=2, idle=True)
    [part] = label_stream(str(source), conflict=strait, start_engine=lambda *given: engine)
    assert len(part.articles) == 7


@pytest.mark.parametrize(
    "options", [{"partition_by": "place", "layout": Layout(keep=("place",))}, {"partition_by": "side"}]
)
def test_a_table_is_not_partitioned_by_a_column_it_has(label, tmp_path, options):
    source = write(tmp_path / "in.jsonl", *({**row, "side": "left"} for row in rows(3)))
    with pytest.raises(InputError, match="to partition by: the output has a column of that name"):
        label(source, to=tmp_path / "out", format="parquet", **options)
    assert not (tmp_path / "out").exists()


def test_a_text_has_no_column_to_keep(label, tmp_path):
    (tmp_path / "a.txt").write_text("Norden denied it.")
    with pytest.raises(InputError, match="column 'date': none of the inputs has it"):
        label(tmp_path / "a.txt", to=tmp_path / "out", layout=Layout(keep=("date",)))


@pytest.mark.parametrize("least", [-0.1, 1.1, float("nan")])
def test_the_least_confidence_is_a_probability(label, tmp_path, strait, least):
    source = write(tmp_path / "in.jsonl", *rows(1))
    with pytest.raises(InputError, match="from 0 to 1"):
        label(source, to=tmp_path / "out", min_confidence=least)
    with pytest.raises(InputError, match="from 0 to 1"):
        label_stream(source, conflict=strait, min_confidence=least)


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
    source = write(tmp_path / "in.jsonl")
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
