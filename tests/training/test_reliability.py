"""Calibration, risk and coverage, precision and recall on cases worked by hand."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score
from whosays.model.labels import DEFAULT_SCHEME
from whosays.training.evaluation.bootstrap import article_weights
from whosays.training.evaluation.judged import Judged
from whosays.training.evaluation.reliability import calibration, precision_recall, risk_coverage

STANCE, SIDE = DEFAULT_SCHEME["stance"], DEFAULT_SCHEME["side"]
DRAWN = np.array([[2.0, 0, 1], [0, 3, 0], [1, 1, 1]])
"""Three resamples of three articles."""


def judged(right, scores=None, chances=None, articles=None, gold=None, head=STANCE):
    """Sentences of which `right` are right, each of its own article if no `articles` are given."""
    gold = np.array(gold if gold is not None else ["deny"] * len(right), dtype=object)
    places = np.arange(len(gold))
    return Judged(
        head,
        gold,
        gold if right is None else np.where(right, gold, "hedge").astype(object),
        np.array(["x"] * len(gold), dtype=object),
        places if articles is None else np.array(articles),
        places,
        None if scores is None else np.array(scores, dtype=float),
        chances,
    )


def drawn_rows(articles, weights):
    """The rows of each resample, a row as often as its article."""
    return [[i for i, a in enumerate(articles) for _ in range(int(row[a]))] for row in weights]


def test_ece_with_known_bins():
    found = calibration(
        judged([True, True, True, False, True, False], [0.95, 0.95, 0.95, 0.95, 0.55, 0.55]), article_weights(6)
    )
    # bin 0.9–1.0: |0.75 − 0.95| · 4/6; bin 0.5–0.6: |0.5 − 0.55| · 2/6
    assert found["ece"]["value"] == pytest.approx(0.2 * 4 / 6 + 0.05 * 2 / 6)
    assert [row["sentences"] for row in found["bins"]] == [0, 0, 0, 0, 0, 2, 0, 0, 0, 4]
    assert found["bins"][9]["accuracy"] == 0.75
    assert found["bins"][9]["score"] == pytest.approx(0.95)
    assert found["bins"][0]["accuracy"] is None


def test_a_score_on_an_edge_belongs_below_it():
    rows = calibration(judged([True, True, True], [0.0, 0.5, 1.0]), article_weights(3))["bins"]
    assert [n for n, row in enumerate(rows) if row["sentences"]] == [0, 4, 9]


def test_risk_and_coverage_by_hand():
    found = risk_coverage(judged([True, False, True, True], [0.9, 0.8, 0.7, 0.6]), article_weights(4))
    assert found["coverage"] == [0.25, 0.5, 0.75, 1]
    assert found["risk"] == pytest.approx([0, 1 / 2, 1 / 3, 1 / 4])
    assert found["threshold"] == [0.9, 0.8, 0.7, 0.6]
    assert found["aurc"]["value"] == pytest.approx((0 + 1 / 2 + 1 / 3 + 1 / 4) / 4)


def test_equal_scores_are_kept_together():
    found = risk_coverage(judged([True, False, True], [0.9, 0.9, 0.5]), article_weights(3))
    assert found["coverage"] == pytest.approx([2 / 3, 1])
    assert found["aurc"]["value"] == pytest.approx((1 / 2 * 2 + 1 / 3) / 3)


def test_macro_f1_of_the_surest():
    table = judged([True, False, True, True], [0.9, 0.8, 0.7, 0.7], gold=["deny", "deny", "affirm", "affirm"])
    kept = risk_coverage(table, article_weights(4))["kept"]
    assert [row["coverage"] for row in kept] == [1, 1, 1, 1]  # 70 % are three, of whom the third has the fourth's score
    assert kept[0]["macro_f1"] == pytest.approx((2 / 3 + 1) / 2)
    ten = judged([False] * 2 + [True] * 8, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
    assert [(row["coverage"], row["threshold"]) for row in risk_coverage(ten, article_weights(10))["kept"]] == [
        (1, 0.1), (0.9, 0.2), (0.8, 0.3), (0.7, 0.4),
    ]  # fmt: skip
    assert [row["macro_f1"] for row in risk_coverage(ten, article_weights(10))["kept"]] == pytest.approx(
        [2 * 0.8 / 1.8, 2 * (8 / 9) / (17 / 9), 1, 1]
    )


def test_average_precision_of_labels_and_of_sides():
    chances = (
        {"none": 0.8, "other": 0.1, "both": 0, "a": 0.1, "b": 0},
        {"none": 0.5, "other": 0, "both": 0, "a": 0.2, "b": 0.3},
        {"none": 0.4, "other": 0, "both": 0, "a": 0.3, "b": 0.3},
    )
    table = judged(None, chances=chances, gold=["none", "a", "none"], head=SIDE)
    found = precision_recall(table, article_weights(3))
    assert set(found) == {"none", "side"}
    # none ranks gold first and third: (1/1 + 2/3) / 2. Sides: 0.3 (three wrong pairs), then 0.2 (right): 1/4
    assert found["none"]["average_precision"]["value"] == pytest.approx((1 + 2 / 3) / 2)
    assert found["none"]["prevalence"] == pytest.approx(2 / 3)
    assert found["side"]["average_precision"]["value"] == pytest.approx(1 / 4)
    assert found["side"]["prevalence"] == pytest.approx(1 / 6)


@pytest.fixture
def scattered():
    """30 sentences of 3 articles with scores that repeat."""
    generator = np.random.default_rng(5)
    return generator.random(30) < 0.5, generator.integers(1, 9, 30) / 10, generator.integers(0, 3, 30)


def test_intervals_are_those_of_the_resampled_sentences(scattered):
    """Each resample written out row by row, and the figure computed anew."""
    right, scores, articles = scattered
    chances = tuple({"deny": p, "affirm": 1 - p} for p in scores)
    gold = np.where(right, "deny", "affirm")
    rows = drawn_rows(articles, DRAWN)
    single = np.ones((1, 90))

    def again(figure):
        values = [figure(r)["value"] for r in rows]
        return pytest.approx(np.percentile(values, [2.5, 97.5]))

    def ends(figure):
        return [figure["low"], figure["high"]]

    assert ends(calibration(judged(right, scores, articles=articles), DRAWN)["ece"]) == again(
        lambda r: calibration(judged(right[r], scores[r]), single)["ece"]
    )
    assert ends(risk_coverage(judged(right, scores, articles=articles), DRAWN)["aurc"]) == again(
        lambda r: risk_coverage(judged(right[r], scores[r]), single)["aurc"]
    )
    table = judged(None, chances=chances, gold=gold, articles=articles)
    assert ends(precision_recall(table, DRAWN)["deny"]["average_precision"]) == again(
        lambda r: {"value": average_precision_score(right[r], scores[r])}
    )


def test_a_resample_without_the_class_is_left_out():
    table = judged(None, chances=({"deny": 0.9}, {"deny": 0.2}, {"deny": 0.8}), gold=["deny", "affirm", "deny"])
    found = precision_recall(table, np.array([[0.0, 3.0, 0.0], [1, 1, 1]]))
    assert found["deny"]["average_precision"] == {"value": 1, "low": 1, "high": 1}
    assert found["affirm"]["average_precision"]["low"] is None, "one article alone has the class"


def test_one_article_has_no_interval():
    table = judged([True, False], [0.9, 0.8], articles=[0, 0])
    assert calibration(table, article_weights(1))["ece"]["low"] is None
    assert risk_coverage(table, article_weights(1))["aurc"]["low"] is None


def test_the_curve_of_a_rare_class_keeps_every_point_where_recall_changes():
    generator = np.random.default_rng(0)
    truth = np.zeros(5000, dtype=bool)
    truth[:20] = True
    chances = tuple({"deny": p} for p in generator.random(5000) + 0.2 * truth)
    table = judged(None, chances=chances, gold=np.where(truth, "deny", "affirm"))
    curve = precision_recall(table, article_weights(5000, resamples=2))["deny"]
    assert sorted({round(r * 20) for r in curve["recall"]}) == list(range(21))
    assert len(curve["recall"]) <= 201
