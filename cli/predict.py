"""`whosays predict`."""

import io
import os
import sys
from collections.abc import Iterator
from functools import partial
from itertools import tee
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .faults import reporting

if TYPE_CHECKING:
    from ..model.batch.layout import Layout
    from ..model.batch.parts import StartEngine
    from ..model.batch.run import Summary
    from ..model.files.reading import Reject
    from ..model.predictor import Job, Prediction
    from ..model.sides import Conflict

REJECTED = 3
"""Exit code of a run that finished, but with articles that could not be used."""
_TOLD = 10


@reporting
def predict(
    inputs: Annotated[
        list[str],
        typer.Argument(
            help=".txt, .jsonl, .csv (each .gz or .zst too) or .parquet files, saved datasets, "
            "folders or globs of them, or - for stdin."
        ),
    ],
    conflict: Annotated[str | None, typer.Option(help="A packaged conflict; `whosays conflicts` lists them.")] = None,
    sides: Annotated[Path | None, typer.Option(help="A sides file (YAML).")] = None,
    side: Annotated[
        list[str] | None, typer.Option(metavar="NAME=ALIAS,ALIAS", help="A side, on the spot; give two or more.")
    ] = None,
    model: Annotated[str, typer.Option(help="A packaged model's name or a model folder.")] = "default",
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="File to write (.jsonl, .csv, .parquet), or a folder for parts. Started again after it was stopped, "
            "the same command goes on where it was; with a folder, it labels what is new. (With - it begins anew.)",
        ),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write a page to look at instead of rows; several articles get an index and a folder of pages. "
            "It shows all of the input, so it does not go together with --output.",
        ),
    ] = None,
    format: Annotated[str | None, typer.Option(help="Of a folder's parts: jsonl, csv or parquet.")] = None,
    partition_by: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="Put a folder's parts into COLUMN=VALUE folders; COLUMN may be conflict."),
    ] = None,
    by: Annotated[str, typer.Option(help="A row a sentence, or a row an article with counts and shares.")] = "sentence",
    probabilities: Annotated[bool, typer.Option("--probabilities", help="Add every label's probability.")] = False,
    keep: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN", help="A column of the input that follows in each row. Repeatable."),
    ] = None,
    min_confidence: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Leave a label empty if its score is below this.")
    ] = 0.0,
    precision: Annotated[str, typer.Option(help="auto, fp32 or bf16.")] = "auto",
    engine: Annotated[
        str, typer.Option(help="Where the model works: local (this machine, all its GPUs) or ray (a cluster).")
    ] = "local",
    ray_address: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Of the cluster: auto, or host:port. Without it, one starts here."),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Stop at the first article that is rejected.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace an output that exists already.")] = False,
) -> None:
    """Label every sentence of articles by side and stance."""
    from ..model.batch.layout import Layout
    from ..model.errors import InputError

    if precision not in ("auto", "fp32", "bf16"):
        raise InputError(f"--precision '{precision}': use auto, fp32 or bf16")
    options: dict[str, Any] = {
        "model": model,
        "conflict": _given_conflict(conflict, sides, side),
        "precision": precision,
        "min_confidence": min_confidence,
        "start_engine": _chosen_engine(engine, ray_address),
    }
    layout = Layout(by, probabilities, tuple(keep or ()))  # type: ignore[arg-type] - it checks by
    if html and (output or format or partition_by is not None or layout != Layout()):
        raise InputError(
            "--html writes a page and no rows; leave out --output, --format, --partition-by, --by, --probabilities "
            "and --keep, or make two runs"
        )
    if output is None:
        if format or partition_by is not None:
            raise InputError("--format and --partition-by need --output FOLDER")
        if html:
            _to_page(inputs, html, strict, force, options)
        else:
            _to_terminal(inputs, layout, strict, options)
        return

    from ..model.batch.run import going_on, label_files
    from .progress import counting
    from .stopping import stopping

    told = _Told(limit=_TOLD)
    with stopping("the part in hand") as stop, counting("labelling") as count:

        def tell(part: Any, summary: "Summary") -> None:
            told.hear(part.rejects)
            count(summary.articles, summary.rows)

        summary = label_files(
            inputs,
            output,
            layout=layout,
            format=format,
            partition_by=partition_by,
            force=force,
            strict=strict,
            stop=stop,
            tell=tell,
            **options,
        )
    if not summary.finished:
        typer.echo(
            f"whosays: stopped; {summary.articles} articles are labelled and safe, {going_on(inputs)}",
            err=True,
        )
        raise typer.Exit(stop.exit_code)
    if summary.idle:
        typer.echo(f"nothing to do: {output} is finished, {summary.rows} rows of {summary.articles} articles", err=True)
    else:
        typer.echo(f"{summary.rows} rows of {summary.articles} articles written to {output}", err=True)
    _tell_unmentioned(summary.unmentioned, summary.articles)
    if summary.rejects:
        typer.echo(
            f"whosays: {summary.rejects} articles rejected, {summary.articles} labelled; see {summary.rejects_file}",
            err=True,
        )
        raise typer.Exit(REJECTED)


def _tell_unmentioned(count: int, articles: int) -> None:
    if count:
        typer.echo(
            f"whosays: no side is mentioned in {count} of {articles} articles, so none can be the voice there; "
            "do the aliases fit the text?",
            err=True,
        )


class _Told:
    """Says rejects on standard error, at most `limit` of them, and counts them and what is labelled."""

    def __init__(self, limit: int | None = None) -> None:
        self.limit, self.count, self.labelled, self.unmentioned = limit, 0, 0, 0

    def hear(self, rejects: "list[Reject]") -> None:
        for reject in rejects:
            self.count += 1
            if self.limit is None or self.count <= self.limit:
                typer.echo(f"whosays: rejected: {reject}", err=True)
            elif self.count == self.limit + 1:
                typer.echo("whosays: further rejects are not shown, only written", err=True)

    def close(self) -> None:
        """Sum up, and end the command if something was rejected."""
        _tell_unmentioned(self.unmentioned, self.labelled)
        if self.count:
            typer.echo(f"whosays: {self.count} articles rejected, {self.labelled} labelled", err=True)
            raise typer.Exit(REJECTED)


def _labelled(
    inputs: list[str], strict: bool, told: _Told, options: dict[str, Any]
) -> "Iterator[tuple[Job, list[Prediction]]]":
    """Articles as they are labelled, for what is not written in parts; `told` hears of the rejects."""
    from ..model.batch.layout import has_mentions
    from ..model.batch.run import label_stream
    from ..model.errors import WorkError

    for part in label_stream(inputs, **options):
        if strict and part.part.rejects:
            raise WorkError(f"{part.part.rejects[0]} (--strict stops here)")
        told.hear(part.part.rejects)
        told.labelled += len(part.articles)
        pairs = list(zip(part.part.jobs, part.articles, strict=True))
        told.unmentioned += sum(not has_mentions(*pair) for pair in pairs)
        yield from pairs


def _to_terminal(inputs: list[str], layout: "Layout", strict: bool, options: dict[str, Any]) -> None:
    """Labelled articles to standard output: tables on a terminal, rows as JSON Lines anywhere else."""
    from ..model.batch.layout import SENTENCES
    from ..model.files.writing import print_rows

    told = _Told()
    pairs = _labelled(inputs, strict, told, options | {"layout": layout})
    # A test runner's or a pipe's reader may want the table's colours too, and says so.
    if layout == SENTENCES and (sys.stdout.isatty() or os.environ.get("TTY_COMPATIBLE") == "1"):
        from .table import print_tables

        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="replace")  # a terminal need not have every character
        print_tables(predictions for _, predictions in pairs)
    else:
        # Rows are UTF-8 whatever the locale; under a test runner standard output may be no real stream.
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8")
        print_rows((row for pair in pairs for row in layout.rows(*pair)), sys.stdout)
        sys.stdout.flush()  # what fails here fails with a line that says so, and not while Python ends
    told.close()


def _to_page(inputs: list[str], path: Path, strict: bool, force: bool, options: dict[str, Any]) -> None:
    """Labelled articles as a page, or an index and a page each."""
    from ..model.errors import InputError
    from ..model.page.pages import pages_folder, write_pages

    if path.is_dir() or not path.absolute().parent.is_dir() or path.suffix != ".html":
        raise InputError(f"{path}: give a file that ends in .html, in a folder that exists")
    folder = pages_folder(path)
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: is a file, and the pages of several articles go there; move it, or name another")
    taken = next((each for each in (path, folder) if each.exists()), None)
    if taken and not force:
        raise InputError(f"{taken}: exists already; give --force to replace it")
    told = _Told()
    jobs, labelled = tee(_labelled(inputs, strict, told, options | {"keep": ("title",)}))
    count = write_pages((predictions for _, predictions in labelled), path, (job for job, _ in jobs))
    typer.echo(f"{count} articles written to {path}" if count else "no article, so no page is written", err=True)
    told.close()


def _chosen_engine(name: str, ray_address: str | None) -> "StartEngine":
    from ..model.errors import InputError

    if name not in ("local", "ray"):
        raise InputError(f"--engine '{name}': use local or ray")
    if name == "ray":
        from ..model.batch.ray_engine import ray_engine

        return partial(ray_engine, address=ray_address)
    if ray_address is not None:
        raise InputError("--ray-address is for --engine ray; give that too")
    from ..model.batch.local import local_engine

    return local_engine


def _given_conflict(name: str | None, file: Path | None, sides: list[str] | None) -> "Conflict | None":
    """The conflict that the options give, for articles that name none."""
    from ..model.errors import InputError
    from ..model.sides import Conflict, load_conflict, packaged_conflict, parse_side

    if sum(bool(option) for option in (name, file, sides)) > 1:
        raise InputError("give one of --conflict, --sides and --side, not several")
    if name:
        return packaged_conflict(name)
    if file:
        return load_conflict(file)
    return Conflict("command line", tuple(map(parse_side, sides))) if sides else None
