"""Where the figures differ: the same head on parts of the data."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..corpus import LabelledArticle
from .bootstrap import figure, share, too_small
from .judged import Judged
from .metrics import (
    ANY_SIDE,
    article_counts,
    count_figures,
    macro_f1,
    mean_over_classes,
    pooled_f1,
    resample,
)

_QUOTES = set('"“”„«»')
NO_OUTLET = "not given"
MOST = 25
"""Slices kept of one kind, the largest; a corpus may have hundreds of outlets."""

Place = tuple[LabelledArticle, int, str]
"""An article, the number of the sentence in it, its gold label."""


def _length(place: Place) -> str:
    count = len(place[0].article.sentences)
    return "1-5 sentences" if count <= 5 else "6-15 sentences" if count <= 15 else "16 or more sentences"


def _position(place: Place) -> str:
    item, n, _ = place
    if n == 0:
        return "first sentence"
    return "first half" if n < len(item.article.sentences) / 2 else "second half"


def _quoted(place: Place) -> str:
    text = place[0].article.sentences[place[1]].text
    return "with quotation marks" if _QUOTES & set(text) else "without quotation marks"


def _mentions(place: Place) -> str:
    item, n, gold = place
    named = {mention.side for mention in item.conflict.find_mentions(item.article.sentences[n].text)}
    if gold not in item.conflict.keys:
        return "voice no side, a side mentioned" if named else "voice no side, none mentioned"
    if gold in named:
        return "voice a side, it is mentioned"
    return "voice a side, only another mentioned" if named else "voice a side, none mentioned"


KINDS: Mapping[str, Callable[[Place], str]] = {
    "outlet": lambda place: str(place[0].article.extra.get("outlet") or NO_OUTLET),
    "article length": _length,
    "position": _position,
    "quotation": _quoted,
}


def slices(
    judged: Mapping[str, Judged], articles: Sequence[LabelledArticle], weights: np.ndarray
) -> list[dict[str, Any]]:
    """A row a head, kind and slice: counts, accuracy, and macro-F1 over the classes that occur in the slice's
    gold.

    `mention` is by the head that points: whether the sentence mentions the side whose voice it is. `small`
    warns that there is too little to read.
    """
    rows = []
    for head, table in judged.items():
        kinds = {**KINDS, "mention": _mentions} if table.head.points else KINDS
        places = [
            (articles[a], int(n), str(gold))
            for a, n, gold in zip(table.articles, table.sentences, table.gold, strict=True)
        ]
        for kind, name_of in kinds.items():
            names = np.array([name_of(place) for place in places], dtype=object)
            for name, _ in Counter(names).most_common(MOST):
                if (kind, name) != ("outlet", NO_OUTLET) or len(set(names)) > 1:
                    rows.append(
                        {"head": head, "kind": kind, "slice": name} | _figures(table.take(names == name), weights)
                    )
    return rows


def _figures(judged: Judged, weights: np.ndarray) -> dict[str, Any]:
    article_count = weights.shape[1]
    hits = np.bincount(judged.articles, judged.right, article_count)
    total = np.bincount(judged.articles, minlength=article_count).astype(float)
    by_class = pooled_f1(judged.head, list(judged.gold), list(judged.predicted), list(judged.conflicts))
    occurring = [
        label for label in by_class if label in set(judged.gold) or (label == ANY_SIDE and judged.is_side.any())
    ]
    counts, _ = article_counts(judged, article_count)
    used = np.flatnonzero(total)
    samples = None
    if len(used) > 1:
        drawn = count_figures(resample(counts, weights), counts.sum(1), judged.head)
        scores = np.stack([drawn[f"{label}.f1"] for label in occurring], -1)
        samples = mean_over_classes(scores, np.array([by_class[label] for label in occurring]))
    return {
        "articles": len(used),
        "sentences": len(judged),
        "small": too_small(len(judged), len(used)),
        "accuracy": share(hits, total, weights),
        "macro_f1": figure(macro_f1({label: by_class[label] for label in occurring}), samples),
    }
