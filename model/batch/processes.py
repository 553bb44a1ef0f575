"""The engine of several devices: one process each, fed over pipes.

For machines with several GPUs. It was tested with processes on the CPU only; no GPU was at hand for this version.
Each part goes to the next process in turn and is taken back in that order, at most `_DEPTH` are with a process at a
time, so labels come in order and memory is bounded. A process that dies ends the run; what is written is safe.
"""

import subprocess
import sys
from collections import deque
from collections.abc import Generator, Iterable, Sequence
from typing import Any

from ..errors import InputError, WorkError
from ..predictor import Precision
from .parts import Engine, LabelledPart, Part, ahead
from .wire import pack, pack_jobs, unpack, unpack_labels

_DEPTH = 2
"""Parts with a process at a time: one in hand and one to prepare meanwhile. A worker reads as many without answering,
so that neither side ever waits for the other to read."""


class _Worker:
    """A worker process on a device, see `worker`."""

    def __init__(self, model: str, precision: str, min_confidence: float, device: str) -> None:
        self.device = device
        # -P: what lies in the user's folder is no module of ours, though it may be called like one.
        module = [sys.executable, "-P", "-m", "whosays.model.batch.worker"]
        command = [*module, model, precision, str(min_confidence), device]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, line: bytes) -> None:
        """Send it a line."""
        assert self.process.stdin
        try:
            self.process.stdin.write(line + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            self.answer()  # it may have said what was wrong before it went
            raise self._died() from None

    def answer(self) -> bytes:
        """Its next line. Raises what it says, `InputError` or `WorkError`; the latter too if it is gone."""
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line.endswith(b"\n"):
            raise self._died()
        if line.startswith(b'{"error"'):
            said: dict[str, Any] = unpack(line)
            raise (InputError if said["input"] else WorkError)(said["error"])
        return line

    def end(self) -> None:
        """End it at once: it holds nothing that is not done again."""
        self.process.kill()
        self.process.communicate()

    def _died(self) -> WorkError:
        code = self.process.wait()
        how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
        return WorkError(
            f"a worker process on {self.device} {how} (if memory ran out, the system ends it); "
            "what is written stays; start the same command again"
        )


def processes_engine(model: str, precision: Precision, min_confidence: float, devices: Sequence[str]) -> Engine:
    """One process for each of `devices` ("cuda:0", "cpu", …), started at once.

    All use the smallest of their token budgets, and bfloat16 by "auto" only if all compute in it. Raises `InputError`
    as `Predictor.load` does, `WorkError` if a process does not start.
    """
    workers = [_Worker(model, precision, min_confidence, device) for device in devices]
    try:
        found = [unpack(worker.answer()) for worker in workers]
        settings = found[0]["settings"]
        settings["precision"] = min((each["settings"]["precision"] for each in found), key=("fp32", "bf16").index)
        settings["token_budget"] = min(each["settings"]["token_budget"] for each in found)
        for worker in workers:
            worker.ask(pack(settings))
    except BaseException:
        _end(workers)
        raise

    def run(parts: Iterable[Part]) -> Generator[LabelledPart]:
        waiting: deque[tuple[Part, _Worker]] = deque()

        def next_labelled() -> LabelledPart:
            part, worker = waiting.popleft()
            return LabelledPart(part, unpack_labels(part.jobs, worker.answer()))

        try:
            for turn, (part, line) in enumerate(ahead((part, pack_jobs(part.jobs)) for part in parts)):
                if len(waiting) == _DEPTH * len(workers):
                    yield next_labelled()
                worker = workers[turn % len(workers)]
                worker.ask(line)
                waiting.append((part, worker))
            while waiting:
                yield next_labelled()
        finally:
            _end(workers)

    return Engine(tuple(found[0]["heads"]), settings, run)


def _end(workers: Iterable[_Worker]) -> None:
    for worker in workers:
        worker.end()
