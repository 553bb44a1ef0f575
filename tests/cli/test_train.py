import json

import pytest
from typer.testing import CliRunner
from whosays.cli.app import app

runner = CliRunner()


@pytest.fixture
def settings(tiny_encoder, gold_file, sides_file):
    changes = {
        "encoder": tiny_encoder, "train": f"[{gold_file}]", "dev": f"[{gold_file}]", "sides": f"[{sides_file}]",
        "max_tokens": 64, "overlap": 16, "epochs": 1, "lora": "null",
    }  # fmt: skip
    return [part for name, value in changes.items() for part in ("--set", f"{name}={value}")]


@pytest.mark.slow
def test_train_then_predict_with_the_run(settings, tmp_path, sides_file, gold_file):
    run = tmp_path / "run"
    result = runner.invoke(app, ["train", "default", "-o", str(run), *settings])
    assert result.exit_code == 0, result.stderr
    assert "macro_f1" in result.stdout
    assert "epoch 1 of 1, step 6 of 538: loss " in result.stderr
    assert "epoch 1: development macro-F1" in result.stderr
    again = runner.invoke(app, ["train", "default", "-o", str(run), *settings])
    assert again.exit_code == 2
    assert "--force" in again.stderr
    rows = runner.invoke(app, ["predict", str(gold_file), "--sides", str(sides_file), "--model", str(run)])
    assert rows.exit_code == 0, rows.stderr
    assert len([json.loads(line) for line in rows.stdout.splitlines()]) == 40


@pytest.mark.parametrize(
    ("args", "part"),
    [
        (["nothing.yaml"], "nothing.yaml"),
        (["default", "--set", "epoch=1"], "unknown key"),
        (["default", "--set", "epochs=0"], "epochs"),
        (["default", "--set", "encoder=./nowhere"], "encoder"),
        (["default", "--set", "train=[no.jsonl]", "--set", "dev=[no.jsonl]"], "no.jsonl"),
        (["default", "--set", "max_tokens=4096"], "max_tokens"),
        (["default", "--set", "start=./nowhere"], "model './nowhere': no such folder"),
        (["default", "--set", "start=default", "--set", "lora.rank=8"], "start 'default': has lora {'alpha': 64,"),
    ],
)
def test_wrong_usage_is_one_line_and_leaves_nothing(args, part, tmp_path):
    run = tmp_path / "run"
    result = runner.invoke(app, ["train", *args, "--output", str(run)])
    assert result.exit_code == 2
    assert part in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert not run.exists()
