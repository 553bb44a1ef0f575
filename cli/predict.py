"""`whosays predict`."""

import io
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .faults import reporting

if TYPE_CHECKING:
    from ..model.article import Article
    from ..model.formats import Reject
    from ..model.predictor import Job, Prediction

REJECTED = 3
"""Exit code of a run that finished, but with articles that could not be read."""


@reporting
def predict(
    inputs: Annotated[
        list[str],
        typer.Argument(help=".txt, .jsonl, .csv or .parquet files, folders or globs of them, or - for stdin."),
    ],
    conflict: Annotated[str | None, typer.Option(help="A packaged conflict; `whosays conflicts` lists them.")] = None,
    sides: Annotated[Path | None, typer.Option(help="A sides file (YAML).")] = None,
    side: Annotated[
        list[str] | None, typer.Option(metavar="NAME=ALIAS,ALIAS", help="A side, on the spot; give two or more.")
    ] = None,
    model: Annotated[str, typer.Option(help="A packaged model's name or a model folder.")] = "default",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write: .jsonl, .csv or .parquet.")
    ] = None,
    probabilities: Annotated[bool, typer.Option("--probabilities", help="Add every label's probability.")] = False,
    min_confidence: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Leave a label empty if its score is below this.")
    ] = 0.0,
    precision: Annotated[str, typer.Option(help="auto, fp32 or bf16.")] = "auto",
    force: Annotated[bool, typer.Option("--force", help="Replace an output that exists already.")] = False,
) -> None:
    """Label every sentence of articles by side and stance."""
    from ..model.errors import InputError
    from ..model.formats import check_output, find_inputs, print_rows, read_articles, write_rows

    if precision not in ("auto", "fp32", "bf16"):
        raise InputError(f"--precision '{precision}': use auto, fp32 or bf16")
    if output is not None:
        check_output(output, force)
    files = find_inputs(inputs)
    if output is not None and output.resolve() in {Path(name).resolve() for name in files}:
        raise InputError(f"{output}: is among the inputs; write the output elsewhere")
    jobs = _Jobs(read_articles(files), _given_conflict(conflict, sides, side))
    first = jobs.first()  # what is wrong with all of the input shows before a model is loaded

    from ..model.predictor import Predictor

    labelled = Predictor.load(model, precision).label_all(first, min_confidence)
    if output is not None:
        count = write_rows(_with_progress(labelled), output, probabilities)
        typer.echo(f"{count} sentences of {jobs.read} articles written to {output}", err=True)
    elif not _print_tables(labelled):
        # Rows are UTF-8 whatever the locale; under a test runner standard output may be no real stream.
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8")
        print_rows((p.row(probabilities) for article in labelled for p in article), sys.stdout)
    if jobs.rejected:
        typer.echo(f"whosays: {jobs.rejected} articles rejected, {jobs.read} labelled", err=True)
        raise typer.Exit(REJECTED)


class _Jobs:
    """Articles with their conflicts, as a stream; what is rejected is said on standard error and counted."""

    def __init__(self, articles: Iterable["Article | Reject"], given: "dict[str | None, object]") -> None:
        self.articles, self.given = articles, given
        self.read = self.rejected = 0

    def first(self) -> "Iterator[Job]":
        """All jobs; raises `InputError` at once if the very first readable article does not come."""
        from itertools import chain

        from ..model.errors import InputError
        from ..model.formats import Reject

        stream = self._stream()
        faults = []
        for item in stream:
            if not isinstance(item, Reject):
                self._tell(faults)
                self.read += 1
                return chain([item], self._rest(stream))
            faults.append(item)
        raise InputError(str(faults[0]) + (f" (and {len(faults) - 1} more)" if faults[1:] else ""))

    def _rest(self, stream: "Iterator[Job | Reject]") -> "Iterator[Job]":
        from ..model.formats import Reject

        for item in stream:
            if isinstance(item, Reject):
                self._tell([item])
            else:
                self.read += 1
                yield item

    def _tell(self, rejects: "list[Reject]") -> None:
        for reject in rejects:
            typer.echo(f"whosays: rejected: {reject}", err=True)
        self.rejected += len(rejects)

    def _stream(self) -> "Iterator[Job | Reject]":
        from ..model.errors import InputError
        from ..model.formats import Reject
        from ..model.sides import packaged_conflict

        for item in self.articles:
            if isinstance(item, Reject):
                yield item
                continue
            if item.conflict is None and None not in self.given:
                yield Reject(
                    f"article '{item.id}'",
                    None,
                    "names no conflict; say which with --conflict NAME, --sides FILE or "
                    '--side "Name=alias,alias" given twice or more',
                )
                continue
            try:
                if item.conflict not in self.given:
                    self.given[item.conflict] = packaged_conflict(str(item.conflict))
                yield item, self.given[item.conflict]  # type: ignore[misc]
            except InputError as error:
                yield Reject(f"article '{item.id}'", None, str(error))


def _given_conflict(name: str | None, file: Path | None, sides: list[str] | None) -> "dict[str | None, object]":
    """The conflict that the options give, under its name and under None, for articles that name none."""
    from ..model.errors import InputError
    from ..model.sides import Conflict, load_conflict, packaged_conflict, parse_side

    if sum(bool(option) for option in (name, file, sides)) > 1:
        raise InputError("give one of --conflict, --sides and --side, not several")
    if not (name or file or sides):
        return {}
    if name:
        found = packaged_conflict(name)
    elif file:
        found = load_conflict(file)
    else:
        found = Conflict("command line", tuple(map(parse_side, sides or [])))
    return {None: found, found.name: found}


def _with_progress(labelled: "Iterator[list[Prediction]]") -> "Iterator[list[Prediction]]":
    from rich.console import Console
    from rich.progress import track

    yield from track(
        labelled, description="labelling", console=Console(stderr=True), disable=not sys.stderr.isatty(), total=None
    )


_COLOURS = ("blue", "dark_orange", "green", "magenta", "cyan", "red")
_MARKS = {"affirm": "", "deny": "✗", "accuse": "!", "hedge": "?", "neutral": "–"}


def _print_tables(labelled: "Iterator[list[Prediction]]") -> bool:
    """Print a coloured table an article if standard output is a terminal; say whether it is."""
    from rich.console import Console
    from rich.control import strip_control_codes
    from rich.table import Table
    from rich.text import Text

    if not sys.stdout.isatty() and os.environ.get("TTY_COMPATIBLE") != "1":
        return False
    console = Console(force_terminal=True)
    for article in labelled:
        table = Table(
            title=Text(strip_control_codes(article[0].article_id)),
            title_justify="left",
            show_lines=False,
            pad_edge=False,
        )
        heads = list(article[0].labels)
        for head in heads:
            table.add_column(head, no_wrap=True)
        table.add_column("sentence", ratio=1)
        sides = sorted({key for p in article for key in p.probabilities[heads[0]]} - {"none", "other", "both"})
        for p in article:
            voice = p.labels[heads[0]]
            style = {None: "dim", "none": "", "other": "yellow", "both": "bold"}.get(
                voice, _COLOURS[sides.index(voice) % len(_COLOURS)] if voice in sides else ""
            )
            text = Text(p.text.replace("\x1b", "␛"))
            if p.evidence and p.start <= p.evidence.start < p.end:
                text.stylize("underline", p.evidence.start - p.start, p.evidence.end - p.start)
            cells = [
                Text(
                    f"{_MARKS.get(str(p.labels[head]), '') + ' ' if head == 'stance' else ''}{p.labels[head] or '·'} "
                    f"{p.scores[head]:.2f}",
                    style=style if head == heads[0] else "",
                )
                for head in heads
            ]
            table.add_row(*cells, text)
        console.print(table)
    return True
