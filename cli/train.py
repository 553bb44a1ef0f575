"""`whosays train`."""

from pathlib import Path
from typing import Annotated

import typer

from .faults import reporting


@reporting
def train(
    recipe: Annotated[str, typer.Argument(help="A packaged recipe's name or a YAML file.")] = "default",
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the trained model.")] = Path("run"),
    changes: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a field of the recipe. Repeatable.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Train into a folder that exists already.")] = False,
) -> None:
    """Train a model by a recipe; the run folder is a complete model folder."""
    from ..model.errors import InputError
    from ..training.recipe import load_recipe

    loaded = load_recipe(recipe, changes)
    if output.exists() and not force:
        raise InputError(f"{output}: exists already; give --force to train into it")
    if output.exists() and not output.is_dir():
        raise InputError(f"{output}: is a file; give a folder")
    from ..training.fit import train as run
    from .progress import stages

    with stages() as say:
        metrics = run(loaded, output, say)
    for name, value in metrics["development"].items():
        if name.endswith("macro_f1"):
            typer.echo(f"{name}\t{value:.4f}")
