"""`whosays evaluate`."""

from pathlib import Path
from typing import Annotated

import typer

from .faults import reporting


@reporting
def evaluate(
    arguments: Annotated[
        list[str],
        typer.Argument(
            metavar="[MODEL] DATA…",
            help="A model (packaged name or folder), then JSONL files of labelled articles; dev and test are "
            "those splits of the packaged corpus. With --predictions, data only; a recipe (YAML) before them gives "
            "their labels (side and stance without one) and sides.",
        ),
    ],
    predictions: Annotated[
        Path | None,
        typer.Option(
            help="Score the labels in this file (.jsonl, .csv, .parquet) or folder of parts in place of a model."
        ),
    ] = None,
    sides: Annotated[
        list[Path] | None, typer.Option(help="A sides file of a conflict that is not packaged. Repeatable.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder for the report as JSON, Markdown and HTML.")
    ] = None,
    fail_under: Annotated[
        list[str] | None,
        typer.Option(metavar="FIGURE=NUMBER", help="Exit with 1 if a figure is lower: side.macro_f1=0.80. Repeatable."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a report that exists already.")] = False,
) -> None:
    """Report how good a model, or any system's predictions, is on labelled articles."""
    from ..model.errors import InputError
    from ..training.evaluation.gates import check_gates, check_names, parse_gates

    gates = parse_gates(fail_under or [])
    first, *others = arguments
    model = None if predictions else first
    recipe_file = Path(first) if predictions and first.endswith((".yaml", ".yml")) else None
    data = others if model or recipe_file else arguments
    if not data:
        raise InputError(f"no data to judge on; give JSONL files of labelled articles after {first}, or dev or test")
    from ..training.evaluation.report import check_folder, render, write_report

    if output is not None:
        check_folder(output, force)
    from ..model.checkpoint import model_folder, model_sha256
    from ..model.labels import DEFAULT_SCHEME
    from ..model.predictor import Predictor
    from ..training.evaluation.evaluate import System
    from ..training.evaluation.evaluate import evaluate as judge
    from ..training.evaluation.gold import RecipeData, gold_articles, recipe_data
    from ..training.evaluation.predictions import read_predictions
    from ..training.recipe import load_recipe, recipe_scheme
    from .progress import stages

    predictor, scheme, known = None, DEFAULT_SCHEME, sides or []
    if model:
        predictor = Predictor.load(model)
        scheme, recipe_file = predictor.scheme, model_folder(model) / "recipe.yaml"
    elif recipe_file:
        recipe = load_recipe(str(recipe_file))
        scheme, known = recipe_scheme(recipe), [*map(Path, recipe.sides), *known]
    articles = gold_articles(data, scheme, known)
    sha256 = model_sha256(model) if model else None
    system = System(Path(str(model or predictions)).resolve().name, scheme, predictor, sha256)
    answers = read_predictions(predictions, articles, scheme) if predictions else None
    learnt = recipe_data(recipe_file, scheme)
    if not model:  # a recipe does not say what the system behind the predictions has seen
        learnt = RecipeData(learnt.training, notes=learnt.notes)
    check_names(gates, system, articles, learnt.training, answers)
    with stages() as say:
        report = judge(system, articles, learnt.training, answers, learnt.development, learnt.taught, learnt.notes, say)
    content = report.to_dict()
    typer.echo(render("summary.md.j2", content), nl=False)
    if output is not None:
        write_report(report, output)
        typer.echo(f"report written to {output}", err=True)
    check_gates(content, gates)
