"""The commands corpus check, stats, agreement and difficulty, as a user types them."""

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner
from whosays.cli.app import app

CLEAN = {"text": "Norden spoke to Suden about the very long bridge.", "side": "northland", "stance": "affirm"}


def call(*arguments):
    return CliRunner().invoke(app, ["corpus", *map(str, arguments)])


def article(id, *sentences, **more):
    return {"id": id, "conflict": "strait", "sentences": list(sentences)} | more


def rows_file(path, *rows):
    path.write_text("".join(row if isinstance(row, str) else json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def clean(tmp_path):
    return rows_file(tmp_path / "clean.jsonl", article("a", CLEAN))


FAULTS = {
    "not a labelled article": (article("x", sentences=None), "article 'x': sentences: missing"),
    "no conflict": (article("x", CLEAN, conflict=None), "article 'x': 'id' and 'conflict' are both needed"),
    "unknown conflict": (article("x", CLEAN, conflict="atlantis"), "article 'x': unknown conflict 'atlantis'"),
    "unknown side": (
        article("x", {"text": "Suden woke.", "side": "eastland"}),
        "article 'x': sentence 1: side 'eastland' is unknown; use one of: none, other, both, northland, southland",
    ),
    "unknown stance": (
        article("x", {"text": "Suden woke.", "stance": "maybe"}),
        "article 'x': sentence 1: stance 'maybe' is unknown",
    ),
    "empty text": (article("x", {"text": " "}), "article 'x': sentences: number 1 must be text"),
    "span": (article("x", {"text": " Suden left.", "side": "none"}), "article 'x': sentence 1 has white space"),
    "a silent voice": (
        article("x", {"text": "He spoke.", "side": "southland"}),
        "article 'x': side 'southland' speaks, but none of its aliases occurs; add the alias",
    ),
    "an id twice": (article("a", {"text": "It rained.", "side": "none"}), "article 'a': the id stands already at"),
    "a near-repeat": (
        article("x", {"text": "Norden spoke with Suden about the very long bridge.", "side": "none"}),
        "article 'x': sentence 1 nearly repeats sentence 1 of article 'a'",
    ),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_check_names_file_line_and_article_of_every_kind_of_fault(tmp_path, sides_file, kind):
    row, message = FAULTS[kind]
    path = rows_file(tmp_path / "bad.jsonl", article("a", CLEAN), row)
    result = call("check", path, "--sides", sides_file)
    assert result.exit_code == 1
    [error] = [line for line in result.stdout.splitlines() if not line.startswith("note: ")]
    assert error.startswith(f"{path}, line 2, {message}")
    assert result.stderr.startswith("errors: 1, notes: ")


def test_check_of_broken_json_names_file_and_line_and_reads_on(tmp_path, sides_file):
    late = article("late", {"text": "He spoke.", "side": "southland"})
    path = rows_file(tmp_path / "bad.jsonl", "{broken\n", article("a", CLEAN), late)
    result = call("check", path, "--sides", sides_file)
    assert result.exit_code == 1
    assert f"{path}, line 1: not valid JSON" in result.stdout
    assert f"{path}, line 3, article 'late': side 'southland' speaks" in result.stdout


def test_check_of_clean_data_has_notes_only(clean, sides_file):
    result = call("check", clean, "--sides", sides_file)
    assert result.exit_code == 0
    assert result.stderr == "errors: 0, notes: 2\n"
    for line in result.stdout.splitlines():
        assert line.startswith(f"note: {clean}, line 1, article 'a': conflict 'strait', side '")
    assert "Marshal Ruiz" in result.stdout
    assert "Suden" not in result.stdout


def test_check_of_the_packaged_corpus_knows_the_splits(tmp_path, sides_file, monkeypatch):
    """A text in two splits and a conflict in none; the package's corpus stands in as two articles."""
    from whosays.training import corpus

    other = tmp_path / "gulf.yaml"
    other.write_text(sides_file.read_text().replace("strait", "gulf"))
    third = tmp_path / "bay.yaml"
    third.write_text(sides_file.read_text().replace("strait", "bay"))
    rain = {"text": "It rained on Norden.", "side": "none"}
    path = rows_file(
        tmp_path / "packaged.jsonl",
        article("t1.x", CLEAN),
        article("t1.y", rain, CLEAN, conflict="gulf"),
        article("t2", {"text": "Suden sang in the rain.", "side": "none"}, conflict="bay"),
    )
    monkeypatch.setattr(corpus, "corpus_files", lambda: [str(path)])
    monkeypatch.setattr(corpus, "read_splits", lambda: {"strait": "train", "gulf": "test"})
    result = call("check", "--sides", sides_file, "--sides", other, "--sides", third)
    assert result.exit_code == 1
    where = f"{path}, line"
    assert f"{where} 2, article 't1.y': its text is in test, and as article 't1.x' in train" in result.stdout
    assert f"{where} 2, article 't1.y': sentence 2 nearly repeats across the splits train and test" in result.stdout
    assert f"{where} 3, article 't2': conflict 'bay' is in no split; add it to splits.yaml" in result.stdout


def test_a_recipe_says_what_labels_and_sides_the_data_have(tmp_path, sides_file):
    angry = rows_file(tmp_path / "angry.jsonl", article("a", {"text": "Norden met Suden.", "tone": "angry"}))
    stray = rows_file(tmp_path / "stray.jsonl", article("b", {"text": "It rained.", "tone": "wet"}))
    files = {"train": [str(angry)], "dev": [str(stray)], "sides": [str(sides_file)]}
    recipe = rows_file(tmp_path / "mine.yaml", files | {"scheme": {"tone": {"labels": ["calm", "angry"]}}})
    result = call("check", recipe)
    assert result.exit_code == 1
    errors = [line for line in result.stdout.splitlines() if not line.startswith("note: ")]
    assert errors == [
        f"{stray}, line 1, article 'b': sentence 1: tone 'wet' is unknown; use one of: calm, angry, or null"
    ]
    assert "has no 'stance'" not in result.stdout
    assert call("check", recipe, angry).exit_code == 0
    assert "unknown conflict 'strait'" in call("check", angry).stdout
    calm = rows_file(
        tmp_path / "calm.jsonl",
        article("a", {"text": "Norden met Suden.", "tone": "calm"}),
        article("z", {"text": "It rained."}),
    )
    result = call("agreement", recipe, angry, calm)
    assert "articles: 1, 1 more in one of the files only" in result.stdout, result.output
    assert "tone: kappa 0.000, agreement 0.000 over 1 sentences, differences 1" in result.stdout
    assert "two files of labelled articles are compared; got 1" in call("agreement", recipe, angry).stderr


def test_what_a_teacher_labelled_and_files_without_articles_are_checked_too(tmp_path, sides_file, gold_file):
    row = article("t", {"text": "It rained.", "side": "eastland"})
    taught, empty = rows_file(tmp_path / "taught.jsonl", row), rows_file(tmp_path / "empty.jsonl")
    files = {"train": [str(gold_file)], "dev": [str(empty)], "taught": ["packaged", str(taught)]}
    result = call("check", rows_file(tmp_path / "mine.yaml", files | {"sides": [str(sides_file)]}))
    assert result.exit_code == 1
    errors = [line for line in result.stdout.splitlines() if not line.startswith("note: ") and "repeats" not in line]
    assert errors[0] == f"{empty}, line 1: there is no article in the file"
    assert errors[1].startswith(f"{taught}, line 1, article 't': sentence 1: side 'eastland' is unknown")


def test_stats_are_tables_and_the_same_counts_as_json(gold_file, sides_file):
    result = call("stats", gold_file, "--sides", sides_file)
    assert result.exit_code == 0
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in result.stdout.splitlines() if line]
    assert ["corpus", "8", "40", "1", "0", "0", "1", "0"] in rows
    assert ["side", "side", "none", "other", "both"] in rows
    assert ["corpus", "16", "12", "8", "4"] in rows
    assert ["strait", "–", "–", "2", "8", "40"] in rows
    widths = {len(line) for line in result.stdout.split("\n\n")[0].splitlines()}
    assert len(widths) == 1
    found = json.loads(call("stats", gold_file, "--sides", sides_file, "--json").stdout)
    assert found["corpus"]["side"] == {"side": 16, "none": 12, "other": 8, "both": 4}
    assert found["conflicts"]["strait"]["sentences"] == 40


def test_agreement_in_words_and_as_json(gold_file, tmp_path, sides_file):
    second = tmp_path / "second.jsonl"
    second.write_text(gold_file.read_text().replace('"hedge"', '"affirm"').replace('"both"', "null"))
    result = call("agreement", gold_file, second, "--sides", sides_file)
    assert result.exit_code == 0
    assert "articles: 8" in result.stdout
    assert "side: kappa 1.000, agreement 1.000 over 36 sentences, differences 0" in result.stdout
    # 36 of 40 agree; by chance (12·16 + 8·8 + 8·8 + 8·8) / 40² = 0.24; kappa (0.9 − 0.24) / 0.76 = 0.868
    assert "stance: kappa 0.868, agreement 0.900 over 40 sentences, differences 4" in result.stdout
    assert "  first hedge, second affirm: 4" in result.stdout
    assert "  hedge: kappa 0.000, F1 0.000 (4 by the first)" in result.stdout
    found = json.loads(call("agreement", gold_file, second, "--sides", sides_file, "--json").stdout)
    assert found["stance"]["confusions"] == [["hedge", "affirm", 4]]
    assert found["side"]["by_conflict"] == {"strait": {"sentences": 36, "kappa": 1.0}}


def test_difficulty_as_tables_and_as_json(tmp_path):
    names = ("kosovo", "kashmir", "nepal", "chechnya")
    rain, doubt = {"text": "It rained.", "side": "none", "stance": "affirm"}, {"text": "Who knows?", "side": "none"}
    path = rows_file(
        tmp_path / "a.jsonl",
        *(article(name, rain, doubt | {"stance": "neutral"}, conflict=name, part="real") for name in names),
    )
    result = call("difficulty", path)
    assert result.exit_code == 0, result.output
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in result.stdout.splitlines() if line]
    assert rows[-3][:6] == ["judged", "learnt from", "sentences", "stance macro-F1", "low", "high"]
    assert rows[-1][:6] == ["all", "all parts", "8", "1.000", "1.000", "1.000"]
    assert "fold 4 of 4" in result.stderr
    found = json.loads(call("difficulty", path, "--groups", 3, "--json").stdout)
    assert found["all"]["all parts"]["stance"]["macro_f1"]["value"] == 1.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check", "nowhere.jsonl"], "nowhere.jsonl: no such file"),
        (["stats", "nowhere.jsonl"], "nowhere.jsonl: no such file"),
        (["stats", "GOLD"], "line 1, article 'a0': unknown conflict 'strait'"),
        (["check", "GOLD", "--sides", "GOLD"], "gold.jsonl"),
        (["agreement", "GOLD", "CLEAN", "--sides", "SIDES"], "the two annotations have no article in common"),
        (["difficulty", "GOLD", "--sides", "SIDES"], "the data have 1 conflicts"),
        (["difficulty", "GOLD", "--groups", "1", "--sides", "SIDES"], "the data have 1 conflicts"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(gold_file, clean, sides_file, arguments, message):
    paths = {"GOLD": gold_file, "CLEAN": clean, "SIDES": sides_file}
    result = call(*(paths.get(argument, argument) for argument in arguments))
    assert result.exit_code == 2, result.output
    assert message in result.stderr
    assert len([line for line in result.stderr.splitlines() if "fold" not in line]) == 1


def test_in_a_real_process(tmp_path, sides_file):
    path = rows_file(
        tmp_path / "bad.jsonl", article("a", CLEAN), article("b", {"text": "Hm.", "side": "southland", "stance": None})
    )
    command = [sys.executable, "-m", "whosays.cli", "corpus", "check", str(path), "--sides", str(sides_file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert done.stdout.startswith(f"{path}, line 2, article 'b': side 'southland' speaks")
    assert done.stderr == "errors: 1, notes: 2\n"
