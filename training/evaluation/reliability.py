"""Can the scores be believed? Calibration, precision against recall, and accuracy when unsure sentences are
left open."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score, precision_recall_curve

from .judged import Judged
from .metrics import ANY_SIDE

BINS = 10
CURVE_POINTS = 101
"""Points kept of a curve; enough to draw it."""


def calibration(scores: np.ndarray, right: np.ndarray, bins: int = BINS) -> dict[str, Any]:
    """Expected calibration error, and the bins of the reliability diagram.

    scores [n] in [0, 1] of the labels given, right [n] bool. Equal bins (low, high]; the error is Σ (nₖ / n)
    · |accuracyₖ − mean scoreₖ| (Naeini et al. 2015; Guo et al. 2017). Empty bins have null figures.
    """
    edges = np.linspace(0, 1, bins + 1)
    place = np.clip(np.searchsorted(edges, scores, side="left") - 1, 0, bins - 1)
    counts = np.bincount(place, minlength=bins)
    accuracy = np.bincount(place, right, bins) / counts.clip(min=1)
    mean_score = np.bincount(place, scores, bins) / counts.clip(min=1)
    table = [
        {
            "low": float(edges[k]),
            "high": float(edges[k + 1]),
            "sentences": int(counts[k]),
            "accuracy": float(accuracy[k]) if counts[k] else None,
            "score": float(mean_score[k]) if counts[k] else None,
        }
        for k in range(bins)
    ]
    return {"ece": float((counts * np.abs(accuracy - mean_score)).sum() / len(scores)), "bins": table}


def risk_coverage(scores: np.ndarray, right: np.ndarray) -> dict[str, Any]:
    """Share of wrong labels (risk) among the surest sentences, by the share of sentences kept (coverage).

    Sentences of one score are kept or left together. `aurc` is the mean risk over all coverages (Geifman and
    El-Yaniv 2017): Σ risk at each kept sentence / n, ties sharing the risk at their end.
    """
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    kept = ends + 1
    risk = np.cumsum(~right[order])[ends] / kept
    aurc = float((risk * np.diff(kept, prepend=0)).sum() / len(scores))
    points = _thin(len(kept))
    return {
        "aurc": aurc,
        "coverage": (kept[points] / len(scores)).tolist(),
        "risk": risk[points].tolist(),
        "threshold": scores[order][ends][points].tolist(),
    }


def precision_recall(judged: Judged) -> dict[str, Any]:
    """Average precision and the precision–recall curve of each class that occurs in gold, one class against
    the rest.

    The sides together are one curve, whose points are (sentence, side) pairs: the micro-average over sides.
    """
    assert judged.probabilities is not None
    curves = {}
    for label in judged.head.labels:
        scores = [row.get(label, 0.0) for row in judged.probabilities]
        curves[label] = (judged.gold == label, np.array(scores, dtype=float))
    if judged.head.points:
        pairs = [
            (gold == name, p)
            for gold, row in zip(judged.gold, judged.probabilities, strict=True)
            for name, p in row.items()
            if name not in judged.head.labels
        ]
        curves[ANY_SIDE] = (
            np.array([y for y, _ in pairs], dtype=bool),
            np.array([p for _, p in pairs], dtype=float),
        )
    return {label: _curve(truth, scores) for label, (truth, scores) in curves.items() if truth.any()}


def _curve(truth: np.ndarray, scores: np.ndarray) -> dict[str, Any]:
    precision, recall, _ = precision_recall_curve(truth, scores)
    points = _thin(len(precision))
    return {
        "average_precision": float(average_precision_score(truth, scores)),
        "recall": recall[points].tolist(),
        "precision": precision[points].tolist(),
        "prevalence": float(truth.mean()),
    }


def _thin(length: int) -> Sequence[int]:
    """At most `CURVE_POINTS` of the indices below `length`, evenly spread, the ends among them."""
    return np.unique(np.linspace(0, length - 1, min(length, CURVE_POINTS)).round().astype(int)).tolist()
