"""The command line. Every command imports what it runs inside itself, so that --help answers at once."""

from importlib.metadata import version
from typing import Annotated

import typer

from ..model.memory import keep_freed_memory
from .card import card
from .compare import compare
from .corpus import corpus
from .crossval import crossval
from .distil import distil
from .evaluate import evaluate
from .export import export
from .faults import reporting
from .predict import predict
from .train import train

app = typer.Typer(
    name="whosays",
    help="Labels every sentence of news about a conflict by reporting side and stance.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(predict)
app.command()(evaluate)
app.command()(compare)
app.command()(crossval)
app.command()(train)
app.command()(card)
app.command()(distil)
app.command()(export)
app.add_typer(corpus, name="corpus")


@app.command()
@reporting
def conflicts() -> None:
    """List the conflicts whose sides files ship with the package."""
    from ..configs import packaged_names
    from ..model.sides import packaged_conflict

    for name in packaged_names("conflicts"):
        typer.echo(f"{name}: {', '.join(side.name for side in packaged_conflict(name).sides)}")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(version("whosays"))
        raise typer.Exit


@app.callback()
def options(
    show: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Labels every sentence of news about a conflict by reporting side and stance."""


def main() -> None:
    """The `whosays` command."""
    keep_freed_memory()
    app()
