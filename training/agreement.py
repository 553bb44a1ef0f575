"""How far two annotations of the same articles agree, beyond chance."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sklearn.metrics import cohen_kappa_score

from ..model.errors import InputError
from ..model.labels import DEFAULT_SCHEME, Head, Scheme
from .corpus import LabelledArticle, check_ids
from .evaluation.metrics import ANY_SIDE, macro_f1, pooled_f1

Pair = tuple[str, str]


def agreement(
    first: Sequence[LabelledArticle], second: Sequence[LabelledArticle], scheme: Scheme = DEFAULT_SCHEME
) -> dict[str, Any]:
    """Cohen's kappa (1960) per head, per label and per conflict, with raw agreement, F1 and the confusions.

    Articles are matched by id, `unmatched` counts those that one alone has; only sentences that both judged count. Per
    label, kappa is that of the question "this label or not?", all sides counting as one label there; in the head's own
    kappa every side of every conflict is a label. F1 is the second's if the first is taken as gold, as for a model:
    what a system can be expected to reach at most. Raises `InputError` if one has an article twice, the two share none,
    or an article's sentences differ.
    """
    for annotation in (first, second):
        check_ids(annotation)
    others = {item.article.id: item for item in second}
    shared = [(item, others[item.article.id]) for item in first if item.article.id in others]
    if not shared:
        raise InputError("the two annotations have no article in common")
    pairs: dict[str, list[tuple[str, Pair]]] = {}
    for one, two in shared:
        texts = [[s.text for s in item.article.sentences] for item in (one, two)]
        if texts[0] != texts[1]:
            raise InputError(f"article '{one.article.id}': the two annotations have different sentences")
        for head in scheme.names:
            pairs.setdefault(head, []).extend(
                (one.conflict.name, (a, b))
                for a, b in zip(one.labels[head], two.labels[head], strict=True)
                if a is not None and b is not None
            )
    sides = {key for item, _ in shared for key in item.conflict.keys}
    counts = {"articles": len(shared), "unmatched": len(first) + len(second) - 2 * len(shared)}
    return counts | {head.name: _head(head, pairs[head.name], sides) for head in scheme.heads}


def _head(head: Head, pairs: Sequence[tuple[str, Pair]], sides: set[str]) -> dict[str, Any]:
    sides = sides if head.points else set()  # a label of another head may be called as a side is

    def own(conflict: str, label: str) -> str:
        return f"{conflict}/{label}" if label in sides else label

    def pooled(label: str) -> str:
        return ANY_SIDE if label in sides else label

    exact = [(own(c, a), own(c, b)) for c, (a, b) in pairs]
    coarse = [(pooled(a), pooled(b)) for _, (a, b) in pairs]
    gold, given, conflicts = [a for _, (a, _) in pairs], [b for _, (_, b) in pairs], [c for c, _ in pairs]
    f1 = pooled_f1(head, gold, given, conflicts) if pairs else {}
    by_conflict: dict[str, list[Pair]] = {}
    for conflict, pair in pairs:
        by_conflict.setdefault(conflict, []).append(pair)
    confusions = Counter(
        (pooled(a), "another side" if a in sides and b in sides else pooled(b)) for _, (a, b) in pairs if a != b
    )
    return {
        "sentences": len(pairs),
        "differences": sum(a != b for a, b in exact),
        "agreement": sum(a == b for a, b in exact) / len(exact) if exact else None,
        "kappa": kappa(exact),
        "macro_f1": macro_f1(f1) if f1 else None,
        "by_label": {
            label: {
                "first": sum(a == label for a, _ in coarse),
                "kappa": kappa([(a == label, b == label) for a, b in coarse]),
                "f1": f1.get(label),
            }
            for label in sorted({label for pair in coarse for label in pair})
        },
        "by_conflict": {
            conflict: {"sentences": len(found), "kappa": kappa(found)}
            for conflict, found in sorted(by_conflict.items())
        },
        "confusions": [[a, b, count] for (a, b), count in confusions.most_common()],
    }


def kappa(pairs: Sequence[tuple[Any, Any]]) -> float | None:
    """Cohen's kappa of paired labels; None where chance explains everything (one label only) or there is nothing."""
    if len({label for pair in pairs for label in pair}) < 2:
        return None
    return float(cohen_kappa_score([a for a, _ in pairs], [b for _, b in pairs]))
