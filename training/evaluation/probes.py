"""Does the model read the sides and the context? The same articles with one of these taken away.

Stance models are known to score much the same without their target (Kaushal et al. 2021), so a score by
itself does not show what it rests on. Each probe says how far the score falls without something that a reader
would need.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np

from ...model.article import article_from_sentences
from ...model.labels import OTHER, Scheme
from ...model.predictor import Predictor
from ...model.sides import Conflict, Side
from ..corpus import LabelledArticle
from .bootstrap import share
from .judged import Answers, answers_of, judge_head, model_answers
from .summary import paired_difference, summary

_UNWRITTEN = "\ue000"
"""A private-use character, which no text holds."""


@dataclass(frozen=True)
class Probe:
    """`answers` gives a model's labels on changed articles; `expected` the voice that should become of one,
    if that is known and among the labels of the head that points."""

    title: str
    answers: Callable[[Predictor, Sequence[LabelledArticle]], Answers]
    expected: Callable[[str, Conflict], str] | None = None


def without_sides(conflict: Conflict) -> Conflict:
    """The conflict with no word that would name a side, so that no mention is found."""
    sides = (Side(side.key, side.name, (f"{_UNWRITTEN}{n}",)) for n, side in enumerate(conflict.sides))
    return Conflict(conflict.name, tuple(sides))


def with_wrong_sides(conflict: Conflict) -> Conflict:
    """The conflict with each side named by the words of the next one."""
    shifted = zip(conflict.sides, [*conflict.sides[1:], conflict.sides[0]], strict=True)
    return Conflict(conflict.name, tuple(Side(side.key, other.name, other.aliases) for side, other in shifted))


def alone_answers(predictor: Predictor, articles: Sequence[LabelledArticle]) -> Answers:
    """What the model says of each sentence when it is an article by itself."""
    jobs = (
        (article_from_sentences(f"{item.article.id}#{n}", [sentence.text]), item.conflict)
        for item in articles
        for n, sentence in enumerate(item.article.sentences)
    )
    rows = (row for rows in predictor.label_all(jobs) for row in rows)
    return [answers_of(list(islice(rows, len(item.article.sentences)))) for item in articles]


def _with(
    change: Callable[[Conflict], Conflict],
) -> Callable[[Predictor, Sequence[LabelledArticle]], Answers]:
    return lambda predictor, articles: model_answers(
        predictor, [replace(item, conflict=change(item.conflict)) for item in articles]
    )


def _side_before(voice: str, conflict: Conflict) -> str:
    return conflict.keys[conflict.keys.index(voice) - 1]


PROBES = {
    "sides_removed": Probe("sides removed", _with(without_sides), lambda voice, conflict: OTHER),
    "wrong_sides": Probe("wrong sides", _with(with_wrong_sides), _side_before),
    "sentence_alone": Probe("each sentence alone", alone_answers),
}
"""By the key in reports. Without sides, a side's voice should become `other`; with wrong ones, the wrong
side."""


def probes_of(scheme: Scheme) -> dict[str, Probe]:
    """Those of `PROBES` that ask something of the scheme: where no head points, no label should follow the sides."""
    points = any(head.points for head in scheme.heads)
    return {key: probe for key, probe in PROBES.items() if points or probe.expected is None}


def probe_figures(
    probe: Probe,
    scheme: Scheme,
    articles: Sequence[LabelledArticle],
    before: Answers,
    after: Answers,
    weights: np.ndarray,
) -> dict[str, Any]:
    """By head: macro-F1 under the probe and its change, with paired intervals.

    `followed` is the share of sentences which the model had given to a side whose label became the expected
    one; None where the probe has no expected label or one that the head that points does not have.
    """
    heads = {}
    for head in scheme.heads:
        then, now = judge_head(head, articles, before), judge_head(head, articles, after)
        if not len(now):
            continue
        heads[head.name] = {
            "macro_f1": summary(now, weights)["macro_f1"],
            "change": paired_difference(now, then, weights)["macro_f1"],
        }
    return {
        "title": probe.title,
        "heads": heads,
        "followed": _followed(probe, scheme, articles, before, after, weights),
    }


def _followed(
    probe: Probe,
    scheme: Scheme,
    articles: Sequence[LabelledArticle],
    before: Answers,
    after: Answers,
    weights: np.ndarray,
) -> dict[str, Any] | None:
    if probe.expected is None:
        return None
    [pointing] = [head for head in scheme.heads if head.points]
    name, fixed = pointing.name, pointing.labels
    for keys, conflict in {(item.conflict.keys, item.conflict) for item in articles}:
        if not {probe.expected(key, conflict) for key in keys} <= set(pointing.classes(keys)):
            return None
    hits, total = np.zeros(len(articles)), np.zeros(len(articles))
    for a, item in enumerate(articles):
        for old, new in zip(before[a], after[a], strict=True):
            voice = old.labels[name]
            if voice is not None and voice not in fixed:
                total[a] += 1
                hits[a] += new.labels[name] == probe.expected(voice, item.conflict)
    return dict(share(hits, total, weights)) | {"sentences": int(total.sum())}
