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


def test_percentiles_by_hand():
    # the first article is all right, the second all wrong: drawn twice, never and once it gives shares 1, 0 and 1/2
    weights = np.array([[2.0, 0], [0, 2], [1, 1]])
    found = share(np.array([3.0, 0]), np.array([3.0, 3]), weights)
    # between the sorted shares 0, 1/2, 1 the 2.5th percentile lies 0.05 of the way from the first to the second
    assert found == pytest.approx({"value": 0.5, "low": 0.05 / 2, "high": 1 - 0.05 / 2})


def test_samples_that_are_not_defined_are_left_out_and_a_value_that_is_not_has_no_interval():
    assert figure(0.5, np.array([0.5, np.nan, 0.5])) == {"value": 0.5, "low": 0.5, "high": 0.5}
    assert figure(0.5, np.array([np.nan]))["low"] is None
    assert figure(float("nan"), np.array([0.5, 0.5])) == {"value": None, "low": None, "high": None}


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
