import gzip
import json

import pytest
from typer.testing import CliRunner
from whosays.cli.app import app

runner = CliRunner()


@pytest.fixture
def news(tmp_path, monkeypatch):
    """Two articles without labels, and in place of the packaged corpus one article, on Iran."""
    gold = {"id": "gold", "conflict": "iran-nuclear", "sentences": [{"text": "Tehran denied it.", "side": "iran"}]}
    (tmp_path / "corpus.jsonl").write_text(json.dumps(gold))
    monkeypatch.setattr("whosays.training.corpus.corpus_files", lambda: [str(tmp_path / "corpus.jsonl")])
    path = tmp_path / "news.jsonl"
    rows = [{"id": "a", "text": "Tehran met Washington."}, {"id": "b", "text": "It rained."}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def distil(*args):
    return runner.invoke(app, ["distil", *map(str, args)])


def test_what_exists_is_replaced_only_by_force(news, tiny_model, tmp_path):
    output = tmp_path / "taught.jsonl.gz"
    output.write_text("mine")
    refused = distil(news, "--teacher", tiny_model, "--output", output)
    assert refused.exit_code == 2
    assert "--force" in refused.stderr
    assert output.read_text() == "mine"
    result = distil(news, "--teacher", tiny_model, "--output", output, "--force")
    assert result.exit_code == 0, result.stderr
    [row] = map(json.loads, gzip.decompress(output.read_bytes()).splitlines())
    assert (row["id"], row["conflict"]) == ("a", "iran-nuclear")
    assert "left out: 1 about no training conflict" in result.stderr


@pytest.mark.parametrize(
    ("output", "part"),
    [
        ("old.jsonl.gz", "--force"),
        ("nowhere/new.jsonl.gz", "does not exist"),
        ("new.jsonl", "ends in .jsonl.gz"),
        ("folder.jsonl.gz", "give a file"),
    ],
)
def test_an_output_that_cannot_be_is_said_before_the_work(news, tmp_path, monkeypatch, output, part):
    def early(*_):
        raise AssertionError("the teacher is loaded before the output is known to be right")

    monkeypatch.setattr("whosays.model.predictor.Predictor.load", early)
    (tmp_path / "old.jsonl.gz").write_text("mine")
    (tmp_path / "folder.jsonl.gz").mkdir()
    result = distil(news, "--output", tmp_path / output)
    assert result.exit_code == 2
    assert part in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_a_broken_row_ends_it_and_writes_nothing(news, tiny_model, tmp_path):
    with news.open("a") as file:
        file.write("{broken\n")
    result = distil(news, "--teacher", tiny_model, "--output", tmp_path / "taught.jsonl.gz")
    assert result.exit_code == 2
    assert "line 3" in result.stderr
    assert not (tmp_path / "taught.jsonl.gz").exists()


def test_help_tells_the_default_teacher_which_conflicts_and_what_a_broken_row_does(monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    told = distil("--help").stdout
    assert "without it, accurate" in told
    assert "conflicts that ship with the package; news about any other is left out" in told
    assert "a broken row ends the command" in told
