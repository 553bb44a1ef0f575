"""Can the scores be believed? Calibration, precision against recall, and accuracy when unsure sentences are
left open.

Each area or error has its interval from the same resamples of articles as all other figures.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.sparse import csr_array
from sklearn.metrics import average_precision_score, precision_recall_curve

from .bootstrap import figure
from .judged import Judged
from .metrics import ANY_SIDE, macro_f1, pooled_f1

BINS = 10
KEPT_SHARES = (1.0, 0.9, 0.8, 0.7)
"""How much is kept where macro-F1 among the surest sentences is given."""
CURVE_POINTS = 201
"""Points kept of a curve; enough to draw it."""
_BLOCK = 2_000_000
"""Numbers held at once while resampling a curve: resamples times points."""


def calibration(judged: Judged, weights: np.ndarray) -> dict[str, Any]:
    """Expected calibration error, and the bins of the reliability diagram.

    `judged` has a score in [0, 1] for every label given. Ten equal bins (low, high]; the error is Σ (nₖ / n)
    · |accuracyₖ − mean scoreₖ| (Naeini et al. 2015; Guo et al. 2017). Empty bins have null figures.
    """
    assert judged.scores is not None
    edges = np.linspace(0, 1, BINS + 1)
    place = np.clip(np.searchsorted(edges, judged.scores, side="left") - 1, 0, BINS - 1)
    counts, hits, scores = np.zeros((3, weights.shape[1], BINS))
    np.add.at(counts, (judged.articles, place), 1)
    np.add.at(hits, (judged.articles, place), judged.right)
    np.add.at(scores, (judged.articles, place), judged.scores)
    samples = None
    if len(set(judged.articles)) > 1:
        with np.errstate(invalid="ignore"):
            samples = np.abs(weights @ (hits - scores)).sum(-1) / (weights @ counts).sum(-1)
    counts, hits, scores = counts.sum(0), hits.sum(0), scores.sum(0)
    return {
        "ece": figure(float(np.abs(hits - scores).sum() / counts.sum()), samples),
        "bins": [
            {
                "low": float(edges[k]),
                "high": float(edges[k + 1]),
                "sentences": int(counts[k]),
                "accuracy": float(hits[k] / counts[k]) if counts[k] else None,
                "score": float(scores[k] / counts[k]) if counts[k] else None,
            }
            for k in range(BINS)
        ],
    }


def risk_coverage(judged: Judged, weights: np.ndarray) -> dict[str, Any]:
    """Share of wrong labels (risk) among the surest sentences, by the share of sentences kept (coverage).

    Sentences of one score are kept or left together. `aurc` is the mean risk over all coverages (Geifman and
    El-Yaniv 2017): Σ risk at each kept sentence / n, ties sharing the risk at their end.
    """
    assert judged.scores is not None
    distinct, places = np.unique(-judged.scores, return_inverse=True)
    ((kept, wrong),) = _ranked(places, ~judged.right, judged.articles, np.ones((1, weights.shape[1])))
    points = _spread(len(distinct))
    samples = None
    if len(set(judged.articles)) > 1:
        drawn = _ranked(places, ~judged.right, judged.articles, weights)
        samples = np.concatenate([_mean_share(*counts) for counts in drawn])
    return {
        "aurc": figure(float(_mean_share(kept, wrong)[0]), samples),
        "coverage": (kept[0] / len(judged))[points].tolist(),
        "risk": (wrong[0] / kept[0])[points].tolist(),
        "threshold": (-distinct)[points].tolist(),
        "kept": [_kept(judged, share) for share in KEPT_SHARES],
    }


def _kept(judged: Judged, share: float) -> dict[str, float | None]:
    """Macro-F1 of the surest sentences, `share` of all or, since those of one score go together, a few more.

    None where a class of the gold has no sentence left: a mean of fewer classes would not compare.
    """
    assert judged.scores is not None
    threshold = float(np.sort(judged.scores)[::-1][max(0, int(np.ceil(share * len(judged))) - 1)])
    surest = judged.take(judged.scores >= threshold)
    whole, scores = (
        pooled_f1(some.head, list(some.gold), list(some.predicted), list(some.conflicts)) for some in (judged, surest)
    )
    macro = macro_f1(scores) if scores.keys() == whole.keys() else None
    return {"coverage": len(surest) / len(judged), "threshold": threshold, "macro_f1": macro}


def precision_recall(judged: Judged, weights: np.ndarray) -> dict[str, Any]:
    """Average precision and the precision–recall curve of each class that occurs in gold, one class against
    the rest.

    The sides together are one curve, whose points are (sentence, side) pairs: the micro-average over sides.
    """
    assert judged.probabilities is not None
    curves = {}
    for label in judged.head.labels:
        scores = [row.get(label, 0.0) for row in judged.probabilities]
        curves[label] = (judged.gold == label, np.array(scores, dtype=float), judged.articles)
    if judged.head.points:
        pairs = [
            (gold == name, p, article)
            for gold, row, article in zip(judged.gold, judged.probabilities, judged.articles, strict=True)
            for name, p in row.items()
            if name not in judged.head.labels
        ]
        curves[ANY_SIDE] = (
            np.array([truth for truth, _, _ in pairs], dtype=bool),
            np.array([p for _, p, _ in pairs], dtype=float),
            np.array([article for _, _, article in pairs], dtype=int),
        )
    return {
        label: _curve(truth, scores, articles, weights)
        for label, (truth, scores, articles) in curves.items()
        if truth.any()
    }


def _curve(truth: np.ndarray, scores: np.ndarray, articles: np.ndarray, weights: np.ndarray) -> dict[str, Any]:
    # Only where recall changes: of all points, evenly taken, a rare class would keep next to none.
    precision, recall, _ = precision_recall_curve(truth, scores, drop_intermediate=True)
    points = _spread(len(precision))
    samples = None
    if len(set(articles[truth])) > 1:
        # Average precision is the mean, over the class's items, of the class's share among all down to that score.
        ranks = np.unique(-scores, return_inverse=True)[1]
        places = np.searchsorted(np.unique(ranks[truth]), ranks)
        drawn = _ranked(places, truth, articles, weights)
        samples = np.concatenate([_mean_share(kept, found, over=found) for kept, found in drawn])
    return {
        "average_precision": figure(float(average_precision_score(truth, scores)), samples),
        "recall": recall[points].tolist(),
        "precision": precision[points].tolist(),
        "prevalence": float(truth.mean()),
    }


def _ranked(
    places: np.ndarray, marks: np.ndarray, articles: np.ndarray, weights: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """How many of n items stand at each place or above it, and how many of these are marked.

    places [n] count from 0, the top; marks bool [n]; articles [n] are the items' articles; weights [resamples,
    articles]. Yields two [block, places] for each block of resamples, so that memory stays bounded.
    """
    shape = weights.shape[1], int(places.max()) + 1
    items = csr_array((np.ones(len(places)), (articles, places)), shape)
    marked = csr_array((marks.astype(float), (articles, places)), shape)
    size = max(1, _BLOCK // shape[1])
    for start in range(0, len(weights), size):
        block = weights[start : start + size]
        yield np.cumsum(block @ items, axis=1), np.cumsum(block @ marked, axis=1)


def _mean_share(kept: np.ndarray, marked: np.ndarray, over: np.ndarray | None = None) -> np.ndarray:
    """The mean of marked / kept over all items kept, or over those counted in `over`, each [resamples, places];
    not a number where there is none."""
    over = kept if over is None else over
    share = np.divide(marked, kept, out=np.zeros_like(kept), where=kept > 0)
    with np.errstate(invalid="ignore"):
        return (share * np.diff(over, axis=1, prepend=0)).sum(axis=1) / over[:, -1]


def _spread(length: int) -> np.ndarray:
    """At most `CURVE_POINTS` of the indices below `length`, evenly spread, the ends among them."""
    return np.unique(np.linspace(0, length - 1, min(length, CURVE_POINTS)).round().astype(int))
