"""The manifest of a run: what it reads, by which model and settings, and what is done. One JSON object a line.

    {"run": {…}}        the first line: format of this file, versions, model and settings, see `label_files`
    {"input": {…}}      path, short (the name in what was given, of which ids are made), bytes and sha256 of each file,
                        in the order in which they are read (the latter null for standard input)
    {"part": {…}}       number, articles, rows, rejects; unmentioned: the articles without a mention of a side;
                        end: the input (from 0) and line up to which it read; files: name and bytes of each;
                        rejects_bytes: length of the rejects file after it
    {"finished": {…}}   inputs, parts, articles, rows and rejects in all; a later run over more inputs goes on after it
    {"output": {…}}     bytes of the single file that the parts became; only in the manifest beside such a file

Lines are only ever added, each on the disk before the next step, so a run costs no more a part at its end than at its
beginning; the part that a lost last line tells of is simply done again. Nothing in it depends on when or how often a
run was started: an interrupted run ends with the same manifest as an undisturbed one.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..files.reading import START, Position
from ..files.writing import sync

MANIFEST = "_manifest.jsonl"
"""Its name in a folder: what reads a folder as one table passes over names that begin so."""
VERSION = 3


@dataclass(frozen=True)
class Input:
    """A file that a run reads; size and hash are None for standard input."""

    path: str
    short: str
    bytes: int | None
    sha256: str | None


@dataclass(frozen=True)
class RunState:
    """Where a run stands: the totals of its parts, and the position in the input up to which they read.

    `published` is the length of the single file that its parts became, None before.
    """

    run: Mapping[str, Any]
    inputs: tuple[Input, ...] = ()
    parts: int = 0
    articles: int = 0
    rows: int = 0
    unmentioned: int = 0
    rejects: int = 0
    rejects_bytes: int = 0
    end: Position = START
    finished: bool = False
    published: int | None = None
    files: Mapping[str, int] = field(default_factory=dict)


def run_of(path: Path) -> dict[str, Any] | None:
    """What the first line of a manifest says of its run; None if there is no file, or one that no run began."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        line = file.readline()
    try:
        run = json.loads(line)["run"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    whole = line.endswith(b"\n") and isinstance(run, dict) and {"whosays", "format", "partition_by"} <= run.keys()
    return run if whole else None


def is_published(file: Path, path: Path) -> bool:
    """Whether a single file is what the run of manifest `path` wrote: it has the length that the last line says."""
    if not file.is_file() or run_of(path) is None:
        return False
    *_, last = path.read_bytes().splitlines(keepends=True)
    try:
        return last.endswith(b"\n") and json.loads(last)["output"]["bytes"] == file.stat().st_size
    except (ValueError, TypeError, KeyError, RecursionError):
        return False


def read_manifest(path: Path) -> RunState | None:
    """Where the run of a manifest stands, None if none was begun. A last line that was cut off is taken away.

    Raises `InputError` if another line is damaged. What is no run's manifest counts as none and stays as it is.
    """
    run = run_of(path)
    if run is None:
        return None
    inputs: list[Input] = []
    files: dict[str, int] = {}
    state = RunState(run)
    whole = 0
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.endswith(b"\n"):
                break
            try:
                [(kind, body)] = json.loads(line).items()
                if kind == "input":
                    inputs.append(Input(**{"short": ""} | body))  # of an older version, which the caller finds out
                    state = replace(state, finished=False)
                elif kind == "part":
                    files |= body["files"]
                    state = after_part(state, body)
                elif kind == "finished":
                    state = replace(state, finished=True)
                elif kind == "output":
                    state = replace(state, published=body["bytes"])
            except (ValueError, TypeError, KeyError, AttributeError):
                raise InputError(
                    f"{path}, line {number}: damaged; give --force to start anew, or another output"
                ) from None
            whole += len(line)
    if whole < path.stat().st_size:
        os.truncate(path, whole)
    return replace(state, inputs=tuple(inputs), files=files)


def after_part(state: RunState, part: Mapping[str, Any]) -> RunState:
    """`state` with one more part; its files are not remembered, which would grow with the run."""
    return replace(
        state,
        parts=state.parts + 1,
        articles=state.articles + part["articles"],
        rows=state.rows + part["rows"],
        unmentioned=state.unmentioned + part.get("unmentioned", 0),
        rejects=state.rejects + part["rejects"],
        rejects_bytes=part["rejects_bytes"],
        end=Position(part["end"]["input"], part["end"]["line"]),
        finished=False,
    )


def append(path: Path, records: Iterable[Mapping[str, Any]]) -> int:
    """Add lines to a file of JSON Lines; they are on the disk when this returns. Returns the file's length.

    What only JSON can say (half of a surrogate pair) is written as an escape.
    """
    new = not path.exists()
    with path.open("ab") as file:
        for record in records:
            file.write(json.dumps(record, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n")
        file.flush()
        os.fsync(file.fileno())
        length = file.tell()
    if new:
        sync(path.parent)
    return length


def differences(old: Any, new: Any, name: str = "") -> Iterator[str]:
    """What differs between two runs' settings, one short text each: "precision was fp32, is bf16"."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in [*old, *(key for key in new if key not in old)]:
            yield from differences(old.get(key), new.get(key), f"{name}.{key}" if name else key)
    elif old != new:
        yield f"{name} was {_short(old)}, is {_short(new)}"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}…"
