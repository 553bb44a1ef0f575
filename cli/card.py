"""`whosays card`."""

from pathlib import Path
from typing import Annotated

import typer

from .faults import reporting


@reporting
def card(
    model: Annotated[str, typer.Argument(help="A packaged model's name or a model folder.")],
    report: Annotated[Path, typer.Argument(help="A folder that `whosays evaluate MODEL … --output` wrote.")],
) -> None:
    """Write a model's card anew, with what an evaluation found."""
    from ..training.card import write_card

    typer.echo(f"card written to {write_card(model, report)}", err=True)
