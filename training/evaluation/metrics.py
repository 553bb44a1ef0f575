"""What is computed from gold labels and a system's answers. Point figures come from scikit-learn.

Intervals need each figure a thousand times over, so they come from each article's counts by class: resampled
articles are a weighted sum of counts, from which `count_figures` computes all figures at once.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.metrics import (
    accuracy_score,
    cohen_kappa_score,
    confusion_matrix,
    f1_score,
    matthews_corrcoef,
    precision_recall_fscore_support,
    precision_score,
    recall_score,
)

from ...model.labels import Head
from .bootstrap import Figure, figure
from .judged import MISSING, Judged

ANY_SIDE = "side"
"""The class that stands for all sides of all conflicts in pooled figures; only the right side counts as
right."""
WRONG_SIDE = "wrong side"
UNANSWERED = "no answer"
UNDEFINED: Any = 0.0
"""The score of a class that is neither in gold nor given."""


def pooled_f1(head: Head, gold: Sequence[str], predicted: Sequence[str], conflicts: Sequence[str]) -> dict[str, float]:
    """F1 by class over sentences of any number of conflicts; their mean is the macro-F1 that we report.

    A class that is neither in gold nor given is left out: there is nothing to be right or wrong about.
    The sides of all conflicts together are one class, `ANY_SIDE`, whose F1 is the micro-average over sides: a
    sentence of one side given to another counts against it twice, as missed and as wrongly found.
    """
    occurring = {label if label in head.labels else ANY_SIDE for label in {*gold, *predicted} - {MISSING}}
    by_class = pooled_scores(head, gold, predicted, conflicts)
    return {label: scores[2] for label, scores in by_class.items() if label in occurring}


def pooled_scores(
    head: Head, gold: Sequence[str], predicted: Sequence[str], conflicts: Sequence[str]
) -> dict[str, tuple[float, float, float, int]]:
    """(precision, recall, F1, number of gold sentences) by class, the classes as in `pooled_f1` and also those
    that do not occur; 0 where undefined."""
    by_class = dict(zip(head.labels, class_scores(gold, predicted, list(head.labels)), strict=True))
    if head.points:
        fixed = {*head.labels, MISSING}
        own_gold = [f"{c}\t{label}" for c, label in zip(conflicts, gold, strict=True)]
        own_predicted = [f"{c}\t{label}" for c, label in zip(conflicts, predicted, strict=True)]
        pairs = zip([*own_gold, *own_predicted], [*gold, *predicted], strict=True)
        sides = sorted({own for own, label in pairs if label not in fixed})
        precision, recall, f1 = 0.0, 0.0, 0.0
        if sides:
            precision, recall, f1 = (
                float(score(own_gold, own_predicted, labels=sides, average="micro", zero_division=UNDEFINED))
                for score in (precision_score, recall_score, f1_score)
            )
        by_class[ANY_SIDE] = (precision, recall, f1, sum(label not in fixed for label in gold))
    return by_class


def class_scores(
    gold: Sequence[str], predicted: Sequence[str], labels: list[str]
) -> list[tuple[float, float, float, int]]:
    """(precision, recall, F1, number of gold sentences) of each of `labels`; 0 where undefined."""
    table: Any = precision_recall_fscore_support(gold, predicted, labels=labels, average=None, zero_division=UNDEFINED)
    return [(float(p), float(r), float(f), int(n)) for p, r, f, n in zip(*table, strict=True)]


def macro_f1(by_class: dict[str, float]) -> float:
    """The mean of F1 scores by class."""
    return sum(by_class.values()) / len(by_class)


def article_counts(judged: Judged, articles: int) -> tuple[np.ndarray, list[str]]:
    """Counts of each article [3, articles, C]: sentences given each class rightly, with it as gold, and given
    it; and the C classes.

    The classes are the head's labels, every side as "conflict<tab>side", and last `MISSING`.
    """
    gold, predicted = judged.own(judged.gold), judged.own(judged.predicted)
    fixed = [*judged.head.labels, MISSING]
    classes = [*judged.head.labels, *sorted({*gold, *predicted} - set(fixed)), MISSING]
    index = {label: i for i, label in enumerate(classes)}
    true = np.array([index[label] for label in gold], dtype=int)
    given = np.array([index[label] for label in predicted], dtype=int)
    counts = np.zeros((3, articles, len(classes)))
    np.add.at(counts[0], (judged.articles, true), true == given)
    np.add.at(counts[1], (judged.articles, true), 1)
    np.add.at(counts[2], (judged.articles, given), 1)
    return counts, classes


def resample(counts: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The counts of each resample [3, resamples, C] from those of articles [3, articles, C]."""
    used = np.flatnonzero(counts.any((0, 2)))
    return weights[:, used] @ counts[:, used]


def mean_over_classes(scores: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """The mean over classes [...] of scores [..., C]; a class that is not a number takes its value in `whole`
    [C].

    A rare class is in some resamples and not in others. Were it left out where it is missing, the mean would
    be over other classes each time; were it 0 there, a perfect system would seem to vary.
    """
    return np.where(np.isnan(scores), whole, scores).mean(-1)


def count_figures(counts: np.ndarray, whole: np.ndarray, head: Head) -> dict[str, np.ndarray]:
    """Every figure of counts [3, ..., C] as `article_counts` and `resample` give them, each [...].

    `whole` [3, C] is the count of the whole sample, which decides the classes that means are over: macro-F1
    is over those in gold or given, balanced accuracy (the mean recall) over those in gold. Precision, recall
    and F1 of a class are not a number where there is none of it. Matthews correlation for several classes
    after Gorodkin (2004).
    """
    right, gold, given = counts
    n, hits = gold.sum(-1), right.sum(-1)
    figures: dict[str, np.ndarray] = {}
    with np.errstate(invalid="ignore", divide="ignore"):
        for label, part in _class_parts(head).items():
            class_hits, true, named = (by_class[..., part].sum(-1) for by_class in counts)
            figures[f"{label}.precision"] = class_hits / named
            figures[f"{label}.recall"] = class_hits / true
            figures[f"{label}.f1"] = 2 * class_hits / (true + named)
        whole_f1 = _class_f1(whole, head)
        by_class = np.stack([figures[f"{label}.f1"] for label in whole_f1], axis=-1)
        figures["macro_f1"] = mean_over_classes(by_class, np.array(list(whole_f1.values())))
        figures["accuracy"] = hits / n
        figures["micro_f1"] = 2 * hits / (n + given[..., :-1].sum(-1))
        occurring = whole[1] > 0
        figures["balanced_accuracy"] = mean_over_classes(
            (right / gold)[..., occurring], whole[0, occurring] / whole[1, occurring]
        )
        chance = (gold * given).sum(-1)
        figures["kappa"] = (n * hits - chance) / (n**2 - chance)
        spread = (n**2 - (gold**2).sum(-1)) * (n**2 - (given**2).sum(-1))
        figures["mcc"] = np.where(spread > 0, (n * hits - chance) / np.sqrt(spread), 0.0)
    return figures


def _class_f1(whole: np.ndarray, head: Head) -> dict[str, float]:
    """F1 by pooled class of counts [3, C], without the classes that are neither in gold nor given."""
    parts = _class_parts(head)
    totals = {label: whole[:, part].sum(-1) for label, part in parts.items()}
    return {label: 2 * hits / (true + named) for label, (hits, true, named) in totals.items() if true + named}


def _class_parts(head: Head) -> dict[str, slice]:
    """Where each pooled class stands among the classes: a label by itself, the sides together."""
    parts = {label: slice(i, i + 1) for i, label in enumerate(head.labels)}
    return parts | ({ANY_SIDE: slice(len(head.labels), -1)} if head.points else {})


def resampled_figures(judged: Judged, weights: np.ndarray) -> dict[str, np.ndarray]:
    """Every figure in every resample [resamples]; `weights` [resamples, articles] as `bootstrap` draws
    them."""
    counts, _ = article_counts(judged, weights.shape[1])
    return count_figures(resample(counts, weights), counts.sum(1), judged.head)


def summary(judged: Judged, weights: np.ndarray) -> dict[str, Any]:
    """The figures of one head over all conflicts, each with its interval, and by class.

    A class that does not occur stands there with support 0 and does not count in macro-F1.
    """
    samples = _samples(judged, weights)
    pooled = pooled_scores(judged.head, list(judged.gold), list(judged.predicted), list(judged.conflicts))
    return {
        "sentences": len(judged),
        "unanswered": int((judged.predicted == MISSING).sum()),
        **{name: figure(value, samples.get(name)) for name, value in point_figures(judged).items()},
        "by_class": {
            label: {
                "precision": figure(precision, samples.get(f"{label}.precision")),
                "recall": figure(recall, samples.get(f"{label}.recall")),
                "f1": figure(f1, samples.get(f"{label}.f1")),
                "support": support,
            }
            for label, (precision, recall, f1, support) in pooled.items()
        },
    }


def paired_difference(ours: Judged, theirs: Judged, weights: np.ndarray) -> dict[str, Figure]:
    """`ours` less `theirs` of each overall figure, on the same sentences; the same resamples serve both."""
    first, second = _samples(ours, weights), _samples(theirs, weights)
    points = point_figures(ours), point_figures(theirs)
    return {
        name: figure(value - points[1][name], first[name] - second[name] if first else None)
        for name, value in points[0].items()
    }


def point_figures(judged: Judged) -> dict[str, float]:
    """Macro-F1 and the figures of `overall`."""
    by_class = pooled_f1(judged.head, list(judged.gold), list(judged.predicted), list(judged.conflicts))
    return {"macro_f1": macro_f1(by_class)} | overall(judged)


def _samples(judged: Judged, weights: np.ndarray) -> dict[str, np.ndarray]:
    """`resampled_figures`, or nothing where all sentences are of one article: there is nothing to
    resample."""
    return resampled_figures(judged, weights) if len(set(judged.articles)) > 1 else {}


def overall(judged: Judged) -> dict[str, float]:
    """Figures over all classes at once, every side of every conflict a class of its own."""
    gold, predicted = list(judged.own(judged.gold)), list(judged.own(judged.predicted))
    answered = sorted({*gold, *predicted} - {MISSING})
    # With a single class agreement by chance is complete: kappa is not defined, and the correlation 0 by convention.
    single = len({*gold, *predicted}) == 1
    return {
        "accuracy": float(accuracy_score(gold, predicted)),
        "micro_f1": float(f1_score(gold, predicted, labels=answered, average="micro", zero_division=UNDEFINED)),
        "balanced_accuracy": float(recall_score(gold, predicted, labels=sorted(set(gold)), average="macro")),
        "mcc": 0.0 if single else float(matthews_corrcoef(gold, predicted)),
        "kappa": float("nan") if single else float(cohen_kappa_score(gold, predicted)),
    }


def pooled_confusion(judged: Judged) -> dict[str, Any]:
    """Confusion counts and row shares with the sides of all conflicts as one class.

    A sentence of one side given to another side stands in the column `WRONG_SIDE`, one left open in
    `UNANSWERED`.
    """
    fixed = list(judged.head.labels)
    gold = [label if label in fixed else ANY_SIDE for label in judged.gold]
    predicted = []
    for true, label in zip(judged.gold, judged.predicted, strict=True):
        if label == MISSING:
            predicted.append(UNANSWERED)
        elif label in fixed:
            predicted.append(label)
        else:
            predicted.append(WRONG_SIDE if true not in fixed and true != label else ANY_SIDE)
    side = [ANY_SIDE] if judged.head.points else []
    wrong = [WRONG_SIDE] if judged.head.points else []
    return confusion(gold, predicted, [*fixed, *side], [*wrong, *([UNANSWERED] if UNANSWERED in predicted else [])])


def confusion(gold: list[str], predicted: list[str], labels: list[str], further: list[str]) -> dict[str, Any]:
    """Counts with `labels` in rows and `labels` then `further` in columns, and each row's shares (0 if it is
    empty)."""
    counts = confusion_matrix(gold, predicted, labels=[*labels, *further])[: len(labels)]
    shares = counts / counts.sum(axis=1, keepdims=True).clip(min=1)
    return {
        "gold": labels,
        "predicted": [*labels, *further],
        "counts": counts.tolist(),
        "row_shares": shares.tolist(),
    }
