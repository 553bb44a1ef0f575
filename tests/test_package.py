"""What an install must carry: a wheel built from the tree works on its own."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.slow
def test_a_wheel_carries_everything_and_works(tmp_path):
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", tmp_path, ROOT]
    subprocess.run(build, check=True, timeout=300)
    [wheel] = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"whosays"}
    for needed in (
        "whosays/configs/recipes/default.yaml",
        "whosays/configs/conflicts/afghanistan.yaml",
        "whosays/training/corpus/real.jsonl",
        "whosays/training/corpus/splits.yaml",
        "whosays/training/GUIDELINE.md",
        "whosays/model/packaged/default/model.safetensors",
        "whosays/model/packaged/accurate/model.safetensors",
    ):
        assert needed in names
    target = tmp_path / "site"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", target, wheel]
    subprocess.run(install, check=True, timeout=300)
    code = (
        f"import sys; sys.path.insert(0, {str(target)!r}); import whosays.model as m; assert m.__file__.startswith({str(target)!r});"
        "from whosays.cli.app import main; sys.argv = ['whosays', 'predict', '-', '--conflict', 'afghanistan']; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input=b"Kabul said so.", capture_output=True, cwd=tmp_path, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert b'"article_id": "stdin"' in done.stdout
