"""`whosays corpus check | stats | agreement`: look at labelled articles."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from .faults import reporting

corpus = typer.Typer(no_args_is_help=True, help="Look at labelled articles: faults, counts, agreement.")

Data = Annotated[list[str] | None, typer.Argument(help="JSONL files of labelled articles; none: the packaged corpus.")]
Sides = Annotated[list[Path] | None, typer.Option("--sides", help="A sides file for the data. Repeatable.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@corpus.command()
@reporting
def check(data: Data = None, sides: Sides = None) -> None:
    """Print every fault with file, line and article; exit code 1 if there is an error, 0 if there are notes only."""
    from ..model.sides import load_conflicts
    from ..training.corpus import corpus_files, read_splits
    from ..training.corpus_check import check_corpus

    findings = check_corpus(data or corpus_files(), {} if data else read_splits(), load_conflicts(sides or []))
    for finding in findings:
        typer.echo(f"{'note: ' if finding.note else ''}{finding}")
    errors = sum(not finding.note for finding in findings)
    typer.echo(f"{errors} errors, {len(findings) - errors} notes", err=True)
    if errors:
        raise typer.Exit(1)


@corpus.command()
@reporting
def stats(data: Data = None, sides: Sides = None, as_json: Json = False) -> None:
    """Count articles, sentences and labels."""
    from ..model.labels import DEFAULT_SCHEME
    from ..model.sides import load_conflicts
    from ..training.corpus import corpus_files, read_corpus, read_splits
    from ..training.corpus_stats import corpus_stats

    found = corpus_stats(
        read_corpus(data or corpus_files(), DEFAULT_SCHEME, load_conflicts(sides or [])), {} if data else read_splits()
    )
    if as_json:
        typer.echo(json.dumps(found, indent=2))
        return
    conflicts = found.pop("conflicts")
    for name, value in found.items():
        typer.echo(f"{name}: {_inline(value)}")
    for name, entry in conflicts.items():
        typer.echo(f"  {name}: {_inline(entry)}")


@corpus.command()
@reporting
def agreement(
    first: Annotated[Path, typer.Argument(help="JSONL file of labelled articles.")],
    second: Annotated[Path, typer.Argument(help="The same articles, labelled by somebody else.")],
    sides: Sides = None,
    as_json: Json = False,
) -> None:
    """Cohen's kappa between two annotations, per head, label and conflict, and where they differ."""
    from ..model.labels import DEFAULT_SCHEME
    from ..model.sides import load_conflicts
    from ..training.agreement import agreement as compare
    from ..training.corpus import read_corpus

    known = load_conflicts(sides or [])
    one, two = (read_corpus([str(path)], DEFAULT_SCHEME, known) for path in (first, second))
    found = compare(one, two)
    if as_json:
        typer.echo(json.dumps(found, indent=2))
        return
    typer.echo(f"articles: {found.pop('articles')}")
    for head, result in found.items():
        typer.echo(
            f"{head}: kappa {_figure(result['kappa'])}, agreement {_figure(result['agreement'])} "
            f"over {result['sentences']} sentences"
        )
        for label, entry in result["by_label"].items():
            typer.echo(f"  {label}: kappa {_figure(entry['kappa'])} ({entry['first']} by the first)")
        for a, b, count in result["confusions"]:
            typer.echo(f"  first {a}, second {b}: {count}")
        for conflict, entry in result["by_conflict"].items():
            typer.echo(f"  {conflict}: kappa {_figure(entry['kappa'])} over {entry['sentences']}")


def _figure(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"


def _inline(value: Any) -> str:
    return ", ".join(f"{k} {_inline(v)}" for k, v in value.items()) if isinstance(value, dict) else str(value)
