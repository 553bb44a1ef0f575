"""`whosays corpus check | stats | agreement | difficulty`: look at labelled articles."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .faults import reporting

if TYPE_CHECKING:
    from ..model.labels import Scheme
    from ..model.sides import Conflict

corpus = typer.Typer(no_args_is_help=True, help="Look at labelled articles: faults, counts, agreement, difficulty.")

Data = Annotated[list[str] | None, typer.Argument(help="JSONL files of labelled articles; none: the packaged corpus.")]
DataOfRecipe = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[RECIPE] DATA…",
        help="JSONL files of labelled articles; none: the packaged corpus. A recipe (YAML) before them gives their "
        "labels and sides; alone it stands for its own files.",
    ),
]
Sides = Annotated[list[Path] | None, typer.Option("--sides", help="A sides file for the data. Repeatable.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@corpus.command()
@reporting
def check(data: DataOfRecipe = None, sides: Sides = None) -> None:
    """Print every fault with file, line and article; exit code 1 if there is an error, 0 if there are notes only."""
    from ..training.corpus import corpus_files, read_splits
    from ..training.corpus_check import check_corpus

    given = _given(data, sides)
    splits = {} if given.files or given.taught else read_splits()
    files = given.files or ([] if given.taught else corpus_files())
    findings = check_corpus(files, splits, given.conflicts, given.scheme, given.taught)
    for finding in findings:
        typer.echo(f"{'note: ' if finding.note else ''}{finding}")
    errors = sum(not finding.note for finding in findings)
    typer.echo(f"errors: {errors}, notes: {len(findings) - errors}", err=True)
    if errors:
        raise typer.Exit(1)


@corpus.command()
@reporting
def stats(data: Data = None, sides: Sides = None, as_json: Json = False) -> None:
    """Count articles, sentences, conflicts, labels and hard cases: in all, and by part, source, draw and split."""
    from ..model.labels import DEFAULT_SCHEME
    from ..model.sides import load_conflicts
    from ..training.corpus import corpus_files, read_corpus, read_kinds, read_splits
    from ..training.corpus_stats import corpus_stats

    articles = read_corpus(data or corpus_files(), DEFAULT_SCHEME, load_conflicts(sides or []))
    found = corpus_stats(articles, {} if data else read_splits(), {} if data else read_kinds())
    if as_json:
        typer.echo(json.dumps(found, indent=2))
        return
    groups = {"corpus": found["corpus"]} | {
        f"{group} {value}": counts
        for group in ("part", "source", "draw", "split")
        for value, counts in found[group].items()
    }
    sizes = ["articles", "sentences", "conflicts", "armed", "unarmed", "two_sided", "many_sided"]
    _table(["", *sizes], ([name, *(group[size] for size in sizes)] for name, group in groups.items()))
    for head in ("articles_by_part", "side", "stance", "another_side", "positions"):
        columns = list(found["corpus"][head])
        _table([head, *columns], ([name, *(group[head].get(c, 0) for c in columns)] for name, group in groups.items()))
    _table(["", "hard", "negations"], ([name, group["hard"], group["negations"]] for name, group in groups.items()))
    columns = ["split", "kind", "sides", "articles", "sentences"]
    _table(
        ["conflict", *columns], ([name, *(c[column] for column in columns)] for name, c in found["conflicts"].items())
    )


@corpus.command()
@reporting
def agreement(
    data: Annotated[
        list[str],
        typer.Argument(
            metavar="[RECIPE] FIRST SECOND",
            help="JSONL files of the same articles, labelled by two. A recipe (YAML) before them gives their labels "
            "and sides.",
        ),
    ],
    sides: Sides = None,
    as_json: Json = False,
) -> None:
    """Cohen's kappa and F1 between two annotations, per head, label and conflict, and where they differ."""
    from ..model.errors import InputError
    from ..training.agreement import agreement as compare
    from ..training.corpus import read_corpus

    given = _given(data, sides)
    if len(given.files) != 2:
        raise InputError(f"two files of labelled articles are compared; got {len(given.files)}")
    one, two = (read_corpus([file], given.scheme, given.conflicts) for file in given.files)
    found = compare(one, two, given.scheme)
    if as_json:
        typer.echo(json.dumps(found, indent=2))
        return
    typer.echo(f"articles: {found.pop('articles')}, {found.pop('unmatched')} more in one of the files only")
    for head, result in found.items():
        typer.echo(
            f"{head}: kappa {_figure(result['kappa'])}, agreement {_figure(result['agreement'])} "
            f"over {result['sentences']} sentences, differences {result['differences']}, "
            f"macro-F1 of the second {_figure(result['macro_f1'])}"
        )
        for label, entry in result["by_label"].items():
            typer.echo(
                f"  {label}: kappa {_figure(entry['kappa'])}, F1 {_figure(entry['f1'])} ({entry['first']} by the first)"
            )
        for a, b, count in result["confusions"]:
            typer.echo(f"  first {a}, second {b}: {count}")
        for conflict, entry in result["by_conflict"].items():
            typer.echo(f"  {conflict}: kappa {_figure(entry['kappa'])} over {entry['sentences']}")


@corpus.command()
@reporting
def difficulty(
    data: DataOfRecipe = None,
    sides: Sides = None,
    groups: Annotated[int | None, typer.Option(help="Groups of conflicts; without it, one by one.")] = None,
    as_json: Json = False,
) -> None:
    """How well TF-IDF with logistic regression does on conflicts held out, by part; without --groups half an hour."""
    from ..training.corpus import corpus_files, read_corpus
    from ..training.corpus_difficulty import difficulty as measure
    from .progress import stages

    given = _given(data, sides)
    articles = read_corpus(given.files or corpus_files(), given.scheme, given.conflicts)
    with stages() as say:
        found = measure(articles, given.scheme, groups, say)
    if as_json:
        typer.echo(json.dumps(found, indent=2))
        return
    for head in given.scheme.names:
        readings = {(part, learnt): entry[head] for part, by in found.items() for learnt, entry in by.items()}
        classes = list(dict.fromkeys(label for entry in readings.values() for label in entry["f1"]))
        _table(
            ["judged", "learnt from", "sentences", f"{head} macro-F1", "low", "high", *classes],
            (
                [part, learnt, entry["sentences"]]
                + [_figure(entry["macro_f1"][bound]) for bound in ("value", "low", "high")]
                + [_figure(entry["f1"].get(label)) for label in classes]
                for (part, learnt), entry in readings.items()
            ),
        )


@dataclass(frozen=True)
class _Given:
    """What the arguments of a command say: files of labelled articles, those that a teacher labelled, and how to read
    them.
    """

    files: list[str]
    taught: list[str]
    scheme: "Scheme"
    conflicts: "dict[str, Conflict]"


def _given(data: list[str] | None, sides: list[Path] | None) -> _Given:
    """Arguments of which the first may be a recipe, which alone stands for its own files."""
    from ..model.labels import DEFAULT_SCHEME
    from ..model.sides import load_conflicts
    from ..training.recipe import load_recipe, own_files, recipe_scheme

    files, known = data or [], sides or []
    if not files or not files[0].endswith((".yaml", ".yml")):
        return _Given(files, [], DEFAULT_SCHEME, load_conflicts(known))
    recipe, files = load_recipe(files[0]), files[1:]
    taught = [] if files else own_files(recipe.taught)
    files = files or own_files([*recipe.train, *recipe.dev])
    return _Given(files, taught, recipe_scheme(recipe), load_conflicts([*map(Path, recipe.sides), *known]))


def _table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print a Markdown table whose columns line up; what is None is a dash."""
    lines = [[column.replace("_", " ") for column in columns]]
    lines += [["–" if value is None else str(value) for value in row] for row in rows]
    widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
    lines.insert(1, ["-" * width for width in widths])
    for first, *others in lines:
        cells = [first.ljust(widths[0]), *map(str.rjust, others, widths[1:])]
        typer.echo(f"| {' | '.join(cells)} |")
    typer.echo()


def _figure(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"
