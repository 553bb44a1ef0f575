"""Cross-validation by conflict with a tiny encoder."""

import json
import re
import shutil
from pathlib import Path

import pytest
from whosays.model.errors import InputError
from whosays.model.labels import DEFAULT_SCHEME
from whosays.training import crossval
from whosays.training.crossval import cross_validate, make_folds
from whosays.training.evaluation import evaluate
from whosays.training.recipe import Recipe, recipe_articles


@pytest.fixture
def recipe(gold_file, sides_file, tiny_encoder, tmp_path):
    """A recipe on three conflicts, two articles each."""
    rows = [json.loads(line) for line in gold_file.read_text().splitlines()][:6]
    sides = json.loads(sides_file.read_text())
    files = []
    for n in range(3):
        files.append(tmp_path / f"c{n}.yaml")
        files[n].write_text(json.dumps(sides | {"conflict": f"c{n}"}))
        for row in rows[2 * n : 2 * n + 2]:
            row["conflict"] = f"c{n}"
    for name, part in (("train", rows[:4]), ("dev", rows[4:])):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in part))
    return Recipe(
        encoder=str(tiny_encoder),
        train=[str(tmp_path / "train.jsonl")],
        dev=[str(tmp_path / "dev.jsonl")],
        sides=[str(file) for file in files],
        taught=["packaged"],
        epochs=1,
        max_tokens=128,
        overlap=32,
        precision="fp32",
    )


def test_folds_hold_out_each_conflict_once(recipe):
    articles = recipe_articles(recipe, DEFAULT_SCHEME, ("train", "dev"))
    folds = make_folds(articles, None)
    assert [fold.held_out for fold in folds] == [["c0"], ["c1"], ["c2"]]
    assert [fold.development for fold in folds] == [["c1"], ["c2"], ["c0"]]
    for groups in (0, 1, 2, 4):
        with pytest.raises(InputError, match="from 3 to 3"):
            make_folds(articles, groups)


@pytest.mark.parametrize(("head", "words"), [("", "side or stance"), ("stance", "stance")])
def test_a_fold_without_labels_is_found_before_any_is_trained(recipe, tmp_path, monkeypatch, head, words):
    """Of three conflicts one has no label at all, or two have none of one head."""
    monkeypatch.setattr(crossval, "train", lambda *given: pytest.fail("trained"))
    for file in (*recipe.train, *recipe.dev):
        rows = [json.loads(line) for line in Path(file).read_text().splitlines()]
        for row in rows:
            if row["conflict"] in (("c0", "c1") if head else ("c0",)):
                row["sentences"] = [s | dict.fromkeys([head] if head else ["side", "stance"]) for s in row["sentences"]]
        Path(file).write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(InputError, match=rf"^fold-0\d: the articles on c\d have no labels of {words}; label some"):
        cross_validate(recipe, None, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.fixture
def trained(monkeypatch):
    """The folds that were trained; the third is broken off the first time."""
    folds = []
    real = crossval.train

    def counting(fold_recipe, folder, say):
        assert fold_recipe.taught == []
        folds.append(folder.parent.name)
        if len(folds) == 3:
            raise KeyboardInterrupt
        return real(fold_recipe, folder, say)

    monkeypatch.setattr(crossval, "train", counting)
    return folds


def test_it_reports_over_all_folds_and_goes_on_where_it_stopped(recipe, tmp_path, trained, monkeypatch):
    output = tmp_path / "cv"
    learnt = []
    real = evaluate.baseline_answers
    monkeypatch.setattr(evaluate, "baseline_answers", lambda *asked: learnt.append(1) or real(*asked))
    with pytest.raises(KeyboardInterrupt):
        cross_validate(recipe, None, output)
    told = []
    report = cross_validate(recipe, None, output, told.append)
    assert [line for line in told if re.match(r"fold 3 of 3 \(.*\): epoch 1 of \d+, step \d+ of \d+: loss ", line)]
    assert trained == ["fold-01", "fold-02", "fold-03", "fold-03"]
    assert len(learnt) == 3  # baselines learn once a fold
    assert report.heads["side"]["sentences"] == 30
    assert list(report.baselines) == ["majority", "tfidf", "rules"]
    assert report.notes[0] == "articles that a teacher labelled are left out"
    assert report.notes[1].startswith("side: macro-F1 of the folds")
    assert (output / "report.html").is_file()
    folds = [json.loads((output / name / "report.json").read_text()) for name in ("fold-01", "fold-02", "fold-03")]
    pooled = report.to_dict()
    # what is counted in sentences adds up over the folds: baselines, probes and the exchange of names
    for path in (
        ("heads", "stance", "accuracy"),
        ("baselines", "tfidf", "stance", "accuracy"),
        ("baselines", "majority", "side", "accuracy"),
        ("name_swap", "any"),
    ):
        values = [at(fold, path)["value"] for fold in folds]
        assert at(pooled, path)["value"] == pytest.approx(sum(values) / 3), path
    for key in ("sides_removed", "wrong_sides"):
        parts = [fold["probes"][key]["followed"] for fold in folds]
        total = sum(part["sentences"] for part in parts)
        followed = sum(part["sentences"] * (part["value"] or 0) for part in parts)
        assert pooled["probes"][key]["followed"]["sentences"] == total
        assert (pooled["probes"][key]["followed"]["value"] or 0) * total == pytest.approx(followed)
    for key in ("mentions", "matched", "sentences", "articles"):
        assert pooled["name_swap"][key] == sum(fold["name_swap"][key] for fold in folds)
    with pytest.raises(InputError, match="another recipe"):
        cross_validate(recipe.model_copy(update={"seed": 14}), None, output)
    sides = tmp_path / "c0.yaml"
    sides.write_text(sides.read_text().replace('"Norden"', '"Norden", "Nord"'))
    with pytest.raises(InputError, match="another recipe or start, other data, sides"):
        cross_validate(recipe, None, output)
    (output / "plan.json").write_text("{")
    with pytest.raises(InputError, match=r"plan\.json: not valid JSON"):
        cross_validate(recipe, None, output)


def at(content, path):
    for key in path:
        content = content[key]
    return content


def test_folds_of_another_start_are_not_mixed_in(recipe, tmp_path, tiny_model, monkeypatch):
    def stopped(*given):
        raise KeyboardInterrupt

    monkeypatch.setattr(crossval, "train", stopped)
    start = shutil.copytree(tiny_model, tmp_path / "start")
    begun = recipe.model_copy(update={"start": str(start)})
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            cross_validate(begun, None, tmp_path / "folds")
    config = json.loads((start / "config.json").read_text())
    (start / "config.json").write_text(json.dumps(config | {"temperatures": {"side": 2.0}}))
    with pytest.raises(InputError, match="of another recipe or start"):
        cross_validate(begun, None, tmp_path / "folds")


def test_a_folder_of_something_else_is_left_alone(recipe, tmp_path):
    with pytest.raises(InputError, match="holds no cross-validation"):
        cross_validate(recipe, None, tmp_path)
