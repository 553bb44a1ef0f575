"""`whosays crossval`."""

from pathlib import Path
from typing import Annotated

import typer

from .faults import reporting


@reporting
def crossval(
    recipe: Annotated[str, typer.Argument(help="A packaged recipe's name or a YAML file.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for folds and report; an unfinished run goes on.")
    ],
    by: Annotated[str, typer.Option(help="What is held out together: conflict.")] = "conflict",
    changes: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a field of the recipe. Repeatable.")
    ] = None,
    groups: Annotated[int | None, typer.Option(help="Groups of conflicts; without it, one by one.")] = None,
) -> None:
    """Judge a recipe on conflicts that it was not trained on, each once."""
    from ..model.errors import InputError

    if by != "conflict":
        raise InputError(f"--by '{by}': use conflict")
    from ..training.crossval import cross_validate
    from ..training.evaluation.report import render
    from ..training.recipe import load_recipe
    from .progress import stages

    with stages() as say:
        report = cross_validate(load_recipe(recipe, changes), groups, output, say)
    typer.echo(render("summary.md.j2", report.to_dict()), nl=False)
    typer.echo(f"report written to {output}", err=True)
