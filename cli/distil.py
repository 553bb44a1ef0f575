"""`whosays distil`."""

from pathlib import Path
from typing import Annotated

import typer

from .faults import reporting


@reporting
def distil(
    inputs: Annotated[
        list[str],
        typer.Argument(
            help="News without labels: files, folders or globs, as for predict, but a broken row ends the command."
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write, .jsonl.gz.")],
    teacher: Annotated[
        list[str] | None,
        typer.Option(
            help="A packaged model's name or a model folder; without it, accurate; of several, the mean. Repeatable."
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an output that exists already.")] = False,
) -> None:
    """Let a model label news about the corpus's training conflicts, for a recipe's `taught`.

    These are conflicts that ship with the package; news about any other is left out.
    """
    from ..model.errors import InputError
    from ..model.files.writing import check_parent

    if not output.name.endswith(".jsonl.gz") or output.is_dir():
        raise InputError(f"{output}: give a file that ends in .jsonl.gz")
    check_parent(output)
    if output.exists() and not force:
        raise InputError(f"{output}: exists already; give --force to replace it")
    from ..model.files.reading import read_articles
    from ..model.files.sources import find_inputs
    from ..model.labels import DEFAULT_SCHEME
    from ..model.predictor import Predictor
    from ..training.corpus import corpus_files, read_corpus, read_splits
    from ..training.distil import teach, unlabelled_articles, write_taught
    from .progress import stages

    sources = find_inputs(inputs, [output])
    teachers = [Predictor.load(name) for name in teacher or ["accurate"]]
    if any(each.scheme != teachers[0].scheme for each in teachers):
        raise InputError("the teachers have different labels; give models of one scheme")
    training = [name for name, split in read_splits().items() if split == "train"]
    corpus = read_corpus(corpus_files(), DEFAULT_SCHEME)
    with stages() as say:
        say("finding articles about training conflicts")
        jobs = unlabelled_articles(read_articles(sources), corpus, training)
        say(f"labelling {len(jobs)} articles")
        count = write_taught(teach(teachers, jobs), output)
    typer.echo(f"{count} articles written to {output}", err=True)
