import json

import pytest
from whosays.model.errors import InputError
from whosays.model.labels import DEFAULT_SCHEME
from whosays.training.corpus import corpus_files, in_split, read_corpus, read_splits


def write(path, **changes):
    row = {
        "id": "a",
        "conflict": "strait",
        "sentences": [{"text": "Norden spoke.", "side": "northland", "stance": None}],
    }
    path.write_text(json.dumps(row | changes) + "\n")
    return [str(path)]


def test_labels_are_read_and_checked(tmp_path, strait):
    [item] = read_corpus(write(tmp_path / "a.jsonl"), DEFAULT_SCHEME, {"strait": strait})
    assert item.labels == {"side": ("northland",), "stance": (None,)}
    assert item.conflict == strait


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({"sentences": [{"text": "x", "side": "eastland"}]}, ["sentence 1", "eastland", "northland"]),
        ({"sentences": [{"text": "x", "stance": "maybe"}]}, ["stance", "maybe", "hedge"]),
        ({"sentences": [{"side": "none"}]}, ["number 1"]),
        ({"sentences": []}, ["empty"]),
        ({"sentences": None}, ["sentences: missing"]),
        ({"sentences": '[{"text": "x"}]'}, ["sentences: is '[{", "has a list"]),
        ({"id": None}, ["'id'"]),
        ({"conflict": None}, ["'conflict'"]),
        ({"conflict": "atlantis"}, ["atlantis"]),
    ],
)
def test_faults_name_file_line_value_and_fix(tmp_path, strait, changes, parts):
    files = write(tmp_path / "a.jsonl", **changes)
    with pytest.raises(InputError) as error:
        read_corpus(files, DEFAULT_SCHEME, {"strait": strait})
    for part in [files[0], "line 1", *parts]:
        assert part in str(error.value)


def test_a_missing_file_and_broken_json(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_corpus([str(tmp_path / "no.jsonl")], DEFAULT_SCHEME)
    (tmp_path / "a.jsonl").write_text("{}\n{")
    with pytest.raises(InputError, match=r"line 1"):
        read_corpus([str(tmp_path / "a.jsonl")], DEFAULT_SCHEME)


def test_splits_cannot_overlap(tmp_path):
    path = tmp_path / "splits.yaml"
    path.write_text("train: {armed: [a, b], unarmed: []}\ntest: {armed: [b]}\n")
    with pytest.raises(InputError, match="'b'"):
        read_splits(path)
    path.write_text("train: {armed: [a], unarmed: [c]}\ntest: {armed: [b]}\n")
    assert read_splits(path) == {"a": "train", "c": "train", "b": "test"}


def test_the_packaged_corpus_reads_and_every_conflict_is_in_a_split():
    articles = read_corpus(corpus_files(), DEFAULT_SCHEME)
    splits = read_splits()
    assert {item.conflict.name for item in articles} <= set(splits)
    sizes = {split: len(in_split(articles, splits, split)) for split in ("train", "dev", "test")}
    assert sizes["train"] > sizes["test"] > 0
    assert sizes["dev"] > 0
    assert sum(sizes.values()) == len(articles)
