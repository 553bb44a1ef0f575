"""Where the figures differ: the same head on parts of the data."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..corpus import LabelledArticle
from .bootstrap import figure, too_small
from .counts import resampled_figures
from .judged import Judged
from .metrics import macro_f1, pooled_f1

_QUOTES = set('"“”„«»')
NO_OUTLET = "not given"
MOST = 25
"""Slices kept of one kind, the largest; a corpus may have hundreds of outlets."""

Place = tuple[LabelledArticle, int, str]
"""An article, the number of the sentence in it, its gold label."""


def _outlet(place: Place) -> str:
    """The row's `outlet`, or its `source`, as the packaged corpus names it."""
    extra = place[0].article.extra
    return str(extra.get("outlet") or extra.get("source") or NO_OUTLET)


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
    "outlet": _outlet,
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
    samples = resampled_figures(judged, weights)
    by_class = pooled_f1(judged.head, list(judged.gold), list(judged.predicted), list(judged.conflicts))
    articles = len(set(judged.articles))
    return {
        "articles": articles,
        "sentences": len(judged),
        "small": too_small(len(judged), articles),
        "accuracy": figure(float(judged.right.mean()), samples.get("accuracy")),
        "macro_f1": figure(macro_f1(by_class), samples.get("macro_f1")),
        "macro_over": list(by_class),
    }
