"""Distillation: a large model labels news that nobody has labelled, for a small one to learn from (Hinton et al. 2015).

The teacher's probabilities are kept, not its choices, so that the small model learns its doubts too.
"""

import gzip
import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..model.article import Article
from ..model.errors import InputError
from ..model.files.reading import Reject
from ..model.files.writing import replacing
from ..model.predictor import Prediction, Predictor
from ..model.sides import Conflict
from .corpus import LabelledArticle
from .near_duplicates import NearDuplicates

_DIGITS = 3
logger = logging.getLogger(__name__)


def unlabelled_articles(
    articles: Iterable[Article | Reject], corpus: Sequence[LabelledArticle], allowed: Iterable[str]
) -> list[tuple[Article, Conflict]]:
    """Those of `articles` that are about one of the corpus's conflicts `allowed`, each with that conflict.

    An article's conflict is the one, of all in the corpus, of which it mentions the most: two sides at least, and
    most often the one mentioned second most. For a conflict allowed, only mentions by a name count, since common
    words ("police", "officials") are in news about anything. An article that suits a conflict not allowed as well as
    any other is left out, and so is one with a sentence that nearly repeats one of the corpus, so that nothing about
    held-out conflicts gets in, or of which half the sentences nearly repeat earlier articles. The log tells how
    many are left out for each of these. Raises `InputError` at a reject, or if none remains.
    """
    allowed = set(allowed)
    conflicts = {item.conflict.name: item.conflict for item in corpus}
    told_by = {name: _names(conflict) if name in allowed else conflict for name, conflict in conflicts.items()}
    seen = NearDuplicates()
    for sentence in (sentence for item in corpus for sentence in item.article.sentences):
        seen.add(sentence.text)
    gold = len(seen)
    found = []
    elsewhere = known = repeated = 0
    for article in articles:
        if isinstance(article, Reject):
            raise InputError(str(article))
        best = _conflict_of(article, told_by)
        if best is None or best not in allowed:
            elsewhere += 1
            continue
        before = len(seen)
        repeats = [[n for n in seen.add(sentence.text) if n < before] for sentence in article.sentences]
        if min((n for each in repeats for n in each), default=gold) < gold:
            known += 1
        elif 2 * sum(map(bool, repeats)) >= len(repeats):
            repeated += 1
        else:
            found.append((article, conflicts[best]))
    logger.info(
        "%d articles kept; left out: %d about no training conflict, %d near duplicates of the corpus, "
        "%d repeats of earlier articles",
        len(found),
        elsewhere,
        known,
        repeated,
    )
    if not found:
        raise InputError("none of the articles is new and about a conflict of the training part")
    return found


def _names(conflict: Conflict) -> Conflict | None:
    """`conflict` with only those aliases that are names, with a capital; None if they name fewer than two sides."""
    sides = [replace(side, aliases=tuple(a for a in side.aliases if not a.islower())) for side in conflict.sides]
    named = tuple(side for side in sides if side.aliases)
    return Conflict(conflict.name, named) if len(named) >= 2 else None


def _conflict_of(article: Article, conflicts: Mapping[str, Conflict | None]) -> str | None:
    fits = {}
    for name, conflict in conflicts.items():
        counts = sorted(conflict.count_mentions(article.text).values()) if conflict else []
        if len(counts) >= 2:
            fits[name] = (counts[-2], counts[-1])
    best = max(fits.values(), default=None)
    chosen = [name for name, fit in fits.items() if fit == best]
    return chosen[0] if len(chosen) == 1 else None


def teach(teachers: Sequence[Predictor], jobs: Sequence[tuple[Article, Conflict]]) -> Iterator[dict[str, Any]]:
    """`jobs` as rows of labelled articles: a sentence has the teachers' mean probabilities and the likeliest class.

    Classes that round to 0 are left out; `read_corpus` reads the rows.
    """
    for (article, conflict), *answers in zip(jobs, *(teacher.label_all(jobs) for teacher in teachers), strict=True):
        sentences = [_sentence(rows) for rows in zip(*answers, strict=True)]
        yield {"id": article.id, "conflict": conflict.name, "sentences": sentences}


def _sentence(rows: Sequence[Prediction]) -> dict[str, Any]:
    sentence: dict[str, Any] = {"text": rows[0].text}
    for head, classes in rows[0].probabilities.items():
        mean = {name: sum(row.probabilities[head][name] for row in rows) / len(rows) for name in classes}
        sentence[head] = max(mean, key=mean.__getitem__)
        sentence[f"{head}_probabilities"] = {name: kept for name, p in mean.items() if (kept := round(p, _DIGITS))}
    return sentence


def write_taught(rows: Iterable[Mapping[str, Any]], path: Path) -> int:
    """Write rows as compressed JSON Lines; the file appears only whole. Returns how many there were."""
    count = 0
    # Without name and time in its head, equal rows make equal files.
    with replacing(path) as partial, partial.open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, 0) as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
            count += 1
    return count
