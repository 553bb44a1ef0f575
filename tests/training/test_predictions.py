"""Predictions files of any system."""

import csv
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from systems import at_random, perfect
from whosays.model.batch.run import label_files
from whosays.model.errors import InputError
from whosays.model.files.writing import print_rows
from whosays.model.labels import DEFAULT_SCHEME
from whosays.model.sides import load_conflict
from whosays.training.evaluation.predictions import prediction_rows, read_predictions


def test_predictions_come_back_as_they_went(articles, tmp_path):
    given = at_random(articles)
    path = tmp_path / "p.jsonl"
    with path.open("w") as file:
        print_rows(prediction_rows(articles, given, DEFAULT_SCHEME), file)
    assert read_predictions(path, articles, DEFAULT_SCHEME) == [list(rows) for rows in given]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"side": "atlantis"}, "side 'atlantis' is unknown"),
        ({"index": 99}, "sentences 0 to 4, got index 99"),
        ({"index": "x"}, "whole number"),
        ({"index": 0.7}, "whole number, got 0.7"),
        ({"index": float("inf")}, "whole number, got inf"),
        ({"index": 1, "text": None}, "given twice"),
        ({"text": "Something else."}, "text differs"),
        ({"side_score": 2}, "from 0 to 1"),
        ({"side_probabilities": {"atlantis": 1}}, "'atlantis' is unknown"),
        ({"article_id": None}, "needs 'article_id'"),
        ({"article_id": "unknown"}, "no row for article 'a0', index 0"),
    ],
)
def test_bad_predictions_are_refused_in_one_line(articles, tmp_path, change, message):
    rows = list(prediction_rows(articles, perfect(articles), DEFAULT_SCHEME))
    rows[0] |= change
    path = tmp_path / "p.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(InputError, match=message) as caught:
        read_predictions(path, articles, DEFAULT_SCHEME)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("format", ["jsonl", "csv", "parquet"])
def test_a_folder_of_parts_is_read_as_one(articles, gold_file, sides_file, tiny_model, tmp_path, format):
    parts, whole = tmp_path / "parts", tmp_path / "whole.jsonl"
    options = {"model": str(tiny_model), "conflict": load_conflict(sides_file), "precision": "fp32", "part_items": 3}
    label_files(gold_file, parts, format=format, partition_by="conflict", **options)
    label_files(gold_file, whole, **options)
    assert len(list(parts.rglob("part-*"))) == 3
    assert read_predictions(parts, articles, DEFAULT_SCHEME) == read_predictions(whole, articles, DEFAULT_SCHEME)
    (tmp_path / "other").mkdir()
    with pytest.raises(InputError, match="is a folder without parts"):
        read_predictions(tmp_path / "other", articles, DEFAULT_SCHEME)


def test_a_damaged_parquet_file_is_named(articles, tmp_path):
    file = tmp_path / "p.parquet"
    rows = [{"article_id": f"a{n}", "index": 0, "side": "none" * n} for n in range(900)]
    pq.write_table(pa.Table.from_pylist(rows), file)
    data = bytearray(file.read_bytes())
    data[4:44] = bytes(40)
    file.write_bytes(data)
    with pytest.raises(InputError, match=r"p\.parquet: cannot be read: "):
        read_predictions(file, articles, DEFAULT_SCHEME)


def test_csv_and_parquet_say_the_same(articles, tmp_path):
    given = at_random(articles)
    rows = list(prediction_rows(articles, given, DEFAULT_SCHEME))
    flat = [{k: json.dumps(v) if isinstance(v, dict) else v for k, v in row.items()} for row in rows]
    with (tmp_path / "p.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(flat[0]))
        writer.writeheader()
        writer.writerows(flat)
    pq.write_table(pa.Table.from_pylist(flat), tmp_path / "p.parquet")
    for name in ("p.csv", "p.parquet"):
        assert read_predictions(tmp_path / name, articles, DEFAULT_SCHEME) == [list(rows) for rows in given]


def test_labels_alone_are_enough(articles, tmp_path):
    path = tmp_path / "p.jsonl"
    rows = (
        {k: row[k] for k in ("article_id", "index", "side")}
        for row in prediction_rows(articles, perfect(articles), DEFAULT_SCHEME)
    )
    with path.open("w") as file:
        print_rows(rows, file)
    found = read_predictions(path, articles, DEFAULT_SCHEME)
    assert found[0][0].labels == {"side": "northland"}  # a head without any label is none
    assert not found[0][0].scores
