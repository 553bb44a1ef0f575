"""All figures of a report, from what systems said: of each head, of both at once, of baselines and of probes."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...model.labels import Scheme
from ..corpus import LabelledArticle
from .bootstrap import share
from .judged import MISSING, Answers, Judged, judge_head
from .metrics import pooled_confusion
from .nameswap import NAMES_SWAPPED, swap_figures
from .probes import probe_figures, probes_of
from .reliability import calibration, precision_recall, risk_coverage
from .summary import between_sides, by_conflict, paired_difference, summary
from .transcript import Transcript


def figures(
    scheme: Scheme, articles: Sequence[LabelledArticle], transcript: Transcript, weights: np.ndarray
) -> dict[str, Any]:
    """The figures by their keys in report.json: `heads`, `joint`, `baselines`, `probes` and `name_swap`.

    `weights` [resamples, articles] decide the intervals. There must be a head with both gold and answers.
    """
    judged = judge_all(scheme, articles, transcript.answers)
    before, probed = transcript.answers, transcript.probes
    return {
        "heads": {name: head_figures(table, weights) for name, table in judged.items()},
        "joint": joint_accuracy(judged, len(articles), weights),
        "baselines": {
            name: _beside(judged, judge_all(scheme, articles, rows), weights)
            for name, rows in transcript.baselines.items()
        },
        "probes": {
            key: probe_figures(probe, scheme, articles, before, probed[key], weights)
            for key, probe in probes_of(scheme).items()
            if key in probed
        },
        "name_swap": swap_figures(scheme, articles, before, probed[NAMES_SWAPPED], weights)
        if NAMES_SWAPPED in probed
        else None,
    }


def judge_all(scheme: Scheme, articles: Sequence[LabelledArticle], answers: Answers) -> dict[str, Judged]:
    """The sentences with gold beside the answers, for each head that has gold and that the system answers."""
    return {
        head.name: table
        for head in scheme.heads
        if head.name in answers[0][0].labels and len(table := judge_head(head, articles, answers))
    }


def head_figures(judged: Judged, weights: np.ndarray) -> dict[str, Any]:
    """All figures of one head; those that need scores or probabilities are null where the system gives
    none."""
    answered = judged.take(judged.predicted != MISSING)
    scored = len(answered) > 0 and answered.scores is not None
    return {
        **summary(judged, weights),
        "confusion": pooled_confusion(judged),
        "by_conflict": by_conflict(judged, weights),
        "between_sides": between_sides(judged, weights),
        "precision_recall": precision_recall(judged, weights) if judged.probabilities else None,
        "calibration": calibration(answered, weights) if scored else None,
        "risk_coverage": risk_coverage(answered, weights) if scored else None,
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
