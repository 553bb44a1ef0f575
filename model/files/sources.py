"""Which files a run reads: finding them, what they are, and how each is known again.

Files may be text, JSONL, CSV or Parquet, the first three compressed by gzip or zstd too, or a folder that Hugging
Face `datasets` saved. What cannot be what it claims to be is an `InputError` before anything is read.
"""

import csv
import glob
import gzip
import hashlib
import io
import json
import os
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any, NoReturn, TextIO

import pyarrow as pa
import pyarrow.parquet as pq

from ..errors import InputError

STDIN = "-"
READABLE = (".txt", ".jsonl", ".csv", ".parquet")
COMPRESSED = (".gz", ".zst")
"""Endings, in lower case; a file's may be in any."""
DATASET = "dataset"
_STATE = "state.json"
# What a truncated .zst file loses is the block in which its end came too early.
_BLOCK = 16_384
_HEADER = 1_000_000
_ROW_ID = re.compile(r"(.+)-\d+")


@dataclass(frozen=True, slots=True)
class Source:
    """One input: `path` as given or found, "-" for standard input; `short` names it within what was given."""

    path: str
    short: str


def kind(path: str) -> str | None:
    """One of `READABLE`, `DATASET` or `STDIN`; None for anything else."""
    if path == STDIN:
        return STDIN
    base, ending = os.path.splitext(path.lower())  # noqa: PTH122 - called for every file of a large folder
    if ending in COMPRESSED:
        ending = os.path.splitext(base)[1]  # noqa: PTH122
        return ending if ending in READABLE and ending != ".parquet" else None
    if ending in READABLE:
        return ending
    return DATASET if Path(path, _STATE).is_file() and Path(path, "dataset_info.json").is_file() else None


def find_inputs(
    given: Iterable[str], leave_out: Sequence[Path] = (), is_output: Callable[[Path], bool] = lambda path: False
) -> list[Source]:
    """The files that `given` names (files, folders with all below them, globs, "-" for standard input), checked.

    Folders and globs give their readable files in sorted order, without hidden ones. What stands at or below a path
    in `leave_out` (a run's own output) is passed over, even if it is given itself: a shell may have found it. So is
    what `is_output` says is the output of another. A file that is given twice comes once, by a name that is no link if
    it has one, since links move on. Raises `InputError` at what is missing, unreadable, empty of readable files, of an
    unknown kind, or a table without a `text` or `sentences` column, and if nothing is left.
    """
    # With a separator at the end each begins what is below it, and no other name.
    barred = tuple(f"{os.path.realpath(path)}{os.sep}" for path in leave_out)
    found: dict[object, Source] = {}
    given = list(given)
    for name in given:
        for source in _expand(name, barred):
            if source.path == STDIN:
                found.setdefault(STDIN, source)
            elif not is_output(Path(os.path.realpath(source.path))):
                known = _checked(source.path)
                if known not in found or (_is_link(found[known]) and not _is_link(source)):
                    found.pop(known, None)
                    found[known] = source
    if given and not found:
        raise InputError("there is no input besides what runs have written; give others, or write the output elsewhere")
    for source in found.values():
        columns = columns_of(source.path)
        if columns is not None and not {"text", "sentences"} & set(columns):
            raise InputError(
                f"{source.path}: needs a column 'text' or 'sentences'; it has: {', '.join(columns) or 'none'}"
            )
    return list(found.values())


def _is_link(source: Source) -> bool:
    return os.path.islink(source.path)  # noqa: PTH114 - as for all paths here, text


def _checked(path: str) -> tuple[int, int]:
    """What a file is known by, however it is named. Raises `InputError` if it cannot be read."""
    try:
        status = Path(path).stat()
    except OSError as error:  # a link may lead nowhere
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    if not os.access(path, os.R_OK):
        raise InputError(f"{path}: cannot be read: permission denied")
    return status.st_dev, status.st_ino


def _expand(name: str, barred: tuple[str, ...]) -> list[Source]:
    if name == STDIN:
        return [Source(STDIN, "stdin")]
    path = Path(name)
    name = str(path)  # "./news" and "news/" are known as "news" when a run is taken up
    if path.exists():
        if _is_barred(name, barred):
            return []
        if _is_input(name):
            return [Source(name, path.name)]
        if path.is_file():
            raise InputError(
                f"{name}: unknown kind of file; give {', '.join(READABLE)}, all but the last .gz or .zst too"
            )
        paths = sorted(_walk(name, barred))
        if not paths:
            raise InputError(f"{name}: no {', '.join(READABLE)} file in this folder")
        return [Source(found, os.path.relpath(found, name)) for found in paths]
    matches = glob.glob(name, recursive=True)  # noqa: PTH207 - may be absolute
    paths = set(filter(_is_input, matches))
    for path in matches:
        if path not in paths and Path(path).is_dir() and not _is_barred(path, barred):
            paths.update(_walk(path, barred))
    if not paths:
        raise InputError(f"{name}: no such file or folder, or nothing in it that can be read")
    fixed = Path(*Path(name).parts[: _first_magic(name)])
    return [Source(found, os.path.relpath(found, fixed)) for found in sorted(paths) if not _is_barred(found, barred)]


def _is_input(path: str) -> bool:
    """Whether a path is one input by itself: a readable file or a saved dataset, but no folder called like a file."""
    found = kind(path)
    return found == DATASET or (found is not None and not Path(path).is_dir())


def _is_barred(path: str, barred: tuple[str, ...]) -> bool:
    return bool(barred) and f"{os.path.realpath(path)}{os.sep}".startswith(barred)


def _first_magic(pattern: str) -> int:
    return (
        next(n for n, part in enumerate(Path(pattern).parts) if glob.has_magic(part)) if glob.has_magic(pattern) else 0
    )


def _walk(folder: str, barred: tuple[str, ...]) -> Iterator[str]:
    """The readable files and saved datasets below a folder; links to folders are followed, each folder once."""

    def fail(error: OSError) -> NoReturn:
        raise InputError(f"{error.filename}: cannot be read: {error.strerror}") from None

    seen: set[str] = set()
    roots = [folder]
    for root in roots:  # links wait until all that is really here has been found, so that it keeps its own names
        for here, folders, files in os.walk(root, onerror=fail):
            real = os.path.realpath(here)
            if real in seen:
                folders.clear()
                continue
            seen.add(real)
            if here != folder and kind(here) == DATASET:
                folders.clear()
                yield here
                continue
            below = {name: os.path.join(here, name) for name in folders if not name.startswith(".")}  # noqa: PTH118
            below = {name: path for name, path in below.items() if not _is_barred(path, barred)}
            links = {name for name, path in below.items() if os.path.islink(path)}  # noqa: PTH114
            roots += [below[name] for name in sorted(links)]
            folders[:] = [name for name in below if name not in links]
            for name in files:
                path = os.path.join(here, name)  # noqa: PTH118 - called for every file of a large folder
                if not name.startswith(".") and kind(path) and not _is_barred(path, barred):
                    yield path


def source_ids(sources: Sequence[Source]) -> list[str]:
    """What the ids of each source's articles are made of: its short name without ending, unless that is taken.

    The first to come keeps the short one, so sources that are added at the end change no id. A row's article is
    called by its source and line ("news-7"), so next to news.csv a text news-7.txt keeps its ending, and the reverse.
    """
    taken: set[str] = set()
    of_rows: set[str] = set()
    like_rows: set[str] = set()
    ids = []
    for source in sources:
        stem = name = _encodable(source.short)
        for ending in (*COMPRESSED, *READABLE):
            stem = stem[: -len(ending)] if stem.lower().endswith(ending) else stem
        is_text = kind(source.path) == ".txt"
        row = _ROW_ID.fullmatch(stem) if is_text else None
        clashing = {stem} if row and row[1] in of_rows else set() if is_text else like_rows
        names = (stem, name, _encodable(source.path))
        free = (id for id in names if id not in taken and id not in clashing)
        # No name within what was given begins as a whole path does.
        chosen = next(free, _encodable(os.path.abspath(source.path)))  # noqa: PTH100
        taken.add(chosen)
        if row:
            like_rows.add(row[1])
        if not is_text:
            of_rows.add(chosen)
        ids.append(chosen)
    return ids


def _encodable(name: str) -> str:
    """`name`, with escapes for what is no UTF-8: a file's name may hold any bytes."""
    return name.encode("utf-8", "backslashreplace").decode()


def open_bytes(path: str) -> IO[bytes]:
    """The bytes of a file, decompressed if it is compressed. Reading raises `OSError` where the compression breaks."""
    if path.lower().endswith(".gz"):
        return io.BufferedReader(_Gunzipped(gzip.open(path)), _BLOCK)
    if path.lower().endswith(".zst"):
        return io.BufferedReader(pa.input_stream(path, compression="zstd"), _BLOCK)  # type: ignore[arg-type]
    return Path(path).open("rb")


class _Gunzipped(io.RawIOBase):
    """What a .gz file holds, up to where it breaks: zeros at its end, as tapes and block copies leave, are no break."""

    def __init__(self, file: gzip.GzipFile) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        view = memoryview(buffer)
        try:
            read = self._file.read1(len(view))
        except (EOFError, zlib.error) as error:
            raise OSError(str(error)) from error
        view[: len(read)] = read
        return len(read)

    def close(self) -> None:
        self._file.close()
        super().close()


def open_text(path: str) -> TextIO:
    """The text of a file, its line ends untouched; bytes that are not UTF-8 become lone surrogates."""
    return io.TextIOWrapper(open_bytes(path), encoding="utf-8-sig", errors="surrogateescape", newline="")


def columns_of(path: str) -> list[str] | None:
    """A table's columns; None where rows name their own. Raises `InputError` if the table cannot be read."""
    found = kind(path)
    if found == ".csv":
        try:
            with open_text(path) as file:
                columns = next(csv.reader(iter(partial(file.readline, _HEADER), ""), strict=True), [])
            "".join(columns).encode()
        except UnicodeEncodeError:
            raise InputError(f"{path}: not UTF-8 text; convert it first") from None
        except (csv.Error, OSError) as error:
            raise InputError(f"{path}: cannot be read as CSV: {error}") from None
        return columns
    if found == ".parquet":
        try:
            return pq.read_schema(path).names
        except (pa.ArrowException, OSError) as error:
            raise InputError(f"{path}: cannot be read as Parquet: {str(error).splitlines()[0]}") from None
    if found == DATASET:
        try:
            features = json.loads(Path(path, "dataset_info.json").read_text(encoding="utf-8"))["features"]
            return list(features)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path}: cannot be read as a saved dataset: {error!r:.80}") from None
    return None


def fingerprint(path: str) -> tuple[int, str]:
    """Bytes and SHA-256 of a file, or of a saved dataset's data files together. Raises `InputError` if unreadable."""
    digest, size = hashlib.sha256(), 0
    try:
        for name in _data_files(path) if kind(path) == DATASET else [path]:
            with Path(name).open("rb") as file:
                while block := file.read(1 << 20):
                    digest.update(block)
                    size += len(block)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    return size, digest.hexdigest()


def _data_files(folder: str) -> list[Path]:
    try:
        entries = json.loads(Path(folder, _STATE).read_text(encoding="utf-8"))["_data_files"]
        return [Path(folder, entry["filename"]) for entry in entries]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{folder}: cannot be read as a saved dataset: {error!r:.80}") from None
