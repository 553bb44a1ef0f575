"""A system on labelled articles → a `Report`: how good, how sure, where it fails, whether it is fair."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...model.errors import InputError
from ...model.labels import Scheme
from ...model.predictor import Predictor
from ..corpus import LabelledArticle
from .baselines import baseline_answers
from .bootstrap import CONFIDENCE, RESAMPLES, SEED, article_weights, share
from .by_conflict import by_conflict
from .judged import MISSING, Answers, Judged, judge_head, model_answers
from .metrics import paired_difference, pooled_confusion, summary
from .mistakes import confident_errors, suspected_labels
from .nameswap import swap_bias
from .probes import PROBES, probe_figures
from .reliability import calibration, precision_recall, risk_coverage
from .slices import slices

SCHEMA = "whosays-report/1"

Say = Callable[[str], None]
"""Told in a few words what is being done."""


@dataclass(frozen=True)
class System:
    """What is evaluated: its name, and the model behind it, None for answers from a file."""

    name: str
    scheme: Scheme
    predictor: Predictor | None = None


@dataclass(frozen=True)
class Report:
    """Everything a report says, as plain JSON types; training/evaluation/REPORT.md describes each key.

    `articles` and `answers` are what it is about; they go to predictions.jsonl and not into report.json.
    """

    system: str
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
    notes: Sequence[str] = (),
    say: Say = lambda doing: None,
) -> Report:
    """Report on a model, or on `answers` that a system gave. Baselines learn from `training`; `development` is
    what the model's epoch was chosen on.

    Raises `InputError` if two articles share an id, nothing has gold labels, or there are only answers for
    what has none.
    """
    check_articles(articles, system.scheme)
    if answers is None:
        assert system.predictor is not None
        say("labelling")
        answers = model_answers(system.predictor, articles)
    say("baselines")
    ids = {item.article.id for item in articles}
    apart = [item for item in training if item.article.id not in ids]
    baselines = baseline_answers(apart, articles, system.scheme)
    found = [
        *_head_notes(articles, answers, system.scheme),
        *_data_notes(articles, training, apart, development, system.predictor is not None),
    ]
    return report_on(system, articles, answers, baselines, [*notes, *found], say)


def report_on(
    system: System,
    articles: Sequence[LabelledArticle],
    answers: Answers,
    baselines: Mapping[str, Answers],
    notes: Sequence[str],
    say: Say = lambda doing: None,
) -> Report:
    """The report on answers and baselines' answers that are at hand; a model's probes are run here."""
    weights = article_weights(len(articles))
    judged = judge_all(system.scheme, articles, answers)
    if not judged:
        raise InputError("no head has both gold labels and answers; give labels for a head that the gold has")
    say("intervals")
    heads = {name: head_report(table, weights) for name, table in judged.items()}
    probes, swap = {}, None
    if system.predictor is not None:
        for key, probe in PROBES.items():
            say(f"probe: {probe.title}")
            after = probe.answers(system.predictor, articles)
            probes[key] = probe_figures(probe, system.scheme, articles, answers, after, weights)
        say("probe: names swapped")
        swap = swap_bias(system.predictor, articles, answers, weights)
    say("slices and errors")
    return Report(
        system=system.name,
        scheme=system.scheme.to_dict(),
        data=describe(articles, system.scheme),
        bootstrap={"resamples": RESAMPLES, "seed": SEED, "confidence": CONFIDENCE, "unit": "article"},
        heads=heads,
        joint=joint_accuracy(judged, len(articles), weights),
        baselines={
            name: _beside(judged, judge_all(system.scheme, articles, rows), weights) for name, rows in baselines.items()
        },
        probes=probes,
        name_swap=swap,
        slices=slices(judged, articles, weights),
        errors={name: confident_errors(table, articles, answers) for name, table in judged.items()},
        suspects={
            name: suspected_labels(table, articles, answers) for name, table in judged.items() if table.probabilities
        },
        notes=list(notes),
        articles=articles,
        answers=answers,
    )


def judge_all(scheme: Scheme, articles: Sequence[LabelledArticle], answers: Answers) -> dict[str, Judged]:
    """The sentences with gold beside the answers, for each head that has gold and that the system answers."""
    return {
        head.name: table
        for head in scheme.heads
        if head.name in answers[0][0].labels and len(table := judge_head(head, articles, answers))
    }


def _beside(
    judged: Mapping[str, Judged], baseline: Mapping[str, Judged], weights: np.ndarray
) -> dict[str, dict[str, Any]]:
    """A baseline's figures by head, and `lead`: how far the system's macro-F1 is above it, paired by
    article."""
    return {
        name: summary(table, weights) | {"lead": paired_difference(judged[name], table, weights)["macro_f1"]}
        for name, table in baseline.items()
        if name in judged
    }


def head_report(judged: Judged, weights: np.ndarray) -> dict[str, Any]:
    """All figures of one head; those that need scores or probabilities are null where the system gives
    none."""
    answered = judged.take(judged.predicted != MISSING)
    scores = answered.scores if len(answered) else None
    return {
        **summary(judged, weights),
        "confusion": pooled_confusion(judged),
        "by_conflict": by_conflict(judged, weights),
        "precision_recall": precision_recall(judged) if judged.probabilities else None,
        "calibration": None if scores is None else calibration(scores, answered.right),
        "risk_coverage": None if scores is None else risk_coverage(scores, answered.right),
    }


def joint_accuracy(judged: Mapping[str, Judged], articles: int, weights: np.ndarray) -> dict[str, Any]:
    """The share of sentences with gold for every judged head whose labels are all right."""
    counts: Counter[tuple[int, int]] = Counter()
    right: Counter[tuple[int, int]] = Counter()
    for table in judged.values():
        for a, n, hit in zip(table.articles, table.sentences, table.right, strict=True):
            counts[a, n] += 1
            right[a, n] += int(hit)
    hits, total = np.zeros(articles), np.zeros(articles)
    for place, count in counts.items():
        if count == len(judged):
            total[place[0]] += 1
            hits[place[0]] += right[place] == count
    return {"heads": list(judged), "sentences": int(total.sum()), "accuracy": share(hits, total, weights)}


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
    ids = Counter(item.article.id for item in articles)
    id, count = ids.most_common(1)[0]
    if count > 1:
        raise InputError(f"article '{id}' is in the data {count} times; give each article once, with its own id")
    if not any(label is not None for item in articles for name in scheme.names for label in item.labels[name]):
        raise InputError("the data have no gold labels; give sentences a label for at least one head")


def _head_notes(articles: Sequence[LabelledArticle], answers: Answers, scheme: Scheme) -> list[str]:
    """The heads that the report leaves out."""
    notes = []
    for head in scheme.names:
        if not any(label is not None for item in articles for label in item.labels[head]):
            notes.append(f"no gold labels for {head}; it is left out")
        elif head not in answers[0][0].labels:
            notes.append(f"the system gives no labels for {head}; it is left out")
    return notes


def _data_notes(
    articles: Sequence[LabelledArticle],
    training: Sequence[LabelledArticle],
    apart: Sequence[LabelledArticle],
    development: Sequence[LabelledArticle],
    is_model: bool,
) -> list[str]:
    """What of `articles` was seen before; `apart` is `training` without them."""
    notes = []
    if len(apart) < len(training):
        notes.append(
            f"{len(training) - len(apart)} of these articles are in the training data"
            + (", so the model's figures may be too kind" if is_model else "")
            + "; the baselines learnt without them"
        )
    chosen_on = {item.article.id for item in development} & {item.article.id for item in articles}
    if chosen_on:
        notes.append(
            f"{len(chosen_on)} of these articles are in the development data, on which the model's epoch was chosen "
            "and its temperatures fitted, so its figures may be too kind"
        )
    known = {item.conflict.name for item in apart} & {item.conflict.name for item in articles}
    if known:
        notes.append(f"conflicts that are in the training data too: {', '.join(sorted(known))}")
    return notes
