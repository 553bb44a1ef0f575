"""Progress through named stages: a live line on a terminal, log lines anywhere else."""

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

logger = logging.getLogger(__name__)
_LOG_SECONDS = 30


@contextmanager
def stages() -> Iterator[Callable[[str], None]]:
    """A function to tell what is being done, on standard error."""
    if not sys.stderr.isatty():
        yield lambda doing: logger.info("%s", doing)
        return
    from rich.console import Console
    from rich.markup import escape

    with Console(stderr=True).status("starting") as status:
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
    from rich.console import Console

    with Console(stderr=True).status(doing) as status:
        yield lambda articles, rows: status.update(
            f"{doing}: {articles:,} articles, {rows:,} rows, {time.monotonic() - start:.0f} s"
        )
