"""A system's answers on labelled articles, and one head of them laid flat beside the gold labels."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace

import numpy as np

from ...model.labels import Head
from ...model.predictor import Prediction, Predictor
from ..corpus import LabelledArticle

MISSING = ""
"""Stands for the label of a sentence that the system left open; it is never right."""


@dataclass(frozen=True)
class Answer:
    """What a system says of one sentence, by head.

    A label is None where it abstains. `scores` (the probability of the label) and `probabilities` (of every
    class) lack the heads for which the system gives none. `evidence` is the text of the mention it points at.
    """

    labels: Mapping[str, str | None]
    scores: Mapping[str, float]
    probabilities: Mapping[str, Mapping[str, float]]
    evidence: str | None = None

    def only(self, heads: Set[str]) -> "Answer":
        """What is said for `heads` alone."""
        return Answer(
            {head: label for head, label in self.labels.items() if head in heads},
            {head: score for head, score in self.scores.items() if head in heads},
            {head: chances for head, chances in self.probabilities.items() if head in heads},
            self.evidence,
        )


Answers = Sequence[Sequence[Answer]]
"""An `Answer` a sentence, by article."""


@dataclass(frozen=True)
class Judged:
    """The n sentences that have gold for one head, over all articles, in order.

    `gold`, `predicted` [n] are labels, `MISSING` where the system gave none; `conflicts` [n] names;
    `articles`, `sentences` [n] number the article and the sentence in it. `scores` [n] is None if the system
    lacks one for some label that it gave, and 0 where it gave neither; `probabilities` (n) is None if it lacks
    them for some sentence.
    """

    head: Head
    gold: np.ndarray
    predicted: np.ndarray
    conflicts: np.ndarray
    articles: np.ndarray
    sentences: np.ndarray
    scores: np.ndarray | None = None
    probabilities: tuple[Mapping[str, float], ...] | None = None

    def __len__(self) -> int:
        return len(self.gold)

    @property
    def right(self) -> np.ndarray:
        """Whether each sentence's label is right, bool [n]."""
        return self.gold == self.predicted

    def own(self, labels: np.ndarray) -> np.ndarray:
        """`labels` [n] with every side made a class of its own conflict: "conflict<tab>side"."""
        fixed = {*self.head.labels, MISSING}
        return np.array(
            [label if label in fixed else f"{c}\t{label}" for c, label in zip(self.conflicts, labels, strict=True)],
            dtype=object,
        )

    def take(self, chosen: np.ndarray) -> "Judged":
        """Those of the sentences for which `chosen`, bool [n], holds."""
        rows = np.flatnonzero(chosen)
        return replace(
            self,
            gold=self.gold[rows],
            predicted=self.predicted[rows],
            conflicts=self.conflicts[rows],
            articles=self.articles[rows],
            sentences=self.sentences[rows],
            scores=None if self.scores is None else self.scores[rows],
            probabilities=None if self.probabilities is None else tuple(self.probabilities[i] for i in rows),
        )


def judge_head(head: Head, articles: Sequence[LabelledArticle], answers: Answers) -> Judged:
    """The sentences with gold for `head`, beside the answers."""
    places = [
        (a, n) for a, item in enumerate(articles) for n, gold in enumerate(item.labels[head.name]) if gold is not None
    ]
    given = [answers[a][n] for a, n in places]
    scores = [answer.scores.get(head.name, None if answer.labels.get(head.name) else 0.0) for answer in given]
    probabilities = [answer.probabilities.get(head.name) for answer in given]
    return Judged(
        head,
        gold=np.array([articles[a].labels[head.name][n] for a, n in places], dtype=object),
        predicted=np.array([answer.labels.get(head.name) or MISSING for answer in given], dtype=object),
        conflicts=np.array([articles[a].conflict.name for a, _ in places], dtype=object),
        articles=np.array([a for a, _ in places], dtype=int),
        sentences=np.array([n for _, n in places], dtype=int),
        scores=None if None in scores else np.array(scores, dtype=float),
        probabilities=None if None in probabilities else tuple(p for p in probabilities if p is not None),
    )


def answers_of(rows: Sequence[Prediction]) -> list[Answer]:
    """A model's predictions on one article as answers."""
    return [Answer(p.labels, p.scores, p.probabilities, p.evidence_text) for p in rows]


def model_answers(predictor: Predictor, articles: Sequence[LabelledArticle]) -> Answers:
    """What the model says of every sentence. Raises `InputError` at an article without sentences."""
    return [answers_of(rows) for rows in predictor.label_all((item.article, item.conflict) for item in articles)]
