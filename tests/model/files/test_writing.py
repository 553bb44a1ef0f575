"""What was written reads back, whole or not at all."""

import csv
import json
from datetime import date

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from whosays.model.article import Article
from whosays.model.batch.layout import Layout
from whosays.model.files.writing import FORMATS, join_files, write_rows
from whosays.model.predictor import Prediction
from whosays.model.sides import Conflict, Mention, Side

LAYOUT = Layout(probabilities=True, keep=("note",))
SCHEMA = LAYOUT.schema(["side", "stance"])
CONFLICT = Conflict("c", (Side("alpha", "Alpha", ("Alpha",)), Side("beta", "Beta", ("Beta",))))


def rows_of(text: str, evidence: bool, score: float, note: object) -> list[dict]:
    prediction = Prediction(
        "a", 0, 0, len(text), text, {"side": "alpha", "stance": None}, {"side": score, "stance": 0.5},
        {"side": {"alpha": score, "none": 1 - score}, "stance": {"affirm": 0.5, "deny": 0.5}},
        Mention("alpha", 0, 2) if evidence else None, "Hi" if evidence else None, False,
    )  # fmt: skip
    return LAYOUT.rows((Article("a", text, (), None, {"note": note}), CONFLICT), [prediction])


def read_back(path, format: str) -> list[dict]:
    if format == "jsonl":
        return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
    if format == "csv":
        with path.open(encoding="utf-8", newline="") as file:
            return [{**row, **_maps(row, json.loads)} for row in csv.DictReader(file)]
    return [{**row, **_maps(row, dict)} for row in pq.read_table(path).to_pylist()]


def _maps(row: dict, make) -> dict:
    return {name: make(row[name]) for name in ("side_probabilities", "stance_probabilities")}


def as_csv(row: dict) -> dict:
    """What a CSV reader makes of a row: text, the empty one for what is missing."""
    return {k: v if isinstance(v, (str, dict)) else "" if v is None else str(v) for k, v in row.items()}


texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
a_row = st.builds(rows_of, texts, st.booleans(), st.floats(0.5, 1), st.none() | texts)


@pytest.mark.parametrize("format", FORMATS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(parts=st.lists(st.lists(a_row, max_size=3), min_size=1, max_size=3))
def test_what_was_written_and_joined_reads_back(tmp_path, format, parts):
    rows = [[row for found in part for row in found] for part in parts]
    paths = [tmp_path / f"part-{n}.{format}" for n in range(len(parts))]
    for path, part in zip(paths, rows, strict=True):
        assert write_rows(part, path, format, SCHEMA) == len(part)
    joined = tmp_path / f"whole.{format}"
    join_files(paths, joined, format, SCHEMA)
    expected = [row for part in rows for row in part]
    assert read_back(joined, format) == ([as_csv(row) for row in expected] if format == "csv" else expected)
    if format != "parquet":
        write_rows(expected, tmp_path / "once", format, SCHEMA)
        assert joined.read_bytes() == (tmp_path / "once").read_bytes()


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_kept_values_that_are_no_text_are_json(tmp_path, format):
    values = {"seven": 7, "day": date(2020, 11, 8), "list": ["a", {"b": 1}], "text": '"7"', "yes": True}
    rows = [row for value in values.values() for row in rows_of("Hi.", False, 0.75, value)]
    write_rows(rows, tmp_path / "out", format, SCHEMA)
    found = [row["note"] for row in read_back(tmp_path / "out", format)]
    assert found == ["7", "2020-11-08", '["a", {"b": 1}]', '"7"', "true"]


@pytest.mark.parametrize("format", FORMATS)
def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, format):
    path = tmp_path / "out"
    path.write_text("old")

    def broken():
        yield from rows_of("Hi.", True, 0.75, None)
        raise RuntimeError("the disk is full")

    with pytest.raises(RuntimeError):
        write_rows(broken(), path, format, SCHEMA)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
