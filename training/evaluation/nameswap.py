"""Name-swap bias: exchange two sides' names throughout an article, and every label must follow.

The figure is the share of sentences whose label, with the two sides exchanged back, differs from the label
that the sentence had before. It is 0 for a reader to whom names mean nothing (after counterfactual token
fairness, Garg et al. 2019). Names are exchanged mention for mention in the form that the grammar needs, as
well as the aliases of a sides file show it; what stays ungrammatical counts against the model too, so the
figure leans to the strict side.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import regex

from ...model.article import Article, article_from_sentences
from ...model.labels import Scheme
from ...model.predictor import Predictor
from ...model.sides import Conflict, Side, fold
from ..corpus import LabelledArticle
from .bootstrap import share
from .judged import Answers

_ADJECTIVE = regex.compile(r"(?:an|ese|ish|i|ic)$")
_TITLED = regex.compile(r"(?:Mr|Mrs|Ms|Dr|President|Minister|General)\b")
_STEM = 3
"""Letters that an adjective must share with a word of its side's name, or surnames in -i would be
adjectives."""


def swap_bias(
    predictor: Predictor, articles: Sequence[LabelledArticle], before: Answers, weights: np.ndarray
) -> dict[str, Any]:
    """By head and for any head, the share of sentences whose label does not follow, with intervals over
    articles.

    In a conflict of more than two sides, the two mentioned most in the article are exchanged; articles that
    mention no side are left out. `examples` holds up to ten of the sentences, as they stood and exchanged.
    """
    scheme = predictor.scheme
    pairs = {a: pair for a, item in enumerate(articles) if (pair := pair_to_swap(item)) is not None}
    swapped = {a: swap_names(articles[a], *pair) for a, pair in pairs.items()}
    answers = predictor.label_all((article, articles[a].conflict) for a, article in swapped.items())
    moved = {name: np.zeros(len(articles)) for name in (*scheme.names, "any")}
    total = np.zeros(len(articles))
    examples: list[dict[str, Any]] = []
    for (a, article), rows in zip(swapped.items(), answers, strict=True):
        total[a] = len(rows)
        for n, (old, new) in enumerate(zip(before[a], rows, strict=True)):
            back = mapped_back(new.labels, pairs[a], scheme)
            changed = [name for name in scheme.names if back[name] != old.labels[name]]
            for name in [*changed, *(["any"] if changed else [])]:
                moved[name][a] += 1
            if changed and len(examples) < 10:
                examples.append(
                    {
                        "article_id": article.id,
                        "index": n,
                        "text": articles[a].article.sentences[n].text,
                        "swapped": article.sentences[n].text,
                        "labels": {name: [old.labels[name], back[name]] for name in changed},
                    }
                )
    return {
        "articles": len(pairs),
        "sentences": int(total.sum()),
        **{name: share(counts, total, weights) for name, counts in moved.items()},
        "examples": examples,
    }


def mapped_back(labels: Mapping[str, str | None], pair: tuple[Side, Side], scheme: Scheme) -> dict[str, str | None]:
    """`labels` with the two sides exchanged in the head that points."""
    exchange = {pair[0].key: pair[1].key, pair[1].key: pair[0].key}
    return {
        head.name: exchange.get(str(labels[head.name]), labels[head.name]) if head.points else labels[head.name]
        for head in scheme.heads
    }


def pair_to_swap(item: LabelledArticle) -> tuple[Side, Side] | None:
    """The two sides that the article mentions most, ties by key; None if it mentions no side."""
    counts = Counter(
        mention.side for sentence in item.article.sentences for mention in item.conflict.find_mentions(sentence.text)
    )
    if not counts:
        return None
    first, second = sorted(item.conflict.sides, key=lambda side: (-counts[side.key], side.key))[:2]
    return first, second


def swap_names(item: LabelledArticle, first: Side, second: Side) -> Article:
    """The article with every mention of `first` put as one of `second` and the other way round.

    A possessive ending stays where it is, outside the mention; a bare s ("Cubans", where only "Cuban" is an
    alias) goes with the word.
    """
    counterpart = {first.key: (first, second), second.key: (second, first)}
    texts = [_swapped(sentence.text, item.conflict, counterpart) for sentence in item.article.sentences]
    return article_from_sentences(item.article.id, texts, item.article.conflict)


def _swapped(text: str, conflict: Conflict, counterpart: Mapping[str, tuple[Side, Side]]) -> str:
    parts, position = [], 0
    for mention in conflict.find_mentions(text):
        if mention.side in counterpart:
            end = mention.end + (text[mention.end : mention.end + 1] in ("s", "S"))
            parts += [
                text[position : mention.start],
                replacement(text[mention.start : end], *counterpart[mention.side]),
            ]
            position = end
    return "".join(parts) + text[position:]


def replacement(word: str, own: Side, other: Side) -> str:
    """The word of `other` that stands for `word` of `own`: of the same form, at the same place among that
    form's. A bare s after `word` makes an adjective a people, and otherwise counts for nothing.

    Without a word of that form it is the other side's name, or its first alias if the name is none, since
    nobody would find it as a mention. Capitals of a heading or a sentence's start are kept.
    """
    ours, theirs = _by_form(own), _by_form(other)
    aliases = {_plain(alias): alias for alias in reversed(own.aliases)}
    plain = _plain(word)
    alias = aliases.get(plain) or aliases.get(plain[:-1]) or word
    form = _form(alias, own)
    if form == "adjective" and plain not in aliases:
        form = "people"
    same = theirs.get(form, [])
    place = ours.get(form, []).index(alias) if alias in ours.get(form, []) else 0
    named = other.name if other.name in other.aliases else other.aliases[0]
    found = same[place % len(same)] if same else named
    if word[0].islower() and found.startswith("The "):
        found = found.replace("The", "the", 1)
    if word.isupper() and not alias.isupper():
        return found.upper()
    return found[0].upper() + found[1:] if word[0].isupper() else found


def _by_form(side: Side) -> dict[str, list[str]]:
    """The side's aliases by form, its name first, then as in the file."""
    forms: dict[str, list[str]] = {}
    for alias in sorted(side.aliases, key=lambda alias: alias != side.name):
        forms.setdefault(_form(alias, side), []).append(alias)
    return forms


def _form(alias: str, side: Side) -> str:
    """The grammatical form of an alias, by its spelling: what may stand where it stands."""
    if alias.startswith(("The ", "the ")):
        return "the nouns" if alias.endswith("s") else "the noun"
    if alias[0].islower():
        return "nouns" if alias.endswith("s") else "noun"
    if _TITLED.match(alias):
        return "titled name"
    if " " in alias:
        return "long name"
    if alias.isupper() and len(alias) > 1:
        return "acronym"
    if _is_adjective(alias, side):
        return "adjective"
    if alias.endswith("s") and _is_adjective(alias[:-1], side):
        return "people"
    return "name"


def _is_adjective(word: str, side: Side) -> bool:
    """ "Pakistani" and "Afghan" are; "Iran" is not, for "Iranian" is made from it; nor is "Karzai", akin to
    no name."""
    akin = any(word[:_STEM] == part[:_STEM] and word != part for part in side.name.split())
    made = any(alias in (f"{word}i", f"{word}ian", f"{word}ese") for alias in side.aliases)
    return bool(_ADJECTIVE.search(word)) and not made and (akin or word in side.name.split()[:-1])


def _plain(text: str) -> str:
    return regex.sub(r"\s+", " ", fold(text)).casefold()
