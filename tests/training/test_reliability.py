"""Calibration, risk and coverage, precision and recall on cases worked by hand."""

import numpy as np
import pytest
from whosays.model.labels import DEFAULT_SCHEME
from whosays.training.evaluation.judged import Judged
from whosays.training.evaluation.reliability import calibration, precision_recall, risk_coverage


def test_ece_with_known_bins():
    scores = np.array([0.95, 0.95, 0.95, 0.95, 0.55, 0.55])
    right = np.array([True, True, True, False, True, False])
    found = calibration(scores, right)
    # bin 0.9–1.0: |0.75 − 0.95| · 4/6; bin 0.5–0.6: |0.5 − 0.55| · 2/6
    assert found["ece"] == pytest.approx(0.2 * 4 / 6 + 0.05 * 2 / 6)
    assert [row["sentences"] for row in found["bins"]] == [0, 0, 0, 0, 0, 2, 0, 0, 0, 4]
    assert found["bins"][9]["accuracy"] == 0.75
    assert found["bins"][0]["accuracy"] is None


def test_a_score_on_an_edge_belongs_below_it():
    rows = calibration(np.array([0.0, 0.5, 1.0]), np.array([True, True, True]))["bins"]
    assert [n for n, row in enumerate(rows) if row["sentences"]] == [0, 4, 9]


def test_risk_and_coverage_by_hand():
    found = risk_coverage(np.array([0.9, 0.8, 0.7, 0.6]), np.array([True, False, True, True]))
    assert found["coverage"] == [0.25, 0.5, 0.75, 1]
    assert found["risk"] == pytest.approx([0, 1 / 2, 1 / 3, 1 / 4])
    assert found["aurc"] == pytest.approx((0 + 1 / 2 + 1 / 3 + 1 / 4) / 4)


def test_equal_scores_are_kept_together():
    found = risk_coverage(np.array([0.9, 0.9, 0.5]), np.array([True, False, True]))
    assert found["coverage"] == pytest.approx([2 / 3, 1])
    assert found["aurc"] == pytest.approx((1 / 2 * 2 + 1 / 3) / 3)


def test_average_precision_of_labels_and_of_sides():
    gold = np.array(["none", "a", "none"], dtype=object)
    chances = (
        {"none": 0.8, "other": 0.1, "both": 0, "a": 0.1, "b": 0},
        {"none": 0.5, "other": 0, "both": 0, "a": 0.2, "b": 0.3},
        {"none": 0.4, "other": 0, "both": 0, "a": 0.3, "b": 0.3},
    )
    places = np.arange(3)
    found = precision_recall(
        Judged(DEFAULT_SCHEME["side"], gold, gold, np.array(["x"] * 3), places, places, None, chances)
    )
    assert set(found) == {"none", "side"}
    # none ranks gold first and third: (1/1 + 2/3) / 2. Sides: 0.3 (three wrong pairs), then 0.2 (right): 1/4
    assert found["none"]["average_precision"] == pytest.approx((1 + 2 / 3) / 2)
    assert found["side"]["average_precision"] == pytest.approx(1 / 4)
