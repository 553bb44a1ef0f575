"""Distillation: a large model labels news that nobody has labelled, for a small one to learn from (Hinton et al. 2015).

The teacher's probabilities are kept, not its choices, so that the small model learns its doubts too.
"""

import gzip
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..model.article import Article
from ..model.errors import InputError
from ..model.files.reading import Reject
from ..model.files.writing import replacing
from ..model.predictor import Prediction, Predictor
from ..model.sides import Conflict, alias_key
from .corpus import LabelledArticle

_DIGITS = 3


def unlabelled_articles(
    articles: Iterable[Article | Reject], corpus: Sequence[LabelledArticle], allowed: Iterable[str]
) -> list[tuple[Article, Conflict]]:
    """Those of `articles` that share no sentence with the corpus and are about one of its conflicts `allowed`.

    An article's conflict is the one, of all in the corpus, of which it mentions the most: two sides at least, and
    most often the one mentioned second most. An article that suits a conflict not allowed as well as any other is
    left out, so that nothing about held-out conflicts gets in. Raises `InputError` at a reject, or if none remains.
    """
    known = {alias_key(sentence.text) for item in corpus for sentence in item.article.sentences}
    conflicts = {item.conflict.name: item.conflict for item in corpus}
    names = set(allowed)
    found = []
    for article in articles:
        if isinstance(article, Reject):
            raise InputError(str(article))
        if any(alias_key(sentence.text) in known for sentence in article.sentences):
            continue
        best = _conflict_of(article, conflicts)
        if best in names:
            found.append((article, conflicts[best]))
    if not found:
        raise InputError("none of the articles is new and about a conflict of the training part")
    return found


def _conflict_of(article: Article, conflicts: Mapping[str, Conflict]) -> str | None:
    fits = {}
    for name, conflict in conflicts.items():
        counts = sorted(Counter(mention.side for mention in conflict.find_mentions(article.text)).values())
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
