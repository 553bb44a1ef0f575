import json

import pytest
from typer.testing import CliRunner
from whosays.cli.app import app

runner = CliRunner()


def rows(gold_file, sides_file, model, *more):
    result = runner.invoke(
        app, ["predict", str(gold_file), "--sides", str(sides_file), "--model", str(model), "--probabilities", *more]
    )
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.mark.parametrize("form", ["merged", pytest.param("onnx", marks=pytest.mark.slow)])
def test_export_then_predict_with_it(tiny_model, tmp_path, gold_file, sides_file, form):
    out = tmp_path / "new" / form
    out.mkdir(parents=True)  # empty, it needs no --force
    result = runner.invoke(app, ["export", str(tiny_model), str(out), "--format", form])
    assert result.exit_code == 0, result.stderr
    told = dict(line.split("\t") for line in result.stdout.splitlines())
    assert int(told["sentences"]) > 500
    assert float(told["largest deviation"]) < 1e-5
    assert float(told["equal labels"]) == 1
    own = rows(gold_file, sides_file, tiny_model, "--precision", "fp32")
    exported = rows(gold_file, sides_file, out, "--precision", "fp32")
    for a, b in zip(own, exported, strict=True):
        assert (a["side"], a["stance"], a["evidence_start"]) == (b["side"], b["stance"], b["evidence_start"])
        for head in ("side", "stance"):
            assert b[f"{head}_probabilities"] == pytest.approx(a[f"{head}_probabilities"], abs=1e-5)
    command = ["export", str(tiny_model), str(out), "--format", form]
    again = runner.invoke(app, command)
    assert again.exit_code == 2
    assert "--force" in again.stderr
    for weights in out.glob("model.*"):  # as an export leaves it that was killed
        weights.unlink()
    assert runner.invoke(app, [*command, "--force"]).exit_code == 0


@pytest.mark.parametrize(
    ("args", "part"),
    [
        (["default", "out", "--format", "pickle"], "use merged or onnx"),
        (["nowhere", "out", "--format", "merged"], "nowhere"),
        (["default", "file", "--force", "--format", "onnx"], "is a file"),
        (["default", ".", "--force", "--format", "onnx"], "holds no model"),
        (["default", ".", "--format", "onnx"], "holds no model"),
    ],
)
def test_wrong_usage_is_one_line_and_leaves_nothing(args, part, tmp_path, monkeypatch):
    def early(*_):
        raise AssertionError("the articles are read before all else is known to be right")

    monkeypatch.setattr("whosays.training.corpus.packaged_split", early)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("mine")
    result = runner.invoke(app, ["export", *args])
    assert result.exit_code == 2
    assert part in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
