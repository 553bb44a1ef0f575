"""What is computed from gold labels and a system's answers: every figure once, by scikit-learn.

Two ways to see a side. In *pooled* figures (by class, macro-F1, balanced accuracy, confusions) the sides of all
conflicts are one class, `ANY_SIDE`, in which only the right side is right. In figures of agreement (accuracy,
micro-F1, Matthews correlation, kappa) every side of every conflict is a class of its own.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

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
from .judged import MISSING, Judged

ANY_SIDE = "side"
"""The class that stands for all sides of all conflicts in pooled figures; only the right side counts as
right."""
WRONG_SIDE = "wrong side"
UNANSWERED = "no answer"
UNDEFINED: Any = np.nan
"""A share of nothing: precision of a class that was never given, recall of one that is never gold."""


class Scores(NamedTuple):
    """How one class was found: `support` sentences have it as gold, `given` got it from the system.

    Precision is not a number where it was never given; recall and F1 are none where it is never gold.
    """

    precision: float
    recall: float
    f1: float
    support: int
    given: int


def pooled_f1(head: Head, gold: Sequence[str], predicted: Sequence[str], conflicts: Sequence[str]) -> dict[str, float]:
    """F1 by class over sentences of any number of conflicts; their mean is the macro-F1 that we report.

    Only classes that occur in gold are there: which they are then depends on the data and on no system, so that
    systems are compared by the mean of the same classes. A class given where it is never gold costs the recall of
    those that it is mistaken for. The sides of all conflicts together are one class, `ANY_SIDE`, whose F1 is the
    micro-average over sides: a sentence of one side given to another counts against it twice, as missed and as
    wrongly found.
    """
    scores = pooled_scores(head, gold, predicted, conflicts)
    return {label: row.f1 for label, row in scores.items() if row.support}


def pooled_scores(
    head: Head, gold: Sequence[str], predicted: Sequence[str], conflicts: Sequence[str]
) -> dict[str, Scores]:
    """The scores of every class of `pooled_f1`, and of those that do not occur in gold."""
    by_class = class_scores(gold, predicted, head.labels)
    if head.points:
        fixed = {*head.labels, MISSING}
        own_gold = [f"{c}\t{label}" for c, label in zip(conflicts, gold, strict=True)]
        own_predicted = [f"{c}\t{label}" for c, label in zip(conflicts, predicted, strict=True)]
        pairs = zip([*own_gold, *own_predicted], [*gold, *predicted], strict=True)
        sides = sorted({own for own, label in pairs if label not in fixed})
        support, given = (sum(label not in fixed for label in labels) for labels in (gold, predicted))
        precision, recall, f1 = (
            float(score(own_gold, own_predicted, labels=sides, average="micro", zero_division=UNDEFINED))
            if defined
            else np.nan
            for score, defined in ((precision_score, given), (recall_score, support), (f1_score, support))
        )
        by_class[ANY_SIDE] = Scores(precision, recall, f1, support, given)
    return by_class


def class_scores(gold: Sequence[str], predicted: Sequence[str], labels: Sequence[str]) -> dict[str, Scores]:
    """The scores of each of `labels`, every one a class by itself."""
    table: Any = precision_recall_fscore_support(
        gold, predicted, labels=list(labels), average=None, zero_division=UNDEFINED
    )
    given = Counter(predicted)
    return {
        label: Scores(float(p), float(r), float(f1) if n else np.nan, int(n), given[label])
        for label, p, r, f1, n in zip(labels, *table, strict=True)
    }


def macro_f1(by_class: Mapping[str, float]) -> float:
    """The mean of F1 scores by class."""
    return sum(by_class.values()) / len(by_class)


def point_figures(judged: Judged) -> dict[str, float]:
    """The figures of one head that are a single number, each over all its sentences.

    Macro-F1 and balanced accuracy (the mean recall) are over the pooled classes that occur in gold. Kappa is not
    defined where gold and answers are all one label; Matthews correlation is 0 there by convention.
    """
    pooled = pooled_scores(judged.head, list(judged.gold), list(judged.predicted), list(judged.conflicts))
    occurring = [row for row in pooled.values() if row.support]
    gold, predicted = list(judged.own(judged.gold)), list(judged.own(judged.predicted))
    answered = sorted({*gold, *predicted} - {MISSING})
    single = len({*gold, *predicted}) == 1
    return {
        "macro_f1": float(np.mean([row.f1 for row in occurring])),
        "accuracy": float(accuracy_score(gold, predicted)),
        "micro_f1": float(f1_score(gold, predicted, labels=answered, average="micro", zero_division=UNDEFINED)),
        "balanced_accuracy": float(np.mean([row.recall for row in occurring])),
        "mcc": 0.0 if single else float(matthews_corrcoef(gold, predicted)),
        "kappa": np.nan if single else float(cohen_kappa_score(gold, predicted)),
    }


def pooled_labels(judged: Judged) -> tuple[list[str], list[str]]:
    """Gold and given labels with the sides of all conflicts as one class.

    A sentence of one side given to another side is given `WRONG_SIDE`, one left open `UNANSWERED`.
    """
    fixed = set(judged.head.labels)
    gold = [label if label in fixed else ANY_SIDE for label in judged.gold]
    given = []
    for true, label in zip(judged.gold, judged.predicted, strict=True):
        if label == MISSING:
            given.append(UNANSWERED)
        elif label in fixed:
            given.append(label)
        else:
            given.append(WRONG_SIDE if true not in fixed and true != label else ANY_SIDE)
    return gold, given


def pooled_confusion(judged: Judged) -> dict[str, Any]:
    """`confusion` of the pooled labels."""
    gold, given = pooled_labels(judged)
    sides = [ANY_SIDE] if judged.head.points else []
    wrong = [WRONG_SIDE] if judged.head.points else []
    return confusion(gold, given, [*judged.head.labels, *sides], wrong)


def confusion(gold: list[str], predicted: list[str], labels: list[str], further: list[str]) -> dict[str, Any]:
    """Counts with `labels` in rows and `labels` then `further` in columns, `UNANSWERED` last if it occurs, and
    each row's shares (0 if it is empty)."""
    columns = [*labels, *further, *([UNANSWERED] if UNANSWERED in predicted else [])]
    counts = confusion_matrix(gold, predicted, labels=columns)[: len(labels)]
    shares = counts / counts.sum(axis=1, keepdims=True).clip(min=1)
    return {"gold": labels, "predicted": columns, "counts": counts.tolist(), "row_shares": shares.tolist()}
