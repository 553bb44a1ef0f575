"""The folder that a run works in: its lock, its parts, its rejects, and how they become the output.

An output that is one file has its parts in a hidden folder beside it, which goes away once they are joined; its
manifest stays beside the file. Nothing in a folder is ever touched that a run did not put there.
"""

import os
import re
import shutil
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa
from filelock import FileLock, Timeout

from ..errors import InputError, WorkError
from ..files.writing import FORMATS, join_files, replacing, sync, write_rows
from .layout import Layout, kept_value
from .manifest import MANIFEST, RunState, append
from .parts import LabelledPart

REJECTS = "rejects.jsonl"
_LOCK = ".lock"
_PART = re.compile(r"\.?part-\d{5,}\.(?:jsonl|csv|parquet)(?:\.partial)?")
_OURS = (MANIFEST, REJECTS, _LOCK)
_LONGEST_NAME = 255
_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True)
class Place:
    """Where a run works: `folder` holds its parts; `file` is the single file they become, None if they stay parts.

    `partition_by` names a column of the input whose value is the folder that an article's rows go to, as Hive has
    it: `conflict=kashmir/part-00000.parquet`.
    """

    folder: Path
    file: Path | None
    format: str
    partition_by: str | None = None

    @property
    def output(self) -> Path:
        """What the user named."""
        return self.file or self.folder

    @property
    def manifest(self) -> Path:
        """Where the manifest is when the run has finished; until then it is in the folder."""
        return self.file.with_name(f"{self.file.name}.{MANIFEST}") if self.file else self.folder / MANIFEST

    @property
    def rejects(self) -> Path:
        """Where the rejects are when the run has finished, if there are any."""
        return self.file.with_name(f"{self.file.name}.{REJECTS}") if self.file else self.folder / REJECTS


def run_place(output: Path, format: str | None = None, partition_by: str | None = None) -> Place:
    """The place of a run for an output: a file that ends as `FORMATS` says, or a folder of parts in `format`.

    Raises `InputError` if it can be neither or its own folder does not exist.
    """
    if format is not None and format not in FORMATS:
        raise InputError(f"format '{format}': use {', '.join(FORMATS)}")
    if not output.absolute().parent.is_dir():
        raise InputError(f"{output}: the folder {output.parent} does not exist; make it first")
    ending = output.suffix.removeprefix(".")
    if ending in FORMATS:
        if output.is_dir():
            raise InputError(f"{output}: is a folder; give a file, or a folder without this ending")
        if format not in (None, ending):
            raise InputError(f"{output}: ends in .{ending}, but the format is {format}; leave one of them out")
        if partition_by:
            raise InputError(f"{output}: partitions need a folder; give one, and the format beside it")
        return Place(output.with_name(f".{output.name}.parts"), output, ending)
    if output.is_file() or (ending and format is None and not output.is_dir()):
        raise InputError(
            f"{output}: unknown kind of output; end it in {', '.join(f'.{name}' for name in FORMATS)}, "
            "or give a folder and its format"
        )
    return Place(output, None, format or "jsonl", partition_by)


@contextmanager
def locked(place: Place) -> Iterator[None]:
    """Hold the run's folder, made if need be, against other runs. Without a run in it at the end, it is as before.

    Raises `InputError` if another run has it.
    """
    place.folder.mkdir(exist_ok=True)
    lock = FileLock(place.folder / _LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise InputError(f"{place.output}: another run is writing it; wait for that one to end") from None
    try:
        yield
    finally:
        if place.folder.is_dir() and not (place.folder / MANIFEST).exists():
            (place.folder / _LOCK).unlink(missing_ok=True)
            with suppress(OSError):  # what others have put there stays
                place.folder.rmdir()
        lock.release()


def check_free(place: Place, force: bool) -> None:
    """Raise `InputError` if something stands where a new run would write."""
    if place.file and place.file.exists() and not force:
        raise InputError(f"{place.file}: exists already; give --force to replace it")
    foreign = next((p for p in place.folder.iterdir() if p.name not in _OURS and not _is_ours(p)), None)
    if foreign:
        raise InputError(f"{place.folder}: is not the folder of a run, it holds '{foreign.name}'; give a new folder")


def _is_ours(path: Path) -> bool:
    return bool(_PART.fullmatch(path.name)) or (
        path.is_dir() and "=" in path.name and all(_PART.fullmatch(inner.name) for inner in path.iterdir())
    )


def clear(place: Place) -> None:
    """Take away all that a run left in its folder; its manifest first, so that the rest is no run to be taken up."""
    (place.folder / MANIFEST).unlink(missing_ok=True)
    (place.folder / REJECTS).unlink(missing_ok=True)
    _remove_strays(place, {})


def mend(place: Place, state: RunState) -> None:
    """Bring the folder of an interrupted run to what its manifest says.

    Raises `InputError` if something that the manifest lists is missing or has another length.
    """
    for name, size in state.files.items():
        path = place.folder / name
        if not path.is_file() or path.stat().st_size != size:
            raise InputError(f"{path}: is missing or damaged; put it back, or give --force to start anew")
    rejects = place.folder / REJECTS
    if (rejects.stat().st_size if rejects.exists() else 0) < state.rejects_bytes:
        raise InputError(f"{rejects}: is missing or damaged; put it back, or give --force to start anew")
    if rejects.exists():
        os.truncate(rejects, state.rejects_bytes)
        if not state.rejects_bytes:
            rejects.unlink()
    _remove_strays(place, state.files)


def _remove_strays(place: Place, known: Any) -> None:
    for folder in [place.folder, *(path for path in place.folder.iterdir() if path.is_dir() and "=" in path.name)]:
        for path in folder.iterdir():
            if _PART.fullmatch(path.name) and str(path.relative_to(place.folder)) not in known:
                path.unlink()
        if folder != place.folder and not any(folder.iterdir()):
            folder.rmdir()


def write_part(
    place: Place, state: RunState, labelled: LabelledPart, layout: Layout, schema: pa.Schema
) -> dict[str, Any]:
    """Write the rows and rejects of a part, whole and on the disk. Returns what the manifest says of it."""
    part = labelled.part
    name = f"part-{part.number:05}.{place.format}"
    groups = defaultdict(list) if place.partition_by else {name: []}
    for job, predictions in zip(part.jobs, labelled.articles, strict=True):
        groups[_partition(place, job, name)].append((job, predictions))
    rows, files = 0, {}
    for file, articles in groups.items():
        path = place.folder / file
        if not path.parent.is_dir():
            path.parent.mkdir()
            sync(place.folder)
        rows += write_rows((row for pair in articles for row in layout.rows(*pair)), path, place.format, schema)
        files[file] = path.stat().st_size
    rejects_bytes = state.rejects_bytes
    if part.rejects:
        rejects_bytes = append(place.folder / REJECTS, map(asdict, part.rejects))
    return {
        "number": part.number,
        "articles": len(part.jobs),
        "rows": rows,
        "rejects": len(part.rejects),
        "rejects_bytes": rejects_bytes,
        "end": {"input": part.end.source, "line": part.end.line},
        "files": files,
    }


def _partition(place: Place, job: Any, name: str) -> str:
    if place.partition_by is None:
        return name
    value = kept_value(job, place.partition_by)
    text = _NO_VALUE if value in (None, "") else quote(str(value), safe=" ")
    folder = f"{quote(place.partition_by, safe=' ')}={text}"
    if len(folder) > _LONGEST_NAME:
        raise WorkError(
            f"article '{job[0].id}': its {place.partition_by} is too long for a folder's name; "
            "partition by another column"
        )
    return f"{folder}/{name}"


def publish(place: Place, state: RunState, schema: pa.Schema) -> None:
    """Make the output of a finished run what the user named; where that is the folder, it is there already.

    May be done again after it was interrupted.
    """
    if place.file is None:
        return
    if state.rejects:
        with replacing(place.rejects) as partial:
            shutil.copyfile(place.folder / REJECTS, partial)
    else:
        place.rejects.unlink(missing_ok=True)
    names = (place.folder / f"part-{number:05}.{place.format}" for number in range(state.parts))
    join_files(names, place.file, place.format, schema)
    with replacing(place.manifest) as partial:
        shutil.copyfile(place.folder / MANIFEST, partial)
        append(partial, [{"output": {"bytes": place.file.stat().st_size}}])
    clear(place)
