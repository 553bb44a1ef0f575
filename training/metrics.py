"""What is computed from gold labels and a system's answers. Every score comes from scikit-learn."""

from collections.abc import Sequence

from sklearn.metrics import f1_score

from ..model.labels import Head

ANY_SIDE = "side"
"""The class that stands for all sides of all conflicts in pooled figures; only the right side counts as right."""


def pooled_f1(
    head: Head, gold: Sequence[str], predicted: Sequence[str], conflicts: Sequence[str]
) -> dict[str, float]:
    """F1 by class over sentences of any number of conflicts; their mean is the macro-F1 that we report.

    The sides of all conflicts together are one class, `ANY_SIDE`, whose F1 is the micro-average over sides: a
    sentence of one side given to another counts against it twice, as missed and as wrongly found.
    """
    scores = f1_score(gold, predicted, labels=list(head.labels), average=None, zero_division=0.0)
    by_class = dict(zip(head.labels, map(float, scores), strict=True))
    if head.points:
        own_gold = [f"{c}\t{label}" for c, label in zip(conflicts, gold, strict=True)]
        own_predicted = [f"{c}\t{label}" for c, label in zip(conflicts, predicted, strict=True)]
        sides = sorted(
            {
                own
                for own, label in zip([*own_gold, *own_predicted], [*gold, *predicted], strict=True)
                if label not in head.labels
            }
        )
        by_class[ANY_SIDE] = (
            float(f1_score(own_gold, own_predicted, labels=sides, average="micro", zero_division=0.0)) if sides else 0.0
        )
    return by_class


def macro_f1(by_class: dict[str, float]) -> float:
    """The mean of F1 scores by class."""
    return sum(by_class.values()) / len(by_class)
