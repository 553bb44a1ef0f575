"""A run that was killed goes on, and ends as one that was not."""

import subprocess
import sys
from pathlib import Path

import pytest


def kill(model, folder, *arguments) -> int:
    """How often `killed.py` killed a run; it fails if one did not end as it should."""
    command = [sys.executable, str(Path(__file__).with_name("killed.py")), str(model), str(folder)]
    done = subprocess.run([*command, *map(str, arguments)], capture_output=True, text=True, timeout=1000)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def test_killed_now_and_then(tiny_model, tmp_path):
    assert kill(tiny_model, tmp_path, "every", 7, "jsonl", "folder") >= 10


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet", "folder", "partitions"])
def test_killed_before_every_change_to_a_file(tiny_model, tmp_path, kind):
    assert kill(tiny_model, tmp_path, "every", 1, kind) >= 15


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet", "folder", "partitions"])
def test_killed_at_random_moments(tiny_model, tmp_path, kind):
    assert kill(tiny_model, tmp_path, "random", 12, kind) >= 12
