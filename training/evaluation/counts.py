"""Every figure of `metrics` in every resample, for its interval.

A figure is needed a thousand times over, so it is computed from each article's counts by class: resampled articles
are a weighted sum of counts, from which `count_figures` computes all figures of all resamples at once.
"""

import numpy as np

from ...model.labels import Head
from .judged import MISSING, Judged
from .metrics import ANY_SIDE


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
    """The counts of each resample [3, resamples, C] from those of articles [3, articles, C].

    There are no resamples where all sentences are of one article: there is nothing to draw.
    """
    used = np.flatnonzero(counts.any((0, 2)))
    return (weights if len(used) > 1 else weights[:0])[:, used] @ counts[:, used]


def resampled_figures(judged: Judged, weights: np.ndarray) -> dict[str, np.ndarray]:
    """Every figure in every resample [resamples]; `weights` [resamples, articles] as `article_weights` draws them.

    What rests on a class of a single article is not a number in any of them, see `standing`.
    """
    counts, _ = article_counts(judged, weights.shape[1])
    figures = count_figures(resample(counts, weights), counts.sum(1), judged.head)
    for label, part in _class_parts(judged.head).items():
        by_article = _merged(counts, part)
        stands = standing(by_article)
        for name in (name for name, drawable in stands.items() if not drawable):
            figures[f"{label}.{name}"] = np.full(len(weights), np.nan)
        if by_article[1].any() and not stands["recall"]:
            figures |= dict.fromkeys(("macro_f1", "balanced_accuracy"), np.full(len(weights), np.nan))
    return figures


def count_figures(counts: np.ndarray, whole: np.ndarray, head: Head) -> dict[str, np.ndarray]:
    """Every figure of counts [3, ..., C] as `article_counts` and `resample` give them, each [...].

    Named as in `point_figures`, and "label.precision", "label.recall", "label.f1" by pooled class, which are not a
    number where there is none of it; no figure is where nothing is gold. `whole` [3, C] is the count of the whole
    sample: its gold decides the classes that means are over. Matthews correlation for several classes after Gorodkin
    (2004).
    """
    right, gold, given = counts
    n, hits = gold.sum(-1), right.sum(-1)
    figures: dict[str, np.ndarray] = {}
    with np.errstate(invalid="ignore", divide="ignore"):
        parts = _class_parts(head)
        by_class = {label: class_ratios(_merged(counts, part)) for label, part in parts.items()}
        in_whole = {label: class_ratios(_merged(whole, part)) for label, part in parts.items()}
        occurring = [label for label, part in parts.items() if whole[1, part].sum()]
        for figure, ratio in (("macro_f1", "f1"), ("balanced_accuracy", "recall")):
            figures[figure] = mean_over_classes(
                np.stack([by_class[label][ratio] for label in occurring], axis=-1),
                np.array([in_whole[label][ratio] for label in occurring]),
            )
        for label, ratios in by_class.items():
            figures |= {f"{label}.{name}": values for name, values in ratios.items()}
        figures["accuracy"] = hits / n
        figures["micro_f1"] = 2 * hits / (n + given[..., :-1].sum(-1))
        chance = (gold * given).sum(-1)
        figures["kappa"] = (n * hits - chance) / (n**2 - chance)
        spread = (n**2 - (gold**2).sum(-1)) * (n**2 - (given**2).sum(-1))
        figures["mcc"] = np.where(spread > 0, (n * hits - chance) / np.sqrt(spread), np.where(n > 0, 0.0, np.nan))
    return figures


def standing(counts: np.ndarray) -> dict[str, bool]:
    """Of which figures of a class, counts [3, articles], an interval can be drawn: two articles or more have it.

    In a single article it is the same in every resample, as if it were certain.
    """
    gold, given = (bool(np.count_nonzero(counts[kind]) > 1) for kind in (1, 2))
    return {"precision": given, "recall": gold, "f1": gold}


def class_ratios(counts: np.ndarray) -> dict[str, np.ndarray]:
    """Precision, recall and F1 [...] of one class from its counts [3, ...]; not a number where it is never given or
    never gold."""
    right, gold, given = counts
    with np.errstate(invalid="ignore", divide="ignore"):
        return {
            "precision": right / given,
            "recall": right / gold,
            "f1": np.where(gold > 0, 2 * right / (gold + given), np.nan),
        }


def mean_over_classes(scores: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """The mean over classes [...] of scores [..., C]; a class that is not a number takes its value in `whole` [C].
    Where no class is a number, nothing of the sample was drawn, and the mean is no number either.

    A rare class is in some resamples and not in others. Were it left out where it is missing, the mean would
    be over other classes each time; were it 0 there, a perfect system would seem to vary.
    """
    missing = np.isnan(scores)
    return np.where(missing.all(-1), np.nan, np.where(missing, whole, scores).mean(-1))


def _merged(counts: np.ndarray, part: slice) -> np.ndarray:
    """The classes of a part as one [3, ...]."""
    return counts[..., part].sum(-1)


def _class_parts(head: Head) -> dict[str, slice]:
    """Where each pooled class stands among the classes: a label by itself, the sides together."""
    parts = {label: slice(i, i + 1) for i, label in enumerate(head.labels)}
    return parts | ({ANY_SIDE: slice(len(head.labels), -1)} if head.points else {})
