"""Runs that are killed, in a process of its own that starts once and forks for every attempt.

    python killed.py MODEL FOLDER every STRIDE KIND…    killed before every STRIDE-th change to a file, for each kind
    python killed.py MODEL FOLDER random COUNT KIND…    killed at random moments, COUNT times for each kind

After each kill the same run is started again, and its output has to be that of a run that nothing disturbed, byte for
byte. It prints how often it killed; a kind is one of `KINDS`.
"""

import json
import os
import random
import shutil
import signal
import sys
import time
import traceback
from pathlib import Path

os.environ |= {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1", "OMP_NUM_THREADS": "1"}

import torch
from whosays.model.batch.layout import Layout
from whosays.model.batch.local import local_engine
from whosays.model.batch.run import label_files
from whosays.model.sides import Conflict, Side

STRAIT = Conflict("strait", (Side("north", "North", ("Norden",)), Side("south", "South", ("Suden",))))
KINDS = {
    "jsonl": ("out.jsonl", {}),
    "csv": ("out.csv", {"layout": Layout(probabilities=True)}),
    "parquet": ("out.parquet", {"layout": Layout(by="article")}),
    "folder": ("out", {"layout": Layout(keep=("place",))}),
    "partitions": ("out", {"format": "parquet", "partition_by": "place"}),
}
CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.truncate", "open"}
PART_ITEMS = 3


def write_inputs(folder: Path) -> Path:
    """Eight articles in two files, and two lines that are none."""
    folder.mkdir()
    lines = [
        json.dumps(
            {"id": f"a{n}", "place": "sea" if n % 2 else "land", "text": f"Norden had {n} ships. " * (1 + n % 3)}
        )
        for n in range(8)
    ]
    (folder / "a.jsonl").write_text("\n".join([*lines[:5], "{"]))
    (folder / "b.jsonl").write_text("\n".join(["[]", *lines[5:]]))
    return folder


class Runs:
    """Runs of one kind over `inputs`; `grown` makes the last run find a file that the first did not."""

    def __init__(self, engine, inputs: Path, kind: str) -> None:
        self.engine, self.inputs = engine, inputs
        self.name, self.options = KINDS[kind]
        self.grows = self.name == "out"

    def go(self, folder: Path, last: bool = True) -> None:
        given = self.inputs if last or not self.grows else self.inputs / "a.jsonl"
        label_files(
            [f"{given}/*.jsonl" if given.is_dir() else str(given)],
            folder / self.name,
            conflict=STRAIT,
            start_engine=lambda *options: self.engine,
            part_items=PART_ITEMS,
            **self.options,
        )

    def begin(self, folder: Path) -> Path:
        """A fresh folder with what stands before the run that is to be killed."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        if self.grows:
            self.attempt(folder, last=False)
        return folder

    def attempt(self, folder: Path, before: int | None = None, after: float | None = None, last: bool = True) -> bool:
        """Run in a process that dies before the change `before`, or after so many seconds. Whether it did die."""
        child = os.fork()
        if child == 0:
            try:
                if before is not None:
                    die_before(before, folder)
                self.go(folder, last)
                os._exit(0)
            except BaseException:
                traceback.print_exc()
                os._exit(70)
        if after is not None:
            time.sleep(after)
            os.kill(child, signal.SIGKILL)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert code in (0, -signal.SIGKILL), code
        return code != 0


def die_before(change: int, folder: Path) -> None:
    """Have this process killed before its `change`-th change (from 0) to what is in `folder`, or wait for the disk."""
    count = 0

    def hook(event: str, args: tuple) -> None:
        nonlocal count
        if event in CHANGES and isinstance(args[0], (str, os.PathLike)) and str(args[0]).startswith(str(folder)):
            if count == change:
                os.kill(os.getpid(), signal.SIGKILL)
            count += 1

    sys.addaudithook(hook)


def files_of(folder: Path) -> dict[str, bytes]:
    """What a user finds there, and the manifest."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file() and p.name != ".lock"}


def check(folder: Path, whole: dict[str, bytes], when: str) -> None:
    found = files_of(folder)
    assert found == whole, f"{when}: {sorted(found)} instead of {sorted(whole)}, or other bytes"


def kill_at_every_change(runs: Runs, work: Path, stride: int) -> int:
    whole = files_of(finished(runs, work / "whole"))
    kills, change = 0, 0
    while runs.attempt(runs.begin(work / "killed"), before=change):
        kills += 1
        assert not runs.attempt(work / "killed")
        check(work / "killed", whole, f"killed before change {change}")
        change += stride
    return kills


def kill_at_random(runs: Runs, work: Path, count: int) -> int:
    start = time.monotonic()
    whole = files_of(finished(runs, work / "whole"))
    seconds, kills = time.monotonic() - start, 0
    while kills < count:
        runs.begin(work / "killed")
        while runs.attempt(work / "killed", after=random.uniform(0, seconds)):
            kills += 1
        check(work / "killed", whole, f"killed {kills} times")
    return kills


def finished(runs: Runs, folder: Path) -> Path:
    assert not runs.attempt(runs.begin(folder))
    return folder


def main(model: str, folder: str, how: str, number: str, *kinds: str) -> None:
    torch.set_num_threads(1)
    engine = local_engine(model, "fp32", 0.0)
    work = Path(folder)
    inputs = write_inputs(work / "in")
    way = {"every": kill_at_every_change, "random": kill_at_random}[how]
    total = 0
    for kind in kinds:
        kills = way(Runs(engine, inputs, kind), work, int(number))
        print(f"{kind}: killed {kills} times", file=sys.stderr, flush=True)
        total += kills
    print(total)


if __name__ == "__main__":
    main(*sys.argv[1:])
