"""Parts and labels as plain bytes (JSON, UTF-8, without line breaks), on their way to other processes and back.

Only what a worker needs goes out and only what it found comes back, so that the text travels once.
"""

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from ..article import Article, Sentence
from ..predictor import Job, Prediction
from ..sides import Conflict, Mention, Side


def pack_jobs(jobs: Sequence[Job]) -> bytes:
    """Articles and their conflicts; an article's `conflict` and `extra`, which no label depends on, stay behind."""
    conflicts: dict[Conflict, int] = {}
    articles = []
    for article, conflict in jobs:
        number = conflicts.setdefault(conflict, len(conflicts))
        articles.append([article.id, article.text, [(s.start, s.end) for s in article.sentences], number])
    return pack([[_conflict_json(conflict) for conflict in conflicts], articles])


def unpack_jobs(data: bytes) -> list[Job]:
    """What `pack_jobs` packed."""
    conflicts, articles = unpack(data)
    return [
        (
            Article(id, text, tuple(Sentence(text[start:end], start, end) for start, end in spans)),
            _conflict(conflicts[number]),
        )
        for id, text, spans, number in articles
    ]


def pack_labels(articles: Sequence[Sequence[Prediction]]) -> bytes:
    """The predictions of a part, without what its articles say themselves. Floats come back as they were."""
    return pack([[_found(prediction) for prediction in article] for article in articles])


def unpack_labels(jobs: Sequence[Job], data: bytes) -> list[list[Prediction]]:
    """What `pack_labels` packed, for the articles that it belongs to."""
    return [
        [_prediction(article, number, *found) for number, found in enumerate(sentences)]
        for (article, _), sentences in zip(jobs, unpack(data), strict=True)
    ]


def pack(value: Any) -> bytes:
    """A JSON value as one line; half a surrogate pair, which an article may contain, goes through."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


def unpack(data: bytes) -> Any:
    """What `pack` packed."""
    return json.loads(data.decode("utf-8", "surrogatepass"))


def _conflict_json(conflict: Conflict) -> str:
    return json.dumps([conflict.name, [(side.key, side.name, side.aliases) for side in conflict.sides]])


@lru_cache(256)
def _conflict(text: str) -> Conflict:
    """The conflict; the same object for the same text, because it compiles its aliases once."""
    name, sides = json.loads(text)
    return Conflict(name, tuple(Side(key, side, tuple(aliases)) for key, side, aliases in sides))


def _found(prediction: Prediction) -> list[Any]:
    evidence = prediction.evidence
    return [
        prediction.labels,
        prediction.scores,
        prediction.probabilities,
        evidence and (evidence.side, evidence.start, evidence.end),
        prediction.truncated,
    ]


def _prediction(
    article: Article, number: int, labels: Any, scores: Any, probabilities: Any, found: Any, truncated: bool
) -> Prediction:
    sentence, evidence = article.sentences[number], Mention(*found) if found else None
    return Prediction(
        article.id,
        number,
        sentence.start,
        sentence.end,
        sentence.text,
        labels,
        scores,
        probabilities,
        evidence,
        article.text[evidence.start : evidence.end] if evidence else None,
        truncated,
    )
