"""Bootstrap intervals over articles.

Sentences of one article share its topic, its sources and its writer, so they are no independent draws, and an
interval over sentences would be too narrow. What is drawn again with replacement is the article, with all its
sentences (the cluster bootstrap: Davison and Hinkley 1997, section 3.8). A resample is a row of weights, how
often each article was drawn; with one set of weights for every system, differences between systems are
paired.
"""

from typing import TypedDict

import numpy as np

RESAMPLES = 1000
SEED = 13
CONFIDENCE = 0.95
SMALL_SENTENCES = 50
SMALL_ARTICLES = 10
"""Below these an interval over articles is itself unreliable, and a report warns."""
SMALL_SIDE = 10
"""Gold sentences below which a side is not compared with others: one sentence would make a gap of 1."""


class Figure(TypedDict):
    """A figure and its interval; `low` and `high` are null where fewer than two articles stand behind it.

    `value` is null where the figure is not defined (kappa of a single class, for example).
    """

    value: float | None
    low: float | None
    high: float | None


def article_weights(articles: int, resamples: int = RESAMPLES, seed: int = SEED) -> np.ndarray:
    """How often each article is drawn in each resample: [resamples, articles], every row sums to
    `articles`."""
    generator = np.random.default_rng(seed)
    return generator.multinomial(articles, np.full(articles, 1 / articles), size=resamples).astype(np.float64)


def figure(value: float, samples: np.ndarray | None) -> Figure:
    """`value` with the percentile interval of its `samples` [resamples], not-a-numbers left out.

    There is no interval without samples, nor around a value that is not defined.
    """
    kept = samples[~np.isnan(samples)] if samples is not None and not np.isnan(value) else np.empty(0)
    tail = 50 * (1 - CONFIDENCE)
    low, high = np.percentile(kept, [tail, 100 - tail]) if len(kept) else (np.nan, np.nan)
    return {"value": _plain(value), "low": _plain(low), "high": _plain(high)}


def share(hits: np.ndarray, total: np.ndarray, weights: np.ndarray) -> Figure:
    """The share Σ hits / Σ total of counts by article [articles], with its interval; undefined if there are
    none."""
    with np.errstate(invalid="ignore"):
        value = np.float64(hits.sum()) / total.sum()
        samples = (weights @ hits) / (weights @ total) if np.count_nonzero(total) > 1 else None
    return figure(float(value), samples)


def too_small(sentences: int, articles: int) -> bool:
    """Whether a figure over so many sentences of so many articles should not be read by itself."""
    return sentences < SMALL_SENTENCES or articles < SMALL_ARTICLES


def _plain(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
