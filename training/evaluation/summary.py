"""The figures of one head with their intervals: over all data, by conflict, and less another system's."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from .bootstrap import SMALL_SIDE, Figure, figure, too_small
from .counts import article_counts, class_ratios, mean_over_classes, resample, resampled_figures, standing
from .judged import MISSING, Judged
from .metrics import UNANSWERED, Scores, class_scores, confusion, point_figures, pooled_scores


def summary(judged: Judged, weights: np.ndarray) -> dict[str, Any]:
    """The figures of one head over all conflicts, and by pooled class.

    `macro_over` names the classes that macro-F1 and balanced accuracy are means over: those that occur in gold.
    """
    samples = resampled_figures(judged, weights)
    pooled = pooled_scores(judged.head, list(judged.gold), list(judged.predicted), list(judged.conflicts))
    return {
        "sentences": len(judged),
        "unanswered": int((judged.predicted == MISSING).sum()),
        **{name: figure(value, samples[name]) for name, value in point_figures(judged).items()},
        "macro_over": [label for label, row in pooled.items() if row.support],
        "by_class": {
            label: _class_row(row, {name: samples[f"{label}.{name}"] for name in ("precision", "recall", "f1")})
            for label, row in pooled.items()
        },
    }


def paired_difference(ours: Judged, theirs: Judged, weights: np.ndarray) -> dict[str, Figure]:
    """`ours` less `theirs` of every figure of `point_figures`, and of F1 by pooled class as "label.f1".

    Both are on the same sentences, and the same resamples serve both.
    """
    samples = resampled_figures(ours, weights), resampled_figures(theirs, weights)
    points = _points(ours), _points(theirs)
    return {
        name: figure(value - points[1][name], samples[0][name] - samples[1][name]) for name, value in points[0].items()
    }


def by_conflict(judged: Judged, weights: np.ndarray) -> dict[str, Any]:
    """`conflict_figures` of each conflict that has gold, by name."""
    return {
        str(name): conflict_figures(judged.take(judged.conflicts == name), weights)
        for name in sorted(set(judged.conflicts))
    }


def conflict_figures(judged: Judged, weights: np.ndarray) -> dict[str, Any]:
    """Figures of one conflict's sentences, every voice (label), each side too, a class of its own.

    `macro_f1` is the mean F1 over `macro_over`, the voices that occur in the conflict's gold; for two sides of which
    `both` is never said, that is the four-way figure none / other / side / side. `side_gap` is the F1 of the side
    that fares best less that of the one that fares worst, of those with `SMALL_SIDE` gold sentences or more; it is not
    defined for fewer than two.
    As the largest of differences it lies above 0 by chance alone, the more the fewer sentences there are.
    """
    gold, predicted = list(judged.gold), list(judged.predicted)
    fixed = judged.head.labels
    labels = [*fixed, *sorted({*gold, *predicted} - {*fixed, MISSING})]
    scores = class_scores(gold, predicted, labels)
    occurring = [label for label in labels if scores[label].support]
    sides = [label for label in occurring if label not in fixed and scores[label].support >= SMALL_SIDE]
    f1 = {label: scores[label].f1 for label in occurring}
    overall, by_voice = _voice_samples(judged, weights)
    drawn = {label: by_voice[label]["f1"] for label in occurring if "f1" in by_voice[label]}
    if len(drawn) == len(occurring):
        overall["macro_f1"] = mean_over_classes(np.stack(list(drawn.values()), -1), np.array(list(f1.values())))
    if len(sides) > 1 and all(label in drawn for label in sides):
        overall["side_gap"] = np.ptp(np.stack([drawn[label] for label in sides], -1), axis=-1)
    articles = len(set(judged.articles))
    return {
        "articles": articles,
        "sentences": len(judged),
        "small": too_small(len(judged), articles),
        "macro_f1": figure(float(np.mean(list(f1.values()))), overall.get("macro_f1")),
        "macro_over": occurring,
        "accuracy": figure(float(judged.right.mean()), overall.get("accuracy")),
        "side_gap": figure(
            float(np.ptp([f1[label] for label in sides])) if len(sides) > 1 else np.nan, overall.get("side_gap")
        ),
        "by_voice": {label: _class_row(row, by_voice.get(label, {})) for label, row in scores.items()},
        "confusion": confusion(gold, [label if label != MISSING else UNANSWERED for label in predicted], labels, []),
    }


def between_sides(judged: Judged, weights: np.ndarray) -> dict[str, Any] | None:
    """Whether the side that a conflict hears most is read better than the others, pooled over conflicts.

    `most_heard` is the F1 of the side with most gold sentences in each conflict, `others` that of all its other sides,
    micro-averaged as in `pooled_f1`, and `gap` the first less the second. Only conflicts that hear two sides or more
    count; None if there are none. Each side is taken by what gold says of it, never by its place in the sides file.
    """
    counts, classes = article_counts(judged, weights.shape[1])
    support = counts[1].sum(0)
    heard: dict[str, list[int]] = {}
    for i, label in enumerate(classes):
        if "\t" in label and support[i]:
            heard.setdefault(label.partition("\t")[0], []).append(i)
    ranked = [sorted(sides, key=lambda i: (-support[i], classes[i])) for sides in heard.values() if len(sides) > 1]
    if not ranked:
        return None
    groups = {
        "most_heard": [sides[0] for sides in ranked],
        "others": [i for sides in ranked for i in sides[1:]],
    }
    drawn = resample(counts, weights)
    f1 = {name: float(class_ratios(counts[..., chosen].sum((1, 2)))["f1"]) for name, chosen in groups.items()}
    samples = {
        name: class_ratios(drawn[..., chosen].sum(-1))["f1"]
        for name, chosen in groups.items()
        if standing(counts[..., chosen].sum(-1))["f1"]
    }
    gaps = samples["most_heard"] - samples["others"] if len(samples) == len(groups) else None
    return {
        "conflicts": len(ranked),
        **{
            name: {"f1": figure(f1[name], samples.get(name)), "support": int(support[chosen].sum())}
            for name, chosen in groups.items()
        },
        "gap": figure(f1["most_heard"] - f1["others"], gaps),
    }


def _class_row(row: Scores, samples: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """One class's figures; `samples` [resamples] by figure."""
    return {
        "precision": figure(row.precision, samples.get("precision")),
        "recall": figure(row.recall, samples.get("recall")),
        "f1": figure(row.f1, samples.get("f1")),
        "support": row.support,
        "given": row.given,
    }


def _points(judged: Judged) -> dict[str, float]:
    pooled = pooled_scores(judged.head, list(judged.gold), list(judged.predicted), list(judged.conflicts))
    return point_figures(judged) | {f"{label}.f1": row.f1 for label, row in pooled.items()}


def _voice_samples(
    judged: Judged, weights: np.ndarray
) -> tuple[dict[str, np.ndarray], dict[str, dict[str, np.ndarray]]]:
    """Accuracy in every resample [resamples], and by its label those figures of each voice that can be drawn."""
    counts, classes = article_counts(judged, weights.shape[1])
    drawn = resample(counts, weights)
    with np.errstate(invalid="ignore"):
        accuracy = drawn[0].sum(-1) / drawn[1].sum(-1)
    voices = {}
    for i, label in enumerate(classes):
        stands = standing(counts[..., i])
        ratios = class_ratios(drawn[..., i])
        voices[label.rpartition("\t")[2]] = {name: values for name, values in ratios.items() if stands[name]}
    return {"accuracy": accuracy}, voices
