"""Gates: bounds that a report's figures must reach, for a machine to act on."""

import math
from collections.abc import Mapping, Sequence, Set
from typing import Any

from ...model.errors import InputError, WorkError
from ..corpus import LabelledArticle, labelled_heads
from .baselines import BASELINES
from .bootstrap import article_weights
from .evaluate import System, apart_from, check_articles, describe
from .figures import figures
from .judged import Answer, Answers
from .nameswap import NAMES_SWAPPED
from .probes import probes_of
from .rules import rule_answers
from .transcript import Transcript


def parse_gates(options: Sequence[str]) -> dict[str, float]:
    """Figure → least value, from "side.macro_f1=0.80". Raises `InputError` at one that is not of that form or
    whose figure has a gate already."""
    gates: dict[str, float] = {}
    for option in options:
        name, _, value = option.partition("=")
        name = name.strip()
        try:
            least = float(value)
        except ValueError:
            least = math.nan
        if not name or not math.isfinite(least):
            raise InputError(f"--fail-under '{option}': write it as FIGURE=NUMBER, as in side.macro_f1=0.80")
        if name in gates:
            raise InputError(f"--fail-under '{option}': {name} has a gate already; give each figure one")
        gates[name] = least
    return gates


def check_names(
    gates: Mapping[str, float],
    system: System,
    articles: Sequence[LabelledArticle],
    training: Sequence[LabelledArticle],
    answers: Answers | None = None,
) -> None:
    """Raise `InputError` at a gate whose figure the report on these data need not have, before the work is done.

    The figures that a report has do not depend on how good a system is, so they are read off the report of one that
    gives each sentence its gold labels, or of `answers` where these are at hand. Only `by_voice` may have more, a side
    that is never gold, if a model gives it: a gate on that is refused.
    """
    if not gates:
        return
    check_articles(articles, system.scheme)
    ideal = [_ideal(item, set(system.scheme.names)) for item in articles]
    probes = (*probes_of(system.scheme), NAMES_SWAPPED) if system.predictor else ()
    heads = {head.name for head in labelled_heads(apart_from(training, articles), system.scheme)}
    of_heads = [_ideal(item, heads) for item in articles]
    learnt = dict.fromkeys(BASELINES, of_heads) if heads else {}
    transcript = Transcript(
        answers or ideal,
        # The rules leave out heads that they do not know, and cost next to nothing to ask.
        learnt | {"rules": rule_answers(articles, system.scheme)},
        dict.fromkeys(probes, ideal),
    )
    content = figures(system.scheme, articles, transcript, article_weights(len(articles), resamples=2))
    for name in gates:
        figure_named(content | {"data": describe(articles, system.scheme)}, name)


def _ideal(item: LabelledArticle, heads: Set[str]) -> list[Answer]:
    """The gold labels of an article for `heads` as answers, each at probability 1."""
    answers = []
    for n in range(len(item.article.sentences)):
        labels = {head: values[n] for head, values in item.labels.items() if head in heads}
        chances = {head: {str(label): 1.0} for head, label in labels.items()}
        answers.append(Answer(labels, dict.fromkeys(labels, 1.0), chances))
    return answers


def figure_named(content: Mapping[str, Any], name: str) -> float | None:
    """The figure in a report (its JSON content) under a dotted name; it begins with a head or a key of the
    report.

    "side.macro_f1", "side.by_class.other.f1", "side.macro_f1.low", "joint.accuracy". None where it, or the part of the
    report that it stands in, is not defined on these data. Raises `InputError` if there is no such figure.
    """
    found: Any = content["heads"] | content
    for part in name.split("."):
        if found is None:
            return None
        if not isinstance(found, Mapping) or part not in found:
            known = f"; it has: {', '.join(map(str, found))}" if isinstance(found, Mapping) and found else ""
            raise InputError(f"--fail-under: the report has no figure '{name}' (at '{part}'){known}")
        found = found[part]
    if isinstance(found, Mapping) and "value" in found:
        found = found["value"]
    if found is None:
        return None
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise InputError(f"--fail-under: '{name}' is not a figure; name one, as in side.macro_f1")
    return float(found)


def check_gates(content: Mapping[str, Any], gates: Mapping[str, float]) -> None:
    """Raise `WorkError` that names every figure that is below its gate or not defined."""
    failed = []
    for name, gate in gates.items():
        value = figure_named(content, name)
        if value is None:
            failed.append(f"{name} is not defined on these data")
        elif value < gate:
            failed.append(f"{name} is {value:.4f}, below {gate:g}")
    if failed:
        raise WorkError("; ".join(failed))
