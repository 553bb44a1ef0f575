"""One process of `processes_engine`: `python -m whosays.model.batch.worker MODEL PRECISION MIN_CONFIDENCE DEVICE`.

It says on standard output what it has ({"heads": …, "settings": …}), is told on standard input what all workers use
({"precision": …, "token_budget": …}), and then answers every part with its labels, a line each (see `wire`). What
goes wrong is one last line: {"error": …, "input": whether what the user gave is at fault}.
"""

import os
import signal
import sys
from collections.abc import Iterator
from typing import IO

import torch

from ..errors import InputError, WorkError
from ..memory import keep_freed_memory
from ..predictor import Predictor
from .parts import ahead, engine_settings
from .wire import pack, pack_labels, unpack, unpack_jobs


def work(model: str, precision: str, min_confidence: str, device: str, read: IO[bytes], write: IO[bytes]) -> None:
    """Label parts from `read` until it ends."""
    for answer in _answers(model, precision, min_confidence, device, read):
        write.write(answer + b"\n")
        write.flush()


def _answers(model: str, precision: str, min_confidence: str, device: str, read: IO[bytes]) -> Iterator[bytes]:
    if device.startswith("cuda"):
        torch.cuda.set_device(device)  # or else memory is pinned by way of the first card
    try:
        predictor = Predictor.load(model, precision, device)  # type: ignore[arg-type] - the other side has checked it
        yield pack({"heads": predictor.scheme.names, "settings": engine_settings(model, predictor)})
        told = unpack(read.readline())
        predictor.bf16, predictor.token_budget = told["precision"] == "bf16", told["token_budget"]
        for prepared in ahead(predictor.prepare(unpack_jobs(line)) for line in read):
            yield pack_labels(predictor.label_prepared(prepared, float(min_confidence)))
    except (InputError, WorkError) as error:
        yield pack({"error": str(error), "input": isinstance(error, InputError)})


def main() -> None:
    """The process."""
    keep_freed_memory()
    # Ctrl-C reaches the whole group; when to stop is for the process that started this one to say.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints must not come between answers
    try:
        work(*sys.argv[1:], read=sys.stdin.buffer, write=answers)  # type: ignore[misc, call-arg]
    except BrokenPipeError:
        os._exit(1)  # nobody is left to answer


if __name__ == "__main__":
    main()
