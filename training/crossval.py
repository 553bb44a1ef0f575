"""Cross-validation by conflict: how good is a recipe on conflicts that it never saw?

The conflicts are dealt into groups. Each fold holds one group out for judging and the next for choosing the
epoch, and trains on the rest; so every article is judged once, by a model that saw neither it nor its
conflict. What a teacher labelled is left out, for the teacher learnt from the conflicts held out. A fold that
is done leaves its report behind and is not done again.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from ..model.checkpoint import model_sha256
from ..model.errors import InputError
from ..model.files.writing import print_rows, replacing, write_text
from ..model.labels import Scheme
from ..model.predictor import Predictor
from .corpus import LabelledArticle, labelled_heads
from .evaluation.evaluate import Report, Say, System, check_articles, describe, report_on, transcribe
from .evaluation.report import JSON_FILE, write_report
from .evaluation.transcript import join, read_transcript, write_transcript
from .fit import train
from .recipe import Recipe, recipe_articles, recipe_scheme

PLAN_FILE = "plan.json"
ANSWERS_FOLDER = "answers"
_FEWEST = 3
"""Groups there must be: one to judge on, one to choose the epoch by, one to train on."""


@dataclass(frozen=True)
class Fold:
    """Conflicts to judge on and conflicts to choose the epoch by; all others are for training."""

    name: str
    held_out: list[str]
    development: list[str]


def make_folds(articles: Sequence[LabelledArticle], groups: int | None) -> list[Fold]:
    """Folds that hold out each conflict once: in `groups` groups of about as many sentences, or one by one.

    Raises `InputError` if there are fewer than three groups or fewer conflicts than groups.
    """
    sizes = Counter[str]()
    for item in articles:
        sizes[item.conflict.name] += len(item.article.sentences)
    count = len(sizes) if groups is None else groups
    if not _FEWEST <= count <= len(sizes):
        raise InputError(
            f"--groups {count}: the data have {len(sizes)} conflicts; give a number from {_FEWEST} to {len(sizes)}"
            if len(sizes) >= _FEWEST
            else f"the data have {len(sizes)} conflicts; cross-validation needs {_FEWEST} or more"
        )
    dealt: list[list[str]] = [[] for _ in range(count)]
    for name, _ in sorted(sizes.items(), key=lambda entry: (-entry[1], entry[0])):
        min(dealt, key=lambda group: sum(sizes[member] for member in group)).append(name)
    return [Fold(f"fold-{n + 1:02d}", sorted(group), sorted(dealt[(n + 1) % count])) for n, group in enumerate(dealt)]


def cross_validate(recipe: Recipe, groups: int | None, output: Path, say: Say = lambda doing: None) -> Report:
    """Train and judge every fold into `output`, go on where an earlier run stopped, and report on all
    together.

    Raises `InputError` if `output` holds a cross-validation of another recipe or start, other data, sides or groups, or
    if some fold has no labels to judge on, to choose an epoch by or to learn a head from.
    """
    notes = ["articles that a teacher labelled are left out"] if recipe.taught else []
    if recipe.start:
        notes.append(
            f"every fold begins with model '{recipe.start}': what that learnt of the articles held out flatters"
        )
    recipe = recipe.model_copy(update={"taught": []})
    scheme = recipe_scheme(recipe)
    articles = recipe_articles(recipe, scheme, ("train", "dev"))
    check_articles(articles, scheme)
    folds = make_folds(articles, groups)
    for fold in folds:
        _check_fold(fold, articles, scheme)
    plan = {
        "recipe": recipe.model_dump(),
        "gold_sha256": describe(articles, scheme)["gold_sha256"],
        "sides_sha256": _sides_sha256(articles),
        "folds": [asdict(fold) for fold in folds],
        "start_sha256": model_sha256(recipe.start) if recipe.start else None,
    }
    _keep_plan(plan, output)
    held: list[LabelledArticle] = []
    transcripts = []
    for number, fold in enumerate(folds, 1):
        judged = _of(articles, fold.held_out)
        if not (output / fold.name / JSON_FILE).is_file():
            doing = f"fold {number} of {len(folds)} ({', '.join(fold.held_out)})"
            _run_fold(fold, recipe, articles, output / fold.name, scheme, _with_prefix(doing, say))
        held += judged
        transcripts.append(read_transcript(output / fold.name / ANSWERS_FOLDER, judged, scheme))
    together = System(f"{output.name}, {len(folds)} folds", scheme)
    report = report_on(together, held, join(transcripts), [*notes, *_notes(folds, output)], say)
    write_report(report, output)
    return report


def _check_fold(fold: Fold, articles: Sequence[LabelledArticle], scheme: Scheme) -> None:
    """Raise `InputError` if nothing can be judged on, chosen by or learnt in a fold: before any of them is trained."""
    training = sorted({item.conflict.name for item in articles} - {*fold.held_out, *fold.development})
    for names, enough in ((fold.held_out, 1), (fold.development, 1), (training, len(scheme.heads))):
        labelled = labelled_heads(_of(articles, names), scheme)
        if len(labelled) < enough:
            missing = [head.name for head in scheme.heads if head not in labelled]
            raise InputError(
                f"{fold.name}: the articles on {', '.join(names)} have no labels of {' or '.join(missing)}; "
                "label some, leave them out, or give another number of --groups"
            )


def _sides_sha256(articles: Sequence[LabelledArticle]) -> str:
    """Of every conflict's sides with their names and aliases; a model sees the mentions that these find."""
    conflicts = {item.conflict.name: [asdict(side) for side in item.conflict.sides] for item in articles}
    return hashlib.sha256(json.dumps(conflicts, sort_keys=True).encode()).hexdigest()


def _keep_plan(plan: dict[str, Any], output: Path) -> None:
    file = output / PLAN_FILE
    if file.is_file():
        try:
            kept = json.loads(file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise InputError(f"{file}: not valid JSON: {error}; give another folder") from None
        if kept != plan:
            raise InputError(
                f"{output}: holds a cross-validation of another recipe or start, other data, sides or groups; "
                "give another folder"
            )
        return
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise InputError(f"{output}: exists already and holds no cross-validation; give another folder")
    output.mkdir(parents=True, exist_ok=True)
    write_text(file, json.dumps(plan, indent=1) + "\n")


def _with_prefix(prefix: str, say: Say) -> Say:
    return lambda doing: say(f"{prefix}: {doing}")


def _of(articles: Sequence[LabelledArticle], conflicts: Sequence[str]) -> list[LabelledArticle]:
    """The articles on these conflicts."""
    return [item for item in articles if item.conflict.name in conflicts]


def _run_fold(
    fold: Fold, recipe: Recipe, articles: Sequence[LabelledArticle], folder: Path, scheme: Scheme, say: Say
) -> None:
    """Train and judge one fold, and leave its report, which comes last, and all that the joint report needs."""
    apart = {*fold.held_out, *fold.development}
    judged, training = _of(articles, fold.held_out), [item for item in articles if item.conflict.name not in apart]
    folder.mkdir(exist_ok=True)
    parts = {"train": training, "dev": _of(articles, fold.development)}
    for name, items in parts.items():
        with replacing(folder / f"{name}.jsonl") as partial, partial.open("w", encoding="utf-8") as file:
            print_rows(map(_row, items), file)
    say("training")
    files = {name: [str(folder / f"{name}.jsonl")] for name in parts}
    train(recipe.model_copy(update=files), folder / "model", say)
    model = str(folder / "model")
    system = System(fold.name, scheme, Predictor.load(model, recipe.precision), model_sha256(model))
    transcript = transcribe(system, judged, training, say=say)
    write_transcript(transcript, folder / ANSWERS_FOLDER, judged, scheme)
    write_report(report_on(system, judged, transcript, [], say), folder)


def _row(item: LabelledArticle) -> dict[str, Any]:
    """A labelled article as its line in a file."""
    sentences = [
        {"text": sentence.text}
        | {head: labels[n] for head, labels in item.labels.items()}
        | {f"{head}_probabilities": dict(chances[n]) for head, chances in item.taught.items()}
        for n, sentence in enumerate(item.article.sentences)
    ]
    return {**item.article.extra, "id": item.article.id, "conflict": item.conflict.name, "sentences": sentences}


def _notes(folds: Sequence[Fold], output: Path) -> list[str]:
    """How much the folds differ, by head."""
    reports = [json.loads((output / fold.name / JSON_FILE).read_text(encoding="utf-8")) for fold in folds]
    values: dict[str, list[float]] = {}
    for report in reports:
        for head, figures in report["heads"].items():
            values.setdefault(head, []).append(figures["macro_f1"]["value"])
    return [
        f"{head}: macro-F1 of the folds {mean(scores):.3f} on average, standard deviation {stdev(scores):.3f}"
        for head, scores in values.items()
    ]
