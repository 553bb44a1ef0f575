"""Name-swap bias: exchange two sides' names throughout an article, and every label must follow.

The figure is the share of sentences whose label, with the two sides exchanged back, differs from the label
that the sentence had before. It is 0 for a reader to whom names mean nothing (after counterfactual token
fairness, Garg et al. 2019). The text exchanged is meant to be grammatical (see `renaming`); what stays ungrammatical
counts against the model too, so the figure leans to the strict side, and the report says how many mentions that is.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...model.article import article_from_sentences
from ...model.labels import Scheme
from ...model.predictor import Predictor
from ...model.sides import Side
from ..corpus import LabelledArticle
from .bootstrap import share
from .judged import Answer, Answers, answers_of
from .renaming import ArticleUse, Renamed, article_use, rename

NAMES_SWAPPED = "names_swapped"
"""The key of these answers in a transcript."""
EXAMPLES = 10


@dataclass(frozen=True)
class Swap:
    """An article, by number, with the names of two sides exchanged in it."""

    article: int
    pair: tuple[Side, Side]
    renamed: Renamed


def swaps(articles: Sequence[LabelledArticle]) -> list[Swap]:
    """The exchange of each article that mentions a side."""
    use = article_use(articles)
    pairs = ((a, item, pair_to_swap(item)) for a, item in enumerate(articles))
    return [Swap(a, pair, swap_names(item, *pair, use)) for a, item, pair in pairs if pair is not None]


def pair_to_swap(item: LabelledArticle) -> tuple[Side, Side] | None:
    """The two sides that the article mentions most, ties by key; None if it mentions no side."""
    counts = sum((item.conflict.count_mentions(sentence.text) for sentence in item.article.sentences), Counter[str]())
    if not counts:
        return None
    first, second = sorted(item.conflict.sides, key=lambda side: (-counts[side.key], side.key))[:2]
    return first, second


def swap_names(item: LabelledArticle, first: Side, second: Side, use: ArticleUse) -> Renamed:
    """The article's sentences with every mention of `first` put as one of `second` and the other way round."""
    partners = {first.key: (first, second), second.key: (second, first)}
    return rename([sentence.text for sentence in item.article.sentences], item.conflict, partners, use)


def swapped_answers(predictor: Predictor, articles: Sequence[LabelledArticle]) -> Answers:
    """What the model says of every sentence with the names exchanged; no labels in articles that mention no side."""
    found = swaps(articles)
    items = [articles[swap.article] for swap in found]
    jobs = (
        (article_from_sentences(item.article.id, swap.renamed.texts), item.conflict)
        for item, swap in zip(items, found, strict=True)
    )
    rows = dict(zip((swap.article for swap in found), predictor.label_all(jobs), strict=True))
    blank = Answer(dict.fromkeys(predictor.scheme.names), {}, {})
    return [
        answers_of(rows[a]) if a in rows else [blank] * len(item.article.sentences) for a, item in enumerate(articles)
    ]


def swap_figures(
    scheme: Scheme, articles: Sequence[LabelledArticle], before: Answers, after: Answers, weights: np.ndarray
) -> dict[str, Any]:
    """By head and for any head, the share of sentences whose label does not follow, with intervals over
    articles.

    In a conflict of more than two sides, the two mentioned most in the article are exchanged; articles that
    mention no side are left out. `mentions` were exchanged, `matched` of them for a word that can stand in the same
    place. `examples` holds up to ten of the sentences, as they stood and exchanged.
    """
    moved = {name: np.zeros(len(articles)) for name in (*scheme.names, "any")}
    total = np.zeros(len(articles))
    examples: list[dict[str, Any]] = []
    found = swaps(articles)
    for swap in found:
        a, item = swap.article, articles[swap.article]
        total[a] = len(item.article.sentences)
        for n, (old, new) in enumerate(zip(before[a], after[a], strict=True)):
            back = mapped_back(new.labels, swap.pair, scheme)
            changed = [name for name in scheme.names if back[name] != old.labels[name]]
            for name in [*changed, *(["any"] if changed else [])]:
                moved[name][a] += 1
            if changed and len(examples) < EXAMPLES:
                examples.append(
                    {
                        "article_id": item.article.id,
                        "index": n,
                        "text": item.article.sentences[n].text,
                        "swapped": swap.renamed.texts[n],
                        "labels": {name: [old.labels[name], back[name]] for name in changed},
                    }
                )
    return {
        "articles": len(found),
        "sentences": int(total.sum()),
        "mentions": sum(swap.renamed.mentions for swap in found),
        "matched": sum(swap.renamed.matched for swap in found),
        "heads": {name: share(moved[name], total, weights) for name in scheme.names},
        "any": share(moved["any"], total, weights),
        "examples": examples,
    }


def mapped_back(labels: Mapping[str, str | None], pair: tuple[Side, Side], scheme: Scheme) -> dict[str, str | None]:
    """`labels` with the two sides exchanged in the head that points."""
    exchange = {pair[0].key: pair[1].key, pair[1].key: pair[0].key}
    return {
        head.name: exchange.get(str(labels[head.name]), labels[head.name]) if head.points else labels[head.name]
        for head in scheme.heads
    }
