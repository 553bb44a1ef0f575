"""How a long command ends when it is told to: after the part in hand, or at once when told again."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import typer


class Stop:
    """Whether a signal has asked for the end: call it. `signal` is its number, None before."""

    def __init__(self) -> None:
        self.signal: int | None = None

    def __call__(self) -> bool:
        """Whether to stop."""
        return self.signal is not None

    @property
    def exit_code(self) -> int:
        """What a shell makes of a command that a signal ended."""
        return 128 + (self.signal or 0)


@contextmanager
def stopping(doing: str) -> Iterator[Stop]:
    """Take the first SIGINT or SIGTERM as a wish to stop after `doing`; the second ends the process at once."""
    stop = Stop()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def ask(number: int, frame: FrameType | None) -> None:
        stop.signal = number
        for each, handler in before.items():
            signal.signal(each, handler)
        typer.echo(f"whosays: stopping after {doing}; once more stops at once", file=sys.stderr)

    for number in before:
        signal.signal(number, ask)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
