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

NULL = "null"
"""Stands for the label of a sentence that could not be decided."""
_HARD_STANCES = ("deny", "accuse", "hedge")
_NEGATION = regex.compile(r"\b(?:no|not|never|nor|neither|none|nobody|nothing|cannot)\b|n['’]t\b", regex.IGNORECASE)

_Counts = Counter[tuple[str, str]]
"""Counts by (table, entry)."""


def corpus_stats(
    articles: Iterable[LabelledArticle], splits: Mapping[str, str], kinds: Mapping[str, str]
) -> dict[str, Any]:
    """Counts of a corpus in the default scheme; `splits` and `kinds` ("armed", "unarmed") are by conflict.

    `corpus` counts all articles, and `part`, `source`, `draw` (by the rows' columns) and `split` those of each value:

    - `articles`, `sentences`, `conflicts`: how many; of the conflicts, `armed`, `unarmed`, `two_sided`, `many_sided`;
    - `articles_by_part`; `side` and `stance`: sentences by label, all sides as one, "null" where undecidable;
    - `hard`: sentences that deny, accuse or hedge, or have two voices;
    - `another_side`: sentences that mention a side that is not their voice, by the kind of voice. Those of two
      voices do not count, for the labels do not say whose;
    - `negations`: sentences with a negation whose stance is not deny;
    - `positions`: shares of the side labels by the side's place in its packaged sides file.

    `conflicts` gives split, kind, sides, articles and sentences of each conflict.
    """
    counted = [(item, _counts(item)) for item in articles]
    groups: dict[str, dict[str, list[tuple[LabelledArticle, _Counts]]]] = {
        name: {} for name in ("part", "source", "draw", "split")
    }
    conflicts: dict[str, dict[str, Any]] = {}
    for item, counts in counted:
        name = item.conflict.name
        for group, members in groups.items():
            value = splits.get(name) if group == "split" else item.article.extra.get(group)
            if value is not None:
                members.setdefault(str(value), []).append((item, counts))
        start = {"split": splits.get(name), "kind": kinds.get(name), "sides": len(item.conflict.sides)}
        entry = conflicts.setdefault(name, start | {"articles": 0, "sentences": 0})
        entry["articles"] += 1
        entry["sentences"] += len(item.article.sentences)
    return {
        "corpus": _group(counted, kinds),
        **{
            group: {value: _group(members, kinds) for value, members in sorted(found.items())}
            for group, found in groups.items()
        },
        "conflicts": dict(sorted(conflicts.items())),
    }


def _counts(item: LabelledArticle) -> _Counts:
    """Everything that is counted by article or sentence."""
    counts: _Counts = Counter()
    order = _file_order(item.conflict.name)
    if (part := item.article.extra.get("part")) is not None:
        counts["articles_by_part", str(part)] += 1
    for sentence, side, stance in zip(item.article.sentences, item.labels["side"], item.labels["stance"], strict=True):
        voice = NULL if side is None else side if side in (NONE, OTHER, BOTH) else ANY_SIDE
        counts["side", voice] += 1
        counts["stance", stance or NULL] += 1
        counts["size", "hard"] += side == BOTH or stance in _HARD_STANCES
        counts["size", "negations"] += stance not in (None, "deny") and bool(_NEGATION.search(sentence.text))
        if side in order:
            counts["positions", str(order.index(side) + 1)] += 1
        if voice not in (NULL, BOTH) and any(m.side != side for m in item.conflict.find_mentions(sentence.text)):
            counts["another_side", voice] += 1
    return counts


def _group(members: list[tuple[LabelledArticle, _Counts]], kinds: Mapping[str, str]) -> dict[str, Any]:
    total: _Counts = Counter()
    for _, counts in members:
        total.update(counts)
    conflicts = {item.conflict.name: len(item.conflict.sides) for item, _ in members}
    named = sum(_table(total, "positions").values())
    return {
        "articles": len(members),
        "sentences": sum(len(item.article.sentences) for item, _ in members),
        "conflicts": len(conflicts),
        "armed": sum(kinds.get(name) == "armed" for name in conflicts),
        "unarmed": sum(kinds.get(name) == "unarmed" for name in conflicts),
        "two_sided": sum(sides == 2 for sides in conflicts.values()),
        "many_sided": sum(sides > 2 for sides in conflicts.values()),
        "articles_by_part": _table(total, "articles_by_part"),
        "side": _table(total, "side"),
        "stance": _table(total, "stance"),
        "hard": total["size", "hard"],
        "another_side": _table(total, "another_side"),
        "negations": total["size", "negations"],
        "positions": {
            place: round(count / named, 4)
            for place, count in sorted(_table(total, "positions").items(), key=lambda entry: int(entry[0]))
        },
    }


def _table(counts: _Counts, table: str) -> dict[str, int]:
    """The entries of one table, the commonest first."""
    return {entry: count for (name, entry), count in counts.most_common() if name == table}


@cache
def _file_order(conflict: str) -> list[str]:
    """Side keys as the packaged sides file lists them, none if there is no such file; a `Conflict` itself has
    forgotten that order."""
    path = packaged_path("conflicts", conflict)
    return list(read_yaml(path)["sides"]) if path else []
