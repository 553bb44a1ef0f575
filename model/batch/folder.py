"""The folder that a run works in: its lock, its parts, its rejects, and how they become the output.

An output that is one file has its parts in a hidden folder beside it, which goes away once they are joined; its
manifest stays beside the file. Nothing in a folder is ever touched that a run did not put there: a folder is a run's
if it has the manifest of one, whatever the names of its files.
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

from ..errors import InputError
from ..files.writing import FORMATS, check_parent, join_files, partial_name, replacing, sync, write_rows
from ..predictor import Job
from .layout import Layout, has_mentions, kept_value
from .manifest import MANIFEST, RunState, append, is_published, run_of
from .parts import LabelledPart

REJECTS = "_rejects.jsonl"
_LOCK = ".lock"
# What a run leaves that is killed as it begins, and as it clears the folder.
_BEGUN = partial_name(MANIFEST)
_CLEARED = f".{MANIFEST}.cleared"
_PART = re.compile(rf"part-\d{{5,}}\.({'|'.join(FORMATS)})")
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

    def partition(self, job: Job) -> str | None:
        """The folder that an article's rows go to, None without partitions. Raises `InputError` if it has no name."""
        if self.partition_by is None:
            return None
        value = kept_value(job, self.partition_by)
        name = _partition_name(self.partition_by, _NO_VALUE if value in (None, "") else quote(str(value), safe=" "))
        if len(name) > _LONGEST_NAME:
            raise InputError(f"{self.partition_by}: too long for the name of a folder, got {value!r:.60}")
        return name

    @property
    def output(self) -> Path:
        """What the user named."""
        return self.file or self.folder

    @property
    def manifest(self) -> Path:
        """Where the manifest is when the run has finished; until then it is in the folder."""
        return _beside(self.file, MANIFEST) if self.file else self.folder / MANIFEST

    @property
    def rejects(self) -> Path:
        """Where the rejects are when the run has finished, if there are any."""
        return _beside(self.file, REJECTS) if self.file else self.folder / REJECTS


def _beside(file: Path, name: str) -> Path:
    """Where what is called `name` in a folder of parts stands if the output is a single file."""
    return file.with_name(f"{file.name}.{name.removeprefix('_')}")


def is_output(path: Path) -> bool:
    """Whether a run wrote this file: in its folder, in a partition of that, or as a single file or beside one.

    A single file counts while it has the length that its run's manifest tells: else somebody has put another there.
    """
    try:
        if path.name in (MANIFEST, REJECTS) or _PART.fullmatch(path.name):
            return any(run_of(folder / MANIFEST) for folder in (path.parent, path.parent.parent))
        for own in (MANIFEST, REJECTS):
            ending = f".{own.removeprefix('_')}"
            if path.name.endswith(ending) and path.name != ending:
                return run_of(_beside(path.with_name(path.name.removesuffix(ending)), MANIFEST)) is not None
        return is_published(path, _beside(path, MANIFEST))
    except OSError:  # no manifest can have so long a name, or nobody may read it
        return False


def run_place(output: Path, format: str | None = None, partition_by: str | None = None) -> Place:
    """The place of a run for an output: a file that ends as `FORMATS` says, or a folder of parts in `format`.

    Raises `InputError` if it can be neither or its own folder does not exist.
    """
    if format is not None and format not in FORMATS:
        raise InputError(f"format '{format}': use {', '.join(FORMATS)}")
    check_parent(output)
    ending = output.suffix.removeprefix(".")
    if ending in FORMATS:
        if output.is_dir():
            raise InputError(f"{output}: is a folder; give a file, or a folder without this ending")
        if format not in (None, ending):
            raise InputError(f"{output}: ends in .{ending}, but the format is {format}; leave one of them out")
        if partition_by is not None:
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
    ours = place.file is not None or not place.folder.exists()
    place.folder.mkdir(exist_ok=True)
    lock = FileLock(place.folder / _LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise InputError(f"{place.output}: another run is writing it; wait for that one to end") from None
    try:
        yield
    finally:
        if place.folder.is_dir() and run_of(place.folder / MANIFEST) is None:
            (place.folder / _LOCK).unlink(missing_ok=True)
            if ours:
                with suppress(OSError):  # what others have put there stays
                    place.folder.rmdir()
        lock.release()


def check_free(place: Place, force: bool) -> None:
    """Raise `InputError` if something stands where a new run would write, in whose folder there is no manifest of one.

    `force` is for the file and what goes beside it; what others have in the folder is never replaced.
    """
    if place.file and not force:
        beside = () if run_of(place.manifest) else (place.rejects, place.manifest)
        taken = next((path for path in (place.file, *beside) if path.exists()), None)
        if taken:
            raise InputError(f"{taken}: exists already; give --force to replace it")
    if run_of(place.folder / _CLEARED):
        return
    foreign = next((path for path in place.folder.iterdir() if path.name not in (_LOCK, _BEGUN)), None)
    if foreign:
        way = "remove it, or give another output" if place.file else "give a new folder"
        raise InputError(
            f"{place.folder}: is not a folder that `whosays predict` wrote, it holds '{foreign.name}'; {way}"
        )


def clear(place: Place) -> None:
    """Take away all that a run left in its folder; without a run's manifest there, nothing.

    The manifest is set aside first, so that the rest is no run to be taken up, and goes last, so that what is left
    when this is interrupted is still known to be a run's.
    """
    (place.folder / _BEGUN).unlink(missing_ok=True)
    if run_of(place.folder / MANIFEST):
        (place.folder / MANIFEST).replace(place.folder / _CLEARED)
    run = run_of(place.folder / _CLEARED)
    if run is None:
        return
    (place.folder / REJECTS).unlink(missing_ok=True)
    _remove_parts(place.folder, run["partition_by"], rf"part-\d{{5,}}\.{run['format']}")
    (place.folder / _CLEARED).unlink()


def mend(place: Place, state: RunState) -> None:
    """Bring the folder of an interrupted run to what its manifest says: a part that it does not list yet goes.

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
    _remove_parts(place.folder, place.partition_by, re.escape(_part_name(place, state.parts)))


def _remove_parts(folder: Path, partition_by: str | None, pattern: str) -> None:
    """Remove parts with such names, whole or partial, from a run's folder and its partitions, and these once empty."""
    ours = re.compile(rf"{pattern}|\.{pattern}\.partial")
    begin = _partition_name(partition_by, "") if partition_by is not None else None
    partitions = [path for path in folder.iterdir() if begin and path.name.startswith(begin) and path.is_dir()]
    for here in [folder, *partitions]:
        for path in here.iterdir():
            if ours.fullmatch(path.name):
                path.unlink()
        if here != folder and not any(here.iterdir()):
            here.rmdir()


def write_part(
    place: Place, state: RunState, labelled: LabelledPart, layout: Layout, schema: pa.Schema
) -> dict[str, Any]:
    """Write the rows and rejects of a part, whole and on the disk. Returns what the manifest says of it."""
    part = labelled.part
    name = _part_name(place, part.number)
    groups = defaultdict(list) if place.partition_by is not None else {name: []}
    for job, predictions in zip(part.jobs, labelled.articles, strict=True):
        partition = place.partition(job)
        groups[name if partition is None else f"{partition}/{name}"].append((job, predictions))
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
        "unmentioned": sum(not has_mentions(*pair) for pair in zip(part.jobs, labelled.articles, strict=True)),
        "rejects": len(part.rejects),
        "rejects_bytes": rejects_bytes,
        "end": {"input": part.end.source, "line": part.end.line},
        "files": files,
    }


def _part_name(place: Place, number: int) -> str:
    return f"part-{number:05}.{place.format}"


def _partition_name(column: str, value: str) -> str:
    return f"{quote(column, safe=' ')}={value}"


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
    names = (place.folder / _part_name(place, number) for number in range(state.parts))
    join_files(names, place.file, place.format, schema)
    with replacing(place.manifest) as partial:
        shutil.copyfile(place.folder / MANIFEST, partial)
        append(partial, [{"output": {"bytes": place.file.stat().st_size}}])
    clear(place)
