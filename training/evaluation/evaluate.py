"""A system on labelled articles → a `Report`: how good, how sure, where it fails, whether it is fair."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...model.errors import InputError
from ...model.labels import Scheme
from ...model.predictor import Predictor
from ..corpus import LabelledArticle, check_ids, labelled_heads
from .baselines import baseline_answers
from .bootstrap import CONFIDENCE, RESAMPLES, SEED, article_weights
from .figures import figures, judge_all
from .judged import Answers, model_answers
from .mistakes import confident_errors, suspected_labels
from .nameswap import NAMES_SWAPPED, swapped_answers
from .probes import probes_of
from .slices import slices
from .transcript import Transcript

SCHEMA = "whosays-report/2"

Say = Callable[[str], None]
"""Told in a few words what is being done."""


@dataclass(frozen=True)
class System:
    """What is evaluated: its name, and the model behind it, None for answers from a file.

    `model_sha256` is that of the model's folder (`checkpoint.model_sha256`), by which its card knows the report.
    """

    name: str
    scheme: Scheme
    predictor: Predictor | None = None
    model_sha256: str | None = None


@dataclass(frozen=True)
class Report:
    """Everything a report says, as plain JSON types; training/evaluation/REPORT.md describes each key.

    `articles` and `answers` are what it is about; they go to predictions.jsonl and not into report.json.
    """

    system: str
    model_sha256: str | None
    scheme: dict[str, Any]
    data: dict[str, Any]
    bootstrap: dict[str, Any]
    heads: dict[str, Any]
    joint: dict[str, Any]
    baselines: dict[str, Any]
    probes: dict[str, Any]
    name_swap: dict[str, Any] | None
    slices: list[dict[str, Any]]
    errors: dict[str, Any]
    suspects: dict[str, Any]
    notes: list[str]
    articles: Sequence[LabelledArticle]
    answers: Answers

    def to_dict(self) -> dict[str, Any]:
        """The content of report.json, its keys in reading order."""
        content = {name: value for name, value in vars(self).items() if name not in ("articles", "answers")}
        return {"schema": SCHEMA} | content


def evaluate(
    system: System,
    articles: Sequence[LabelledArticle],
    training: Sequence[LabelledArticle],
    answers: Answers | None = None,
    development: Sequence[LabelledArticle] = (),
    taught: Sequence[LabelledArticle] = (),
    notes: Sequence[str] = (),
    say: Say = lambda doing: None,
) -> Report:
    """Report on a model, or on `answers` that a system gave. Baselines learn from `training`; `development` is
    what the model's epoch was chosen on, `taught` what it learnt from beside `training`.

    Raises `InputError` if two articles share an id, nothing has gold labels, or there are only answers for
    what has none.
    """
    transcript = transcribe(system, articles, training, answers, say)
    found = [
        *_head_notes(articles, transcript.answers, system.scheme),
        *_data_notes(articles, [*training, *taught], development, system.predictor is not None),
    ]
    return report_on(system, articles, transcript, [*notes, *found], say)


def transcribe(
    system: System,
    articles: Sequence[LabelledArticle],
    training: Sequence[LabelledArticle],
    answers: Answers | None = None,
    say: Say = lambda doing: None,
) -> Transcript:
    """What the system, the baselines and, under each probe, the system's model say of `articles`.

    Baselines learn from those articles of `training` that are not among them. Raises `InputError` as `evaluate` does.
    """
    check_articles(articles, system.scheme)
    if answers is None:
        assert system.predictor is not None
        say("labelling")
        answers = model_answers(system.predictor, articles)
    say("baselines")
    baselines = baseline_answers(apart_from(training, articles), articles, system.scheme)
    probed = {}
    if system.predictor is not None:
        for key, probe in probes_of(system.scheme).items():
            say(f"probe: {probe.title}")
            probed[key] = probe.answers(system.predictor, articles)
        say("probe: names swapped")
        probed[NAMES_SWAPPED] = swapped_answers(system.predictor, articles)
    return Transcript(answers, baselines, probed)


def report_on(
    system: System,
    articles: Sequence[LabelledArticle],
    transcript: Transcript,
    notes: Sequence[str],
    say: Say = lambda doing: None,
) -> Report:
    """The report on what systems said. Raises `InputError` if no head has both gold and answers."""
    scheme, answers = system.scheme, transcript.answers
    judged = judge_all(scheme, articles, answers)
    if not judged:
        raise InputError("no head has both gold labels and answers; give labels for a head that the gold has")
    say("figures and their intervals")
    weights = article_weights(len(articles))
    found = figures(scheme, articles, transcript, weights)
    say("slices and errors")
    return Report(
        system=system.name,
        model_sha256=system.model_sha256,
        scheme=scheme.to_dict(),
        data=describe(articles, scheme),
        bootstrap={"resamples": RESAMPLES, "seed": SEED, "confidence": CONFIDENCE, "unit": "article"},
        **found,
        slices=slices(judged, articles, weights),
        errors={name: confident_errors(table, articles, answers) for name, table in judged.items()},
        suspects={
            name: suspected_labels(table, articles, answers) for name, table in judged.items() if table.probabilities
        },
        notes=[*notes, *_baseline_notes(found["heads"], found["baselines"])],
        articles=articles,
        answers=answers,
    )


def describe(articles: Sequence[LabelledArticle], scheme: Scheme) -> dict[str, Any]:
    """What was evaluated on; `gold_sha256` is the same for the same sentences and labels in any order of
    articles."""
    digest = hashlib.sha256()
    for item in sorted(articles, key=lambda item: item.article.id):
        texts = [sentence.text for sentence in item.article.sentences]
        labels = {name: item.labels[name] for name in sorted(scheme.names)}
        entry = [item.article.id, item.conflict.name, item.conflict.keys, texts, labels]
        digest.update(json.dumps(entry, sort_keys=True).encode())
    conflicts = Counter(item.conflict.name for item in articles)
    return {
        "articles": len(articles),
        "sentences": sum(len(item.article.sentences) for item in articles),
        "conflicts": dict(sorted(conflicts.items())),
        "gold_sha256": digest.hexdigest(),
    }


def check_articles(articles: Sequence[LabelledArticle], scheme: Scheme) -> None:
    """Raise `InputError` if two articles share an id, or no sentence has a label."""
    check_ids(articles)
    if not labelled_heads(articles, scheme):
        names = " or ".join(scheme.names)
        raise InputError(f"the data have no gold labels of {names}; give sentences a label for at least one head")


def _head_notes(articles: Sequence[LabelledArticle], answers: Answers, scheme: Scheme) -> list[str]:
    """The heads that the report leaves out."""
    notes, judged = [], labelled_heads(articles, scheme)
    for head in scheme.heads:
        if head not in judged:
            notes.append(f"no gold labels for {head.name}; it is left out")
        elif head.name not in answers[0][0].labels:
            notes.append(f"the system gives no labels for {head.name}; it is left out")
    return notes


def _baseline_notes(heads: Iterable[str], baselines: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The heads that baselines could not learn; over several trainings, in one of them at least."""
    unlearnt = [head for head in heads if head not in baselines.get("tfidf", {})]
    if not unlearnt:
        return []
    return [f"majority and TF-IDF are left out for {', '.join(unlearnt)}, for want of labels to learn from"]


def apart_from(training: Sequence[LabelledArticle], articles: Sequence[LabelledArticle]) -> list[LabelledArticle]:
    """The training articles that are not among `articles`."""
    ids = {item.article.id for item in articles}
    return [item for item in training if item.article.id not in ids]


def _data_notes(
    articles: Sequence[LabelledArticle],
    training: Sequence[LabelledArticle],
    development: Sequence[LabelledArticle],
    is_model: bool,
) -> list[str]:
    """What of `articles` was seen before. `training` is all that was learnt from."""
    notes = []
    judged = {item.article.id for item in articles}
    learnt_from = {item.article.id for item in training} & judged
    if learnt_from:
        notes.append(
            f"{len(learnt_from)} of these articles are in the training data"
            + (", so the model's figures may be too kind" if is_model else "")
            + "; the baselines learnt without them"
        )
    chosen_on = {item.article.id for item in development} & judged
    if chosen_on:
        notes.append(
            f"{len(chosen_on)} of these articles are in the development data, on which the model's epoch was chosen "
            "and its temperatures fitted, so its figures may be too kind"
        )
    known = {item.conflict.name for item in apart_from(training, articles)} & {item.conflict.name for item in articles}
    if known:
        notes.append(f"conflicts that are in the training data too: {', '.join(sorted(known))}")
    return notes
