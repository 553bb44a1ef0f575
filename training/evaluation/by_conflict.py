"""Figures of one head on each conflict, where every voice, each side too, is a class of its own."""

from typing import Any

import numpy as np

from .bootstrap import figure, too_small
from .judged import MISSING, Judged
from .metrics import (
    UNANSWERED,
    article_counts,
    class_scores,
    confusion,
    mean_over_classes,
    overall,
    resample,
)


def by_conflict(judged: Judged, weights: np.ndarray) -> dict[str, Any]:
    """`conflict_figures` of each conflict that has gold, by name."""
    return {
        str(name): conflict_figures(judged.take(judged.conflicts == name), weights)
        for name in sorted(set(judged.conflicts))
    }


def conflict_figures(judged: Judged, weights: np.ndarray) -> dict[str, Any]:
    """Figures of one conflict's sentences.

    `macro_f1` is the mean F1 over the voices (labels) that occur in the conflict's gold; for a conflict of
    two sides in which `both` never occurs, that is the four-way figure none / other / side / side.
    """
    gold = list(judged.gold)
    labels = [
        *judged.head.labels,
        *sorted({*judged.gold, *judged.predicted} - {*judged.head.labels, MISSING}),
    ]
    occurring = [label for label in labels if label in set(gold)]
    samples = _resampled(judged, weights) if len(set(judged.articles)) > 1 else None
    scores = dict(zip(labels, class_scores(gold, list(judged.predicted), labels), strict=True))
    f1 = np.array([scores[label][2] for label in occurring])
    hits = None if samples is None else samples[0]
    by_label = {} if samples is None else samples[1]
    macro = mean_over_classes(np.stack([by_label[label] for label in occurring], -1), f1) if by_label else None
    predicted = [label if label != MISSING else UNANSWERED for label in judged.predicted]
    articles = len(set(judged.articles))
    return {
        "articles": articles,
        "sentences": len(judged),
        "small": too_small(len(judged), articles),
        "macro_f1": figure(float(f1.mean()), macro),
        "accuracy": figure(overall(judged)["accuracy"], hits),
        "by_voice": {
            label: {
                "precision": precision,
                "recall": recall,
                "f1": figure(value, by_label.get(label)),
                "support": support,
            }
            for label, (precision, recall, value, support) in scores.items()
        },
        "confusion": confusion(gold, predicted, labels, [UNANSWERED] if UNANSWERED in predicted else []),
    }


def _resampled(judged: Judged, weights: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Accuracy and F1 by label in every resample; not a number where a resample holds none of it."""
    counts, classes = article_counts(judged, weights.shape[1])
    right, gold, given = resample(counts, weights)
    with np.errstate(invalid="ignore"):
        f1 = 2 * right / (gold + given)
        accuracy = right.sum(-1) / gold.sum(-1)
    return accuracy, {label.rpartition("\t")[2]: f1[:, i] for i, label in enumerate(classes)}
