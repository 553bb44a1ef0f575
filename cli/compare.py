"""`whosays compare`."""

from pathlib import Path
from typing import Annotated

import typer

from .faults import reporting


@reporting
def compare(
    first: Annotated[Path, typer.Argument(metavar="REPORT_A", help="A folder that `whosays evaluate` wrote.")],
    second: Annotated[Path, typer.Argument(metavar="REPORT_B", help="Another, on the same data.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder for the comparison as JSON, Markdown and HTML.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a comparison that exists already.")] = False,
) -> None:
    """Say whether B is better than A, how surely, and which sentences flipped."""
    from ..training.evaluation.compare import compare as run
    from ..training.evaluation.compare import load_scored, summarise, write_comparison
    from ..training.evaluation.report import check_folder

    if output is not None:
        check_folder(output, force)
    content = run(load_scored(first), load_scored(second))
    typer.echo(summarise(content), nl=False)
    if output is not None:
        write_comparison(content, output)
        typer.echo(f"comparison written to {output}", err=True)
