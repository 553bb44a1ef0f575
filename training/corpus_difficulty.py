"""Is the corpus too easy? How far words alone go on conflicts that they were not learnt from.

Conflicts are held out, one by one or in groups; TF-IDF with logistic regression (`evaluation.baselines`) learns from
the others and labels them; the answers on all conflicts are judged together. A part of the corpus on which it does
well can be labelled by surface cues, and a network that does well there has shown nothing.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..model.errors import InputError
from ..model.labels import Scheme
from .corpus import LabelledArticle, labelled_heads
from .crossval import make_folds
from .evaluation.baselines import baseline_answers
from .evaluation.bootstrap import article_weights, figure
from .evaluation.judged import Answer, judge_head
from .evaluation.summary import summary

WHOLE = "all"
"""The name of all parts together."""
SAME_PART = "same part"
ALL_PARTS = "all parts"
_UNJUDGED: dict[str, Any] = {"sentences": 0, "macro_f1": figure(math.nan, None), "by_class": {}}
"""What stands for `summary` where nobody labelled the head."""

Reading = tuple[str, str]
"""A part that is judged, and what was learnt from: `SAME_PART` or `ALL_PARTS`."""
Answered = list[tuple[LabelledArticle, Sequence[Answer]]]
"""Articles and the answer on each of their sentences."""


def difficulty(
    articles: Sequence[LabelledArticle],
    scheme: Scheme,
    groups: int | None = None,
    say: Callable[[str], None] = lambda doing: None,
) -> dict[str, Any]:
    """Figures of TF-IDF on conflicts held out, by part, by what it learnt from, and by head.

    Parts are the rows' "part" and `WHOLE`, in which alone rows without a part are; a part is judged by what was learnt
    from the other conflicts of that part (`SAME_PART`) and of all parts (`ALL_PARTS`). A head has its `sentences`, its
    `macro_f1` (value, and low and high of a bootstrap over articles; not defined where nobody labelled the head) and
    the `f1` of each class. `groups` of about as many sentences hold several conflicts out at once; None: one by one.
    Raises `InputError` if a part has fewer than three conflicts, or a head has labels of those held out alone.
    """
    found: dict[str, Any] = defaultdict(dict)
    for (part, learnt), answered in sorted(held_out_answers(articles, scheme, groups, say).items()):
        found[part][learnt] = _figures(answered, scheme)
    return dict(found)


def held_out_answers(
    articles: Sequence[LabelledArticle],
    scheme: Scheme,
    groups: int | None = None,
    say: Callable[[str], None] = lambda doing: None,
) -> Mapping[Reading, Answered]:
    """What TF-IDF answers on every conflict after learning from others. Raises as `difficulty` does."""
    parts: dict[str, list[LabelledArticle]] = defaultdict(list)
    for item in articles:
        parts[_part(item)].append(item)
    if len(parts) == 1:  # which is the whole
        parts.clear()
    parts.pop(WHOLE, None)
    found: dict[Reading, Answered] = defaultdict(list)
    for part, items in parts.items():
        found[part, SAME_PART] = _answers(part, items, scheme, groups, say)
    found[WHOLE, ALL_PARTS] = _answers(WHOLE, articles, scheme, groups, say)
    for item, rows in found[WHOLE, ALL_PARTS]:
        if _part(item) in parts:
            found[_part(item), ALL_PARTS].append((item, rows))
    return found


def _part(item: LabelledArticle) -> str:
    return str(item.article.extra.get("part", WHOLE))


def _answers(
    part: str, articles: Sequence[LabelledArticle], scheme: Scheme, groups: int | None, say: Callable[[str], None]
) -> Answered:
    conflicts = len({item.conflict.name for item in articles})
    where = f"corpus difficulty, part '{part}'"
    try:
        folds = make_folds(articles, groups and min(groups, conflicts))
    except InputError as error:
        raise InputError(f"{where}: {error}") from None
    answered: Answered = []
    for number, fold in enumerate(folds, 1):
        say(f"{part}, fold {number} of {len(folds)}: {', '.join(fold.held_out)}")
        held = [item for item in articles if item.conflict.name in fold.held_out]
        others = [item for item in articles if item.conflict.name not in fold.held_out]
        learnt = labelled_heads(others, scheme)
        unlearnt = [head.name for head in labelled_heads(held, scheme) if head not in learnt]
        if unlearnt or not learnt:
            raise InputError(
                f"{where}: nothing has labels of {' or '.join(unlearnt or scheme.names)} but what is about "
                f"{', '.join(fold.held_out)}, and words are learnt from other conflicts; label some of these too"
            )
        answered += zip(held, baseline_answers(others, held, scheme)["tfidf"], strict=True)
    return answered


def _figures(answered: Answered, scheme: Scheme) -> dict[str, Any]:
    items, answers = [item for item, _ in answered], [rows for _, rows in answered]
    weights = article_weights(len(items))
    found = {}
    for head in scheme.heads:
        judged = judge_head(head, items, answers)
        figures = summary(judged, weights) if len(judged) else _UNJUDGED
        found[head.name] = {
            "sentences": figures["sentences"],
            "macro_f1": figures["macro_f1"],
            "f1": {label: scores["f1"]["value"] for label, scores in figures["by_class"].items()},
        }
    return found
