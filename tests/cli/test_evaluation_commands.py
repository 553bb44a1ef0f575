"""The commands evaluate, compare and crossval, as a user types them."""

import json
import re
import shutil

import pytest
from typer.testing import CliRunner
from whosays.cli.app import app
from whosays.training.evaluation import gold
from whosays.training.recipe import Recipe, dump_recipe


@pytest.fixture
def call(monkeypatch):
    monkeypatch.setattr(gold, "packaged_split", lambda *asked: [])
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def predictions(gold_file, tmp_path):
    """All right but the first sentence of each article."""
    path = tmp_path / "mine.jsonl"
    with path.open("w") as file:
        for line in gold_file.read_text().splitlines():
            row = json.loads(line)
            for n, sentence in enumerate(row["sentences"]):
                side = sentence["side"] if n else "other"
                file.write(json.dumps({"article_id": row["id"], "index": n, "side": side}) + "\n")
    return path


def test_a_model_is_reported_and_not_overwritten(call, tiny_model, gold_file, sides_file, tmp_path):
    arguments = ("evaluate", tiny_model, gold_file, "--sides", sides_file, "--output", tmp_path / "r")
    result = call(*arguments)
    assert result.exit_code == 0, result.output
    assert "| side macro-F1 |" in result.stdout
    assert (tmp_path / "r/report.html").is_file()
    result = call(*arguments)
    assert result.exit_code == 2
    assert "--force" in result.stderr
    assert call(*arguments, "--force").exit_code == 0


def test_what_a_teacher_labelled_for_the_model_is_told(call, tiny_model, gold_file, sides_file, tmp_path):
    shutil.copytree(tiny_model, tmp_path / "model")
    others = tmp_path / "others.jsonl"
    others.write_text(gold_file.read_text().replace('"id": "a', '"id": "b'))
    files = {"train": [str(others)], "dev": [str(others)], "sides": [str(sides_file)]}
    told = {}
    for taught in (gold_file, "nowhere.jsonl"):
        recipe = Recipe(**files, taught=[str(taught)])
        (tmp_path / "model/recipe.yaml").write_text(dump_recipe(recipe))
        result = call("evaluate", tmp_path / "model", gold_file, "--sides", sides_file)
        assert result.exit_code == 0, result.output
        told[taught] = result.stdout
        assert "TF-IDF" in result.stdout  # learnt from the others
    seen = "8 of these articles are in the training data, so the model's figures may be too kind"
    assert seen in told[gold_file]
    assert seen not in told["nowhere.jsonl"]
    assert "nowhere.jsonl: no such file" in told["nowhere.jsonl"]


def test_what_the_start_of_training_had_learnt_is_told(call, tiny_model, gold_file, sides_file, tmp_path):
    start, model = (shutil.copytree(tiny_model, tmp_path / name) for name in ("start", "model"))
    others = tmp_path / "others.jsonl"
    others.write_text(gold_file.read_text().replace('"id": "a', '"id": "b'))
    seen, unseen = ({"train": [str(f)], "dev": [str(f)], "sides": [str(sides_file)]} for f in (gold_file, others))
    (model / "recipe.yaml").write_text(dump_recipe(Recipe(**unseen, start=str(start))))
    (start / "recipe.yaml").write_text(dump_recipe(Recipe(**seen, start=str(model))))
    told = call("evaluate", model, gold_file, "--sides", sides_file).stdout
    assert "8 of these articles are in the training data, so the model's figures may be too kind" in told
    assert "8 of these articles are in the development data" in told
    assert re.search("start', the start of training, went on from '.*model': what that learnt is not told", told)
    (start / "recipe.yaml").unlink()
    told = call("evaluate", model, gold_file, "--sides", sides_file).stdout
    assert "start', the start of training, learnt from cannot be read" in told


def test_a_recipe_says_what_the_labels_of_predictions_are(call, gold_file, sides_file, tmp_path):
    tones = [json.loads(line.replace('"stance"', '"tone"')) for line in gold_file.read_text().splitlines()]
    data, recipe, given = tmp_path / "data.jsonl", tmp_path / "recipe.yaml", tmp_path / "given.jsonl"
    for row in tones:
        for n, sentence in enumerate(row["sentences"]):
            sentence["tone"] = "angry" if n == 1 else "calm"
    data.write_text("".join(json.dumps(row) + "\n" for row in tones))
    given.write_text(
        "".join(
            json.dumps({"article_id": row["id"], "index": n, "tone": sentence["tone"]}) + "\n"
            for row in tones
            for n, sentence in enumerate(row["sentences"])
        )
    )
    scheme = {"side": {"labels": ["none", "other", "both"], "points": True}, "tone": {"labels": ["calm", "angry"]}}
    others = tmp_path / "others.jsonl"
    others.write_text(data.read_text().replace('"id": "a', '"id": "b'))
    files = {"train": [str(others)], "dev": [str(data)], "sides": [str(sides_file)]}
    recipe.write_text(dump_recipe(Recipe(**files, scheme=scheme)))
    result = call("evaluate", "--predictions", given, recipe, data, "--fail-under", "tone.macro_f1=1")
    assert result.exit_code == 0, result.output
    assert "| system | tone macro-F1 | tone accuracy |" in result.stdout
    assert "TF-IDF" in result.stdout  # learnt from the recipe's articles
    assert "development data" not in result.stdout, "the recipe's model is not judged"
    result = call("evaluate", "--predictions", given, recipe)
    assert result.exit_code == 2
    assert "recipe.yaml" in result.stderr
    result = call("evaluate", "--predictions", given, tmp_path / "other.yaml", data)
    assert result.exit_code == 2
    assert "other.yaml': no such file" in result.stderr


def test_predictions_are_scored_without_a_model_and_gates_decide(call, predictions, gold_file, sides_file):
    arguments = ("evaluate", "--predictions", predictions, gold_file, "--sides", sides_file)
    result = call(*arguments, "--fail-under", "side.accuracy=0.8")
    assert result.exit_code == 0, result.output
    assert "0.800" in result.stdout
    result = call(*arguments, "--fail-under", "side.accuracy=0.81")
    assert result.exit_code == 1
    assert "side.accuracy is 0.8000, below 0.81" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["evaluate", "MODEL"], "no data to judge on"),
        (["evaluate", "MODEL", "nowhere.jsonl"], "nowhere.jsonl: no such file"),
        (["evaluate", "nowhere", "GOLD"], "no such folder"),
        (["evaluate", "MODEL", "GOLD"], "unknown conflict 'strait'"),
        (["evaluate", "MODEL", "GOLD", "--fail-under", "x"], "FIGURE=NUMBER"),
        (["evaluate", "--predictions", "nowhere.jsonl", "GOLD", "--sides", "SIDES"], "no such file"),
        (["compare", "nowhere", "nowhere"], "no report here"),
        (["crossval", "nowhere", "--output", "x"], "recipe 'nowhere'"),
        (["crossval", "default", "--by", "outlet", "--output", "x"], "use conflict"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(call, tiny_model, gold_file, sides_file, arguments, message):
    paths = {"MODEL": tiny_model, "GOLD": gold_file, "SIDES": sides_file}
    result = call(*(paths.get(argument, argument) for argument in arguments))
    assert result.exit_code == 2
    assert message in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_an_unknown_gate_fails_before_the_work_and_a_low_figure_after_all_files_are_written(
    call, tiny_model, gold_file, sides_file, tmp_path
):
    arguments = ("evaluate", tiny_model, gold_file, "--sides", sides_file, "--output", tmp_path / "r")
    result = call(*arguments, "--fail-under", "side.macrof1=0.5")
    assert result.exit_code == 2
    assert "no figure 'side.macrof1'" in result.stderr
    assert not (tmp_path / "r").exists()
    result = call(*arguments, "--fail-under", "side.macro_f1=1.5")
    assert result.exit_code == 1
    assert "below 1.5" in result.stderr
    assert sorted(path.name for path in (tmp_path / "r").iterdir()) == [
        "predictions.jsonl", "report.html", "report.json", "report.md",
    ]  # fmt: skip


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
def test_what_predict_writes_scores_as_the_model_itself(call, tiny_model, gold_file, sides_file, tmp_path, ending):
    file = tmp_path / f"labels.{ending}"
    result = call(
        "predict", gold_file, "--sides", sides_file, "--model", tiny_model, "--probabilities", "--output", file
    )
    assert result.exit_code == 0, result.output
    asked = ("--sides", sides_file, "--output")
    result = call("evaluate", "--predictions", file, gold_file, *asked, tmp_path / "file")
    assert result.exit_code == 0, result.output
    call("evaluate", tiny_model, gold_file, *asked, tmp_path / "model")
    one, two = (json.loads((tmp_path / name / "report.json").read_text())["heads"] for name in ("file", "model"))
    for head, figures in one.items():
        for name in ("macro_f1", "accuracy", "kappa"):
            assert figures[name] == two[head][name]
        ece, expected = (figures["calibration"]["ece"]["value"] for figures in (figures, two[head]))
        assert ece == pytest.approx(expected, abs=1e-4)
    assert list(one) == ["side", "stance"]


def test_comparison(call, predictions, gold_file, sides_file, tmp_path):
    rows = predictions.read_text().replace('"other"', '"none"')
    (tmp_path / "other.jsonl").write_text(rows)
    for name, file in (("a", predictions), ("b", tmp_path / "other.jsonl")):
        call("evaluate", "--predictions", file, gold_file, "--sides", sides_file, "--output", tmp_path / name)
    result = call("compare", tmp_path / "a", tmp_path / "b", "--output", tmp_path / "c")
    assert result.exit_code == 0, result.output
    assert "# other.jsonl against mine.jsonl" in result.stdout
    assert (tmp_path / "c/comparison.json").is_file()
    assert call("compare", tmp_path / "a", tmp_path / "b", "--output", tmp_path / "c").exit_code == 2
