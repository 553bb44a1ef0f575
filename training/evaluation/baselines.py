"""The bars to clear: always the commonest label, and TF-IDF with logistic regression.

Neither has a class for a side, or it could not be asked about a conflict that it was not trained on. They
learn the side head as none / other / both / side; where the answer is `side`, it is the side mentioned
nearest: the first one in the sentence, or else the last one before it. Names are left visible to TF-IDF.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline

from ...model.labels import Head, Scheme
from ..corpus import LabelledArticle, labelled_heads
from .judged import Answer, Answers
from .metrics import ANY_SIDE
from .rules import rule_answers

BASELINES = ("majority", "tfidf", "rules")
Guess = Callable[[list[tuple[str, str]]], list[Mapping[str, float]]]
"""(sentence, sentence before it) pairs → the probability of each pooled class."""
_OPENING = "articleopening"
"""Stands before an article's first sentence, as a word of its own."""
_FEATURES = 20_000
"""The commonest words and pairs: as good as all of them, in two thirds of the time."""
_TOKEN = r"\w+|[^\w\s]"
"""Marks are words too: a quotation mark says much about the voice, a question mark about the stance."""


def baseline_answers(
    training: Sequence[LabelledArticle], articles: Sequence[LabelledArticle], scheme: Scheme
) -> dict[str, Answers]:
    """The answers on `articles` of each of `BASELINES` that there is; those that learn answer what `training` labels.

    Without any labels to learn from there are only the rules.
    """
    heads, found = labelled_heads(training, scheme), {}
    if heads:
        found["majority"] = _answers({head: _majority(training, head) for head in heads}, articles)
        found["tfidf"] = _answers({head: _tfidf(training, head) for head in heads}, articles)
    return found | {"rules": rule_answers(articles, scheme)}


def _answers(guesses: Mapping[Head, Guess], articles: Sequence[LabelledArticle]) -> Answers:
    return [_article_answers(guesses, item) for item in articles]


def _article_answers(guesses: Mapping[Head, Guess], item: LabelledArticle) -> list[Answer]:
    pairs = _pairs(item)
    nearest = nearest_sides(item)
    by_head = {
        head.name: [
            _placed(chances, side, head, head.classes(item.conflict.keys))
            for chances, side in zip(guess(pairs), nearest, strict=True)
        ]
        for head, guess in guesses.items()
    }
    answers = []
    for n in range(len(pairs)):
        chances = {name: rows[n] for name, rows in by_head.items()}
        labels = {name: max(row, key=row.__getitem__) for name, row in chances.items()}
        answers.append(Answer(labels, {name: chances[name][label] for name, label in labels.items()}, chances))
    return answers


def nearest_sides(item: LabelledArticle) -> list[str | None]:
    """For each sentence the side first mentioned in it, or else the last one mentioned before it; None if no
    side was."""
    found, last = [], None
    for sentence in item.article.sentences:
        mentions = item.conflict.find_mentions(sentence.text)
        found.append(mentions[0].side if mentions else last)
        last = mentions[-1].side if mentions else last
    return found


def _placed(chances: Mapping[str, float], side: str | None, head: Head, classes: Sequence[str]) -> dict[str, float]:
    """Pooled chances as one of each of `classes`: the sides' share goes to the nearest side, or, with none, to all
    labels alike."""
    placed = {name: chances.get(name, 0.0) if name in head.labels else 0.0 for name in classes}
    share = chances.get(ANY_SIDE, 0.0) if head.points else 0.0
    if side is not None and head.points:
        return placed | {side: share}
    return placed | {label: placed[label] + share / len(head.labels) for label in head.labels}


def _pairs(item: LabelledArticle) -> list[tuple[str, str]]:
    texts = [sentence.text for sentence in item.article.sentences]
    return list(zip(texts, [_OPENING, *texts[:-1]], strict=True))


def _labelled(training: Sequence[LabelledArticle], head: Head) -> tuple[list[tuple[str, str]], list[str]]:
    """(sentence, sentence before) pairs and pooled labels of all sentences with gold."""
    pairs, labels = [], []
    for item in training:
        for pair, label in zip(_pairs(item), item.labels[head.name], strict=True):
            if label is not None:
                pairs.append(pair)
                labels.append(label if label in head.labels else ANY_SIDE)
    return pairs, labels


def _majority(training: Sequence[LabelledArticle], head: Head) -> Guess:
    _, labels = _labelled(training, head)
    shares = {label: count / len(labels) for label, count in Counter(labels).items()}
    return lambda pairs: [shares] * len(pairs)


def _tfidf(training: Sequence[LabelledArticle], head: Head) -> Guess:
    """Words and word pairs of the sentence, words of the one before it; classes weighted to equal weight."""
    pairs, labels = _labelled(training, head)
    if len(set(labels)) < 2:  # nothing to tell apart
        return _majority(training, head)
    features = ColumnTransformer(
        [
            (
                "sentence",
                TfidfVectorizer(ngram_range=(1, 2), max_features=_FEATURES, sublinear_tf=True, token_pattern=_TOKEN),
                0,
            ),
            ("before", TfidfVectorizer(max_features=_FEATURES, sublinear_tf=True, token_pattern=_TOKEN), 1),
        ],
        transformer_weights={"sentence": 1.0, "before": 0.5},
    )
    pipeline: Pipeline = make_pipeline(
        features, LogisticRegression(C=3.0, tol=1e-3, class_weight="balanced", max_iter=1000)
    )
    pipeline.fit(np.array(pairs, dtype=object), labels)

    def guess(pairs: list[tuple[str, str]]) -> list[Mapping[str, float]]:
        table = pipeline.predict_proba(np.array(pairs, dtype=object))
        return [dict(zip(map(str, pipeline.classes_), map(float, row), strict=True)) for row in table]

    return guess
