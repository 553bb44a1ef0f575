"""Calibration: one temperature a head, so that scores are probabilities (Guo et al. 2017)."""

from collections.abc import Sequence

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from ..model.predictor import Predictor
from .corpus import LabelledArticle


def fit_temperatures(predictor: Predictor, articles: Sequence[LabelledArticle]) -> dict[str, float]:
    """For each head the temperature with the least negative log-likelihood on labelled articles, from 0.2 to 5.

    A gold side that its window never mentions has no logit and is left out, and so is a head without any gold.
    """
    scores = predictor.score([(item.article, item.conflict) for item in articles])
    temperatures = {}
    for head in predictor.scheme.heads:
        kept: list[tuple[np.ndarray, int]] = []
        for item, article in zip(articles, scores, strict=True):
            classes = head.classes(item.conflict.keys)
            for label, logits in zip(item.labels[head.name], article.logits[head.name], strict=True):
                if label is not None and logits[classes.index(label)] > -1e3:
                    kept.append((logits.astype(np.float64), classes.index(label)))
        if kept:
            temperatures[head.name] = _fit(kept)
    return temperatures


def _fit(rows: list[tuple[np.ndarray, int]]) -> float:
    def loss(log_temperature: float) -> float:
        scale = np.exp(log_temperature)
        return -float(np.mean([log_softmax(logits / scale)[gold] for logits, gold in rows]))

    found = minimize_scalar(loss, bounds=(np.log(0.2), np.log(5.0)), method="bounded")
    return float(np.exp(found.x))
