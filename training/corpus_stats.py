"""Counts over a labelled corpus, as plain JSON types."""

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import regex

from ..configs import packaged_path
from ..configs.reading import read_yaml
from ..model.labels import BOTH, NONE, OTHER
from .corpus import LabelledArticle
from .evaluation.metrics import ANY_SIDE

_NEGATION = regex.compile(r"\b(?:no|not|never|nor|neither|none|nobody|nothing|cannot)\b|n['’]t\b", regex.IGNORECASE)


def corpus_stats(articles: Iterable[LabelledArticle], splits: Mapping[str, str]) -> dict[str, Any]:
    """Counts of a corpus in the default scheme.

    `parts`, `draws` and `splits` count articles and sentences by the rows' "part" and "draw" and by split; `side` and
    `stance` count labels, all sides as one; `positions` are the shares of side labels by the side's place in its
    sides file; `mentions_another_side`, `negations_that_are_no_denial` and `conflicts` say how hard it is.
    """
    articles = list(articles)
    groups: dict[str, dict[str, Counter]] = {name: {} for name in ("parts", "draws", "splits")}
    labels: dict[str, Counter] = {"side": Counter(), "stance": Counter()}
    positions, other_side, negations = Counter(), 0, 0
    conflicts: dict[str, dict[str, Any]] = {}
    for item in articles:
        sentences = item.article.sentences
        name = item.conflict.name
        keys = _file_order(name) or list(item.conflict.keys)
        for group, value in (
            ("parts", item.article.extra.get("part")),
            ("draws", item.article.extra.get("draw")),
            ("splits", splits.get(name)),
        ):
            if value is not None:
                groups[group].setdefault(str(value), Counter()).update(articles=1, sentences=len(sentences))
        entry = conflicts.setdefault(
            name, {"sides": len(keys), "articles": 0, "sentences": 0, "split": splits.get(name)}
        )
        entry["articles"] += 1
        entry["sentences"] += len(sentences)
        for sentence, side, stance in zip(sentences, item.labels["side"], item.labels["stance"], strict=True):
            if side is not None:
                labels["side"][side if side in (NONE, OTHER, BOTH) else ANY_SIDE] += 1
                if side in keys:
                    positions[keys.index(side) + 1] += 1
                other_side += any(m.side != side for m in item.conflict.find_mentions(sentence.text))
            if stance is not None:
                labels["stance"][stance] += 1
                negations += stance != "deny" and bool(_NEGATION.search(sentence.text))
    named = sum(positions.values())
    return {
        "articles": len(articles),
        "sentences": sum(len(item.article.sentences) for item in articles),
        **{group: {value: dict(counts) for value, counts in sorted(found.items())} for group, found in groups.items()},
        "side": dict(labels["side"].most_common()),
        "stance": dict(labels["stance"].most_common()),
        "positions": {str(place): round(count / named, 4) for place, count in sorted(positions.items())},
        "mentions_another_side": other_side,
        "negations_that_are_no_denial": negations,
        "conflicts_with_three_or_more_sides": sum(entry["sides"] > 2 for entry in conflicts.values()),
        "conflicts": dict(sorted(conflicts.items())),
    }


@cache
def _file_order(conflict: str) -> list[str]:
    """Side keys as the packaged sides file lists them, none if there is no such file; a `Conflict` itself has
    forgotten that order."""
    path = packaged_path("conflicts", conflict)
    return list(read_yaml(path)["sides"]) if path else []
