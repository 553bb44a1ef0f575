"""`whosays predict --engine`: what can be asked for."""

import pytest
from typer.testing import CliRunner
from whosays.cli.app import app


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--engine", "spark"], "--engine 'spark': use local or ray"),
        (["--ray-address", "auto"], "--ray-address is for --engine ray"),
    ],
)
def test_an_engine_that_is_not_there_ends_in_one_line(tmp_path, options, said):
    article = tmp_path / "a.txt"
    article.write_text("Kabul said so.")
    result = CliRunner().invoke(app, ["predict", str(article), "--conflict", "afghanistan", *options])
    assert result.exit_code == 2
    assert result.stderr.startswith(f"whosays: {said}")
    assert result.stderr.count("\n") == 1
