import json
import re
import shutil
from dataclasses import replace

import pytest
from systems import perfect
from typer.testing import CliRunner
from whosays.cli.app import app
from whosays.model.checkpoint import model_folder, new_model
from whosays.model.encoders import hub_name
from whosays.model.labels import DEFAULT_SCHEME, Head, Scheme
from whosays.model.predictor import Predictor
from whosays.training.card import model_card
from whosays.training.evaluation.evaluate import System, evaluate
from whosays.training.evaluation.judged import Answer
from whosays.training.evaluation.report import num
from whosays.training.fit import train
from whosays.training.recipe import Recipe

runner = CliRunner()
METRICS = {"development": {"macro_f1": 0.5}, "epochs": [{"macro_f1": 0.5}], "temperatures": {}}
"""The least that a training leaves."""


@pytest.fixture
def run_folder(tiny_encoder, gold_file, sides_file, tmp_path):
    recipe = Recipe(
        encoder=str(tiny_encoder), train=[str(gold_file)], dev=[str(gold_file)], sides=[str(sides_file)],
        max_tokens=128, overlap=32, epochs=1,
    )  # fmt: skip
    train(recipe, tmp_path / "run")
    return tmp_path / "run"


def test_a_card_says_what_an_evaluation_found(run_folder, gold_file, sides_file, tmp_path):
    report = tmp_path / "report"
    evaluate = ["evaluate", str(run_folder), str(gold_file), "--sides", str(sides_file), "--output", str(report)]
    assert runner.invoke(app, evaluate).exit_code == 0
    before = (run_folder / "README.md").read_text()
    assert "How good it is" not in before
    assert "choices are worth" not in before
    (run_folder / "ablation.md").write_text("Less of everything: less.\n")
    done = runner.invoke(app, ["card", str(run_folder), str(report)])
    assert done.exit_code == 0, done.stderr
    card = (run_folder / "README.md").read_text()
    found = json.loads((report / "report.json").read_text())
    for head in ("side", "stance"):
        figures = found["heads"][head]
        assert f"{figures['macro_f1']['value']:.3f} [" in card
        assert f"{figures['calibration']['ece']['value']:.3f}" in card
        assert all(
            f"{num(row['macro_f1'])} ({row['threshold']:.2f})" in card for row in figures["risk_coverage"]["kept"]
        )
    assert f"when two sides exchange their names: side {found['name_swap']['heads']['side']['value']:.3f} [" in card
    assert f"a gap of {found['heads']['side']['between_sides']['gap']['value']:.3f}" in card
    assert re.search(r"\n## Speed\n\n[1-9]\d* sentences a second on \d+ cores", card)
    assert "epochs: 1" in card
    assert card.endswith("## What its choices are worth\n\nLess of everything: less.\n")
    assert card.startswith("---\n")
    assert "license" not in card, "what somebody else's articles and encoder allow is not ours to say"
    assert "packaged corpus" not in card
    assert "not for judging what is true".lower() in card.lower()


def test_a_card_needs_the_metrics_of_its_training(run_folder, gold_file, sides_file, tmp_path):
    report = tmp_path / "report"
    evaluate = ["evaluate", str(run_folder), str(gold_file), "--sides", str(sides_file), "--output", str(report)]
    assert runner.invoke(app, evaluate).exit_code == 0
    (run_folder / "metrics.json").write_text("{}")
    done = runner.invoke(app, ["card", str(run_folder), str(report)])
    assert done.exit_code == 2
    assert "metrics.json: has no 'development'" in done.stderr


def test_a_report_on_another_model_is_refused(run_folder, gold_file, sides_file, tmp_path):
    copy, report = tmp_path / "elsewhere" / run_folder.name, tmp_path / "report"
    shutil.copytree(run_folder, copy)
    evaluate = ["evaluate", str(copy), str(gold_file), "--sides", str(sides_file), "--output", str(report)]
    assert runner.invoke(app, evaluate).exit_code == 0
    assert runner.invoke(app, ["card", str(run_folder), str(report)]).exit_code == 0  # it is the same model
    config = json.loads((run_folder / "config.json").read_text())
    (run_folder / "config.json").write_text(json.dumps(config | {"temperatures": {"side": 3.0}}))
    done = runner.invoke(app, ["card", str(run_folder), str(report)])
    assert done.exit_code == 2
    assert "evaluate this model first" in done.stderr
    content = json.loads((report / "report.json").read_text())
    del content["model_sha256"]  # as reports were before
    (report / "report.json").write_text(json.dumps(content))
    done = runner.invoke(app, ["card", str(copy), str(report)])
    assert done.exit_code == 2
    assert "run `whosays evaluate` again" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    done = runner.invoke(app, ["card", str(run_folder), str(tmp_path)])
    assert done.exit_code == 2
    assert "no report here" in done.stderr


def test_a_baseline_without_a_head_has_a_dash_in_its_column(articles):
    frames = ("war|strife", "peace", "war|strife", "peace", "war|strife")
    scheme = Scheme((*DEFAULT_SCHEME.heads, Head("frame", ("war|strife", "peace"))))
    labelled = [replace(item, labels=item.labels | {"frame": frames}) for item in articles]
    given = [
        [Answer({**row.labels, "frame": frame}, {}, {}) for row, frame in zip(rows, frames, strict=True)]
        for rows in perfect(articles)
    ]
    report = evaluate(System("it", scheme), labelled, [], given).to_dict()
    card = model_card(Recipe(scheme=scheme.to_dict()), METRICS, labelled, report)
    assert "| macro-F1 | side | stance | frame |" in card
    assert re.search(r"\| cue-word rules \|[^|]*\d [^|]*\|[^|]*\d [^|]*\| – \|", card)
    assert r"| frame | war\|strife | 1.000" in card, "a label must not end its cell"


def test_a_card_names_the_files_that_a_teacher_labelled_and_claims_no_licence_or_language_for_them(articles):
    packaged = model_card(Recipe(taught=["packaged"]), METRICS, articles)
    assert "---\nlicense: apache-2.0\nlanguage: en\nlibrary_name" in packaged
    own = model_card(Recipe(taught=["packaged", "mine.jsonl.gz"]), METRICS, articles)
    assert own.startswith("---\nlibrary_name")
    data = own.partition("## What it learnt from\n\n")[2].partition("\n\n")[0]
    assert data.startswith(
        "The training conflicts of the packaged corpus and articles that larger models labelled (`taught`) and "
        "the files mine.jsonl.gz, which a model labelled (`taught`). The packaged corpus is"
    )


def test_a_card_names_the_model_that_training_began_with(articles, tiny_model):
    packaged = model_card(Recipe(start="default"), METRICS, articles)
    assert "\nlicense: apache-2.0" in packaged
    assert "packaged corpus. It began with the weights of the model `default`. The packaged corpus is" in packaged
    assert "license" not in model_card(Recipe(start="runs/mine"), METRICS, articles), "its data may be anybody's"
    assert "license" not in model_card(Recipe(start=str(tiny_model)), METRICS, articles)


def test_a_card_describes_the_probes_that_are_made(articles, tiny_encoder, tiny_model):
    system = System("it", DEFAULT_SCHEME, Predictor.load(str(tiny_model), "fp32"))
    card = model_card(Recipe(), METRICS, articles, evaluate(system, articles, []).to_dict())
    expected = "Without sides, or with each side's words given to another, its sides should fall far;"
    assert expected in card
    assert "`side` as a class" in card
    for name in ("accurate", "default"):
        assert expected in (model_folder(name) / "README.md").read_text()

    scheme = Scheme((DEFAULT_SCHEME["stance"],))
    model, tokenizer = new_model(str(tiny_encoder), scheme=scheme, max_tokens=128, overlap=32)
    system = System("it", scheme, Predictor(model, tokenizer, precision="fp32"))
    card = model_card(Recipe(scheme=scheme.to_dict()), METRICS, articles, evaluate(system, articles, []).to_dict())
    assert "\nEach sentence alone shows what" in card
    for words in ("its sides", "order of the sides", "`side` as a class"):
        assert words not in card


def test_encoders_are_named_as_the_hub_knows_them(tmp_path):
    assert hub_name("mpnet") == "sentence-transformers/all-mpnet-base-v2"
    assert hub_name("someone/encoder") == "someone/encoder"
    assert hub_name(str(tmp_path)) == ""
