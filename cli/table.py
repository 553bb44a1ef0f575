"""Labelled articles as coloured tables on a terminal."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..model.page.view import MARKS, clean

if TYPE_CHECKING:
    from ..model.predictor import Prediction

_SENTENCE, _LABEL, _FRAME = 20, 8, 3
"""Characters that a sentence's column and a label's have at least where there is little room, and a column's frame."""
_COLOURS = ("blue", "dark_orange", "green", "magenta", "cyan", "red")


def print_tables(articles: "Iterable[list[Prediction]]") -> None:
    """Print a table an article: a row a sentence, coloured by the first head's label, its evidence underlined."""
    console = Console(force_terminal=True)
    for article in articles:
        table = Table(
            title=Text(clean(article[0].article_id)),
            title_justify="left",
            show_lines=False,
            pad_edge=False,
        )
        heads = list(article[0].labels)
        room = console.width - _SENTENCE - _FRAME * (len(heads) + 1)
        for head in heads:
            table.add_column(head, max_width=max(_LABEL, room // len(heads)), overflow="fold")
        table.add_column("sentence", ratio=1, overflow="fold")
        sides = sorted({key for p in article for key in p.probabilities[heads[0]]} - {"none", "other", "both"})
        pointed_at = {(p.evidence.start, p.evidence.end) for p in article if p.evidence}
        for p in article:
            voice = p.labels[heads[0]]
            style = {None: "dim", "none": "", "other": "yellow", "both": "bold"}.get(
                voice, _COLOURS[sides.index(voice) % len(_COLOURS)] if voice in sides else ""
            )
            text = Text(clean(p.text))
            for start, end in pointed_at:
                if p.start <= start < p.end:
                    text.stylize("underline", start - p.start, end - p.start)
            cells = [
                Text(
                    f"{MARKS.get(str(p.labels[head]), '') + ' ' if head == 'stance' else ''}{p.labels[head] or '·'} "
                    f"{p.scores[head]:.2f}",
                    style=style if head == heads[0] else "",
                )
                for head in heads
            ]
            table.add_row(*cells, text)
        console.print(table)
