"""Where it fails: the errors that a system was surest of, and gold labels that look wrong themselves."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores

from ..corpus import LabelledArticle
from .judged import Answers, Judged
from .metrics import pooled_labels

GROUPS = 12
PER_GROUP = 5
SUSPECTS = 50


def confident_errors(judged: Judged, articles: Sequence[LabelledArticle], answers: Answers) -> list[dict[str, Any]]:
    """The commonest confusions, each with its surest errors, worst first, and the sentences around them.

    Groups are named by pooled labels, as in confusions; each error names its own side. Without scores, errors stand
    in order.
    """
    gold, given = pooled_labels(judged)
    groups: dict[tuple[str, str], list[int]] = {}
    for i in np.flatnonzero(~judged.right):
        groups.setdefault((gold[i], given[i]), []).append(int(i))
    ordered = sorted(groups.items(), key=lambda entry: (-len(entry[1]), entry[0]))[:GROUPS]
    scores = judged.scores if judged.scores is not None else np.zeros(len(judged))
    return [
        {
            "gold": gold,
            "predicted": predicted,
            "count": len(rows),
            "examples": [
                _example(judged, i, articles, answers) for i in sorted(rows, key=lambda i: (-scores[i], i))[:PER_GROUP]
            ],
        }
        for (gold, predicted), rows in ordered
    ]


def suspected_labels(judged: Judged, articles: Sequence[LabelledArticle], answers: Answers) -> list[dict[str, Any]]:
    """Gold labels to review, likeliest wrong first, by confident learning (Northcutt et al. 2021, in
    cleanlab).

    Probabilities must come from a model that did not learn from these labels. Sides of different conflicts
    share columns, by their order: a column gives only a threshold, the mean score of its label where that is
    gold.
    """
    assert judged.probabilities is not None
    places = [{name: k for k, name in enumerate(row)} for row in judged.probabilities]
    width = max(map(len, places))
    table = np.zeros((len(judged), width))
    for i, row in enumerate(judged.probabilities):
        table[i, : len(row)] = list(row.values())
    gold = np.array([place[label] for place, label in zip(places, judged.gold, strict=True)])
    used = np.unique(gold)  # a class without gold has no threshold
    if len(used) < 2:
        return []
    table, gold = table[:, used], np.searchsorted(used, gold)
    table = table.clip(1e-9)
    table /= table.sum(axis=1, keepdims=True)
    chosen = find_label_issues(
        gold, table, filter_by="confident_learning", return_indices_ranked_by="self_confidence", n_jobs=1
    )
    quality = get_label_quality_scores(gold, table)
    return [_example(judged, int(i), articles, answers) | {"quality": float(quality[i])} for i in chosen[:SUSPECTS]]


def _example(judged: Judged, i: int, articles: Sequence[LabelledArticle], answers: Answers) -> dict[str, Any]:
    item, n = articles[judged.articles[i]], int(judged.sentences[i])
    answer = answers[judged.articles[i]][n]
    sentences = item.article.sentences
    return {
        "article_id": item.article.id,
        "conflict": item.conflict.name,
        "index": n,
        "text": sentences[n].text,
        "before": sentences[n - 1].text if n else None,
        "after": sentences[n + 1].text if n + 1 < len(sentences) else None,
        "gold": str(judged.gold[i]),
        "predicted": str(judged.predicted[i]) or None,
        "score": answer.scores.get(judged.head.name),
        "evidence": answer.evidence,
    }
