"""Intervals over articles."""

import numpy as np
import pytest
from whosays.training.evaluation.bootstrap import article_weights, figure, share, too_small


def test_weights_draw_articles_with_replacement_and_are_the_same_each_time():
    weights = article_weights(7, resamples=50)
    assert weights.shape == (50, 7)
    assert (weights.sum(1) == 7).all()
    assert (weights == article_weights(7, resamples=50)).all()
    assert (weights != article_weights(7, resamples=50, seed=1)).any()


def test_interval_by_an_independent_resampling():
    hits, total = np.array([3.0, 0, 5, 2, 4]), np.array([5.0, 4, 5, 6, 4])
    found = share(hits, total, article_weights(5, resamples=4000))
    generator = np.random.default_rng(0)
    draws = [generator.integers(0, 5, 5) for _ in range(4000)]
    shares = [hits[d].sum() / total[d].sum() for d in draws]
    assert found["value"] == 14 / 24
    assert [found["low"], found["high"]] == pytest.approx(np.percentile(shares, [2.5, 97.5]), abs=0.03)


def test_articles_count_not_sentences():
    """Ten articles all right or all wrong: the interval is that of ten draws, however many sentences each has."""
    hits = np.array([1.0, 0] * 5)
    few = share(hits, np.ones(10), article_weights(10))
    many = share(100 * hits, np.full(10, 100.0), article_weights(10))
    assert few == many
    assert few["high"] - few["low"] > 0.5


def test_nothing_to_resample():
    assert share(np.array([0.0, 2]), np.array([0.0, 4]), article_weights(2)) == {
        "value": 0.5,
        "low": None,
        "high": None,
    }
    assert share(np.zeros(2), np.zeros(2), article_weights(2))["value"] is None
    assert figure(float("nan"), None) == {"value": None, "low": None, "high": None}


def test_bounds_of_what_can_be_read():
    assert too_small(49, 100)
    assert too_small(1000, 9)
    assert not too_small(50, 10)
