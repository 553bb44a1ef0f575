"""Progress through named stages: a live line on a terminal, log lines anywhere else."""

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

logger = logging.getLogger(__name__)
_LOG_SECONDS = 30


@cache
def console() -> "Console":
    """The one console on standard error: what it prints goes above its live line, what others print tears it."""
    from rich.console import Console

    return Console(stderr=True)


class LogHandler(logging.StreamHandler):
    """Log lines on standard error: through the console on a terminal, plain anywhere else."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line, which is never broken to fit."""
        if sys.stderr.isatty():
            console().print(self.format(record), markup=False, highlight=False, soft_wrap=True)
        else:
            super().emit(record)


@contextmanager
def stages() -> Iterator[Callable[[str], None]]:
    """A function to tell what is being done, on standard error."""
    if not sys.stderr.isatty():
        yield lambda doing: logger.info("%s", doing)
        return
    from rich.markup import escape

    with console().status("starting") as status:
        yield lambda doing: status.update(escape(doing))


@contextmanager
def counting(doing: str) -> Iterator[Callable[[int, int], None]]:
    """A function to tell how many articles and rows are done, on standard error: a live line, or one now and then."""
    start = time.monotonic()
    if not sys.stderr.isatty():
        last = start

        def log(articles: int, rows: int) -> None:
            nonlocal last
            if time.monotonic() - last >= _LOG_SECONDS:
                last = time.monotonic()
                logger.info("%s: %d articles, %d rows, %.0f s", doing, articles, rows, last - start)

        yield log
        return
    with console().status(doing) as status:
        yield lambda articles, rows: status.update(
            f"{doing}: {articles:,} articles, {rows:,} rows, {time.monotonic() - start:.0f} s"
        )
