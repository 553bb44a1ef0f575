"""Progress through named stages: a live line on a terminal, log lines anywhere else."""

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

logger = logging.getLogger(__name__)


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
