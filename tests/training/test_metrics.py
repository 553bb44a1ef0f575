"""Figures against calculations by hand, and against scikit-learn where they are computed twice."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, cohen_kappa_score, matthews_corrcoef
from whosays.model.labels import DEFAULT_SCHEME
from whosays.training.evaluation.bootstrap import article_weights
from whosays.training.evaluation.counts import article_counts, count_figures, resample, resampled_figures
from whosays.training.evaluation.judged import MISSING, Judged
from whosays.training.evaluation.metrics import (
    macro_f1,
    point_figures,
    pooled_confusion,
    pooled_f1,
    pooled_labels,
    pooled_scores,
)
from whosays.training.evaluation.summary import between_sides, by_conflict, paired_difference, summary

SIDE, STANCE = DEFAULT_SCHEME["side"], DEFAULT_SCHEME["stance"]


def table(gold, predicted, conflicts=None, articles=None, head=SIDE):
    n = len(gold)
    return Judged(
        head,
        np.array(gold, dtype=object),
        np.array(predicted, dtype=object),
        np.array(conflicts or ["strait"] * n, dtype=object),
        np.array(articles if articles is not None else range(n)),
        np.arange(n),
    )


GOLD = ["none", "none", "other", "both", "a", "a", "b", "c"]
GIVEN = ["none", "other", "other", "none", "a", "b", "b", "none"]
WHERE = ["x", "x", "x", "x", "x", "x", "x", "y"]


def test_pooled_f1_by_hand():
    # none: 1 hit, 2 gold, 3 given → 2/5; other: 1, 1, 2 → 2/3; both: 0; sides: hits a, b of 4 gold, 3 given → 4/7
    found = pooled_f1(SIDE, GOLD, GIVEN, WHERE)
    assert found == pytest.approx({"none": 2 / 5, "other": 2 / 3, "both": 0, "side": 4 / 7})
    assert macro_f1(found) == pytest.approx((2 / 5 + 2 / 3 + 4 / 7) / 4)


def test_a_side_of_the_same_key_in_another_conflict_is_another_class():
    assert pooled_f1(SIDE, ["a"], ["a"], ["x"])["side"] == 1
    counts, classes = article_counts(table(["a", "a"], ["a", "none"], ["x", "y"]), 2)
    assert classes == ["none", "other", "both", "x\ta", "y\ta", MISSING]
    # right, gold and given of the two articles
    assert counts.tolist() == [
        [[0, 0, 0, 1, 0, 0], [0, 0, 0, 0, 0, 0]],
        [[0, 0, 0, 1, 0, 0], [0, 0, 0, 0, 1, 0]],
        [[0, 0, 0, 1, 0, 0], [1, 0, 0, 0, 0, 0]],
    ]


def test_no_answer_is_a_miss_and_no_side():
    # sides: 1 hit, 2 gold, 1 given → precision 1, recall 1/2, F1 2/3
    assert pooled_f1(SIDE, ["a", "a"], ["a", MISSING], ["x", "x"])["side"] == pytest.approx(2 / 3)
    figures = point_figures(table(["a", "a"], ["a", MISSING]))
    assert figures["accuracy"] == 0.5
    assert figures["micro_f1"] == pytest.approx(2 / 3)


def test_kappa_by_hand():
    # agreement 7/10; chance 0.5·0.6 + 0.5·0.4 = 0.5 → (0.7 − 0.5) / 0.5
    gold = ["affirm"] * 5 + ["deny"] * 5
    given = ["affirm"] * 4 + ["deny"] + ["affirm"] * 2 + ["deny"] * 3
    assert point_figures(table(gold, given, head=STANCE))["kappa"] == pytest.approx(0.4)


@pytest.mark.parametrize("seed", range(5))
def test_figures_of_counts_equal_scikit_learns(seed):
    generator = np.random.default_rng(seed)
    gold = generator.choice(["none", "other", "a", "b"], 60)
    given = np.where(generator.random(60) < 0.6, gold, generator.choice(["none", "other", "both", "a"], 60))
    judged = table(gold, given, articles=generator.integers(0, 9, 60))
    counts, _ = article_counts(judged, 9)
    figures = count_figures(counts.sum(1), counts.sum(1), SIDE)
    for name, value in point_figures(judged).items():
        assert figures[name] == pytest.approx(value), name
    assert figures["kappa"] == pytest.approx(cohen_kappa_score(gold, given))
    assert figures["mcc"] == pytest.approx(matthews_corrcoef(gold, given))
    pooled_gold, pooled_given = pooled_labels(judged)
    with pytest.warns(UserWarning, match="not in y_true"):  # "both" and "wrong side" are never gold
        assert figures["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(pooled_gold, pooled_given))
    for label, value in pooled_f1(SIDE, gold, given, judged.conflicts).items():
        assert figures[f"{label}.f1"] == pytest.approx(value)


def test_a_resample_is_the_figure_of_the_articles_drawn():
    judged = table(GOLD, GIVEN, articles=[0, 0, 1, 1, 2, 2, 3, 3])
    weights = np.array([[2.0, 0, 1, 1]])
    rows = [0, 1, 0, 1, 4, 5, 6, 7]
    again = table([GOLD[i] for i in rows], [GIVEN[i] for i in rows])
    counts, _ = article_counts(judged, 4)
    found = count_figures(resample(counts, weights), counts.sum(1), SIDE)
    assert found["accuracy"][0] == pytest.approx(point_figures(again)["accuracy"])
    by_class = pooled_f1(SIDE, list(again.gold), list(again.predicted), list(again.conflicts))
    assert found["side.f1"][0] == pytest.approx(by_class["side"])
    # "other" and "both" are not gold in what was drawn: their F1 in the mean is that of the whole sample, 2/3 and 0
    assert found["macro_f1"][0] == pytest.approx(macro_f1(by_class | {"other": 2 / 3, "both": 0.0}))


def test_a_resample_in_which_nothing_is_gold_has_no_figures():
    judged = table(GOLD * 2, GIVEN * 2, articles=[0] * 8 + [1] * 8)
    weights = np.array([[0.0, 0, 3], [1, 1, 1]])  # the third article has no gold
    found = resampled_figures(judged, weights)
    for name, whole in point_figures(judged).items():
        assert np.isnan(found[name][0]), name
        assert found[name][1] == pytest.approx(whole), name
    macro = by_conflict(judged, weights)["strait"]["macro_f1"]
    assert macro["low"] == macro["high"] == pytest.approx(macro["value"])


def test_what_rests_on_a_class_of_a_single_article_has_no_interval():
    gold = ["affirm"] * 6 + ["deny"] * 2
    judged, better = (
        table(gold, given, articles=[0, 1, 2, 3, 4, 5, 0, 0], head=STANCE)
        for given in (["affirm"] * 6 + ["deny", "affirm"], [gold[0], "deny", *gold[2:]])
    )
    weights = article_weights(6)
    found = summary(judged, weights)
    for figures in (found["by_class"]["deny"], by_conflict(judged, weights)["strait"]["by_voice"]["deny"]):
        assert figures["recall"] == {"value": 0.5, "low": None, "high": None}
        assert figures["f1"]["low"] is figures["precision"]["low"] is None
    assert found["by_class"]["affirm"]["f1"]["low"] is not None
    assert (found["macro_f1"]["low"], found["balanced_accuracy"]["low"]) == (None, None)
    assert found["accuracy"]["low"] is not None
    change = paired_difference(better, judged, weights)
    assert change["deny.f1"]["value"] > 0
    assert change["deny.f1"]["low"] is change["macro_f1"]["low"] is None
    assert summary(better, weights)["by_class"]["deny"]["precision"]["low"] is not None, "it is given in two articles"


def test_a_perfect_system_is_perfect_in_every_resample():
    gold = ["none", "other", "both", "a"] * 3
    found = summary(table(gold, gold, articles=np.arange(12)), article_weights(12))
    for name in ("macro_f1", "accuracy", "micro_f1", "balanced_accuracy", "mcc", "kappa"):
        assert found[name] == {"value": 1, "low": 1, "high": 1}, name


def test_a_class_that_is_never_gold_is_undefined_and_not_in_the_mean():
    gold = ["none", "other", "a"] * 3
    # "both" given once in place of a side: none 1, other 1, side 2·2 / (3 + 2), whose mean leaves "both" out
    given = [*gold[:-1], "both"]
    assert pooled_f1(SIDE, gold, given, ["x"] * 9) == pytest.approx({"none": 1, "other": 1, "side": 4 / 5})
    found = summary(table(gold, given), article_weights(9))
    assert found["macro_over"] == ["none", "other", "side"]
    assert found["macro_f1"]["value"] == pytest.approx((1 + 1 + 4 / 5) / 3)
    assert found["balanced_accuracy"]["value"] == pytest.approx((1 + 1 + 2 / 3) / 3)
    undefined = {"value": None, "low": None, "high": None}
    both = found["by_class"]["both"]
    assert (both["f1"], both["recall"], both["support"], both["given"]) == (undefined, undefined, 0, 1)
    assert both["precision"]["value"] == 0
    perfect = summary(table(gold, gold), article_weights(9))
    assert perfect["macro_f1"] == {"value": 1, "low": 1, "high": 1}
    assert perfect["by_class"]["both"]["precision"] == undefined


def test_a_gold_class_that_is_never_given_has_f1_0_and_no_precision():
    scores = pooled_scores(SIDE, ["none", "a"], ["none", "none"], ["x", "x"])["side"]
    assert (scores.recall, scores.f1, scores.support, scores.given) == (0, 0, 1, 0)
    assert np.isnan(scores.precision)


def test_matthews_correlation_and_balanced_accuracy_by_hand():
    # affirm: 6 of 8 found; deny: 1 of 2. (6·1 − 2·1) / √(8·2·7·3)
    gold = ["affirm"] * 8 + ["deny"] * 2
    given = ["affirm"] * 6 + ["deny"] * 2 + ["affirm", "deny"]
    found = point_figures(table(gold, given, head=STANCE))
    assert found["mcc"] == pytest.approx((6 - 2) / (8 * 2 * 7 * 3) ** 0.5)
    assert found["balanced_accuracy"] == pytest.approx((6 / 8 + 1 / 2) / 2)
    assert found["accuracy"] == found["micro_f1"] == 0.7


def test_balanced_accuracy_counts_all_sides_once():
    # none 1/2, other 1, both 0, sides 2 of 4
    assert point_figures(table(GOLD, GIVEN, WHERE))["balanced_accuracy"] == pytest.approx((1 / 2 + 1 + 0 + 1 / 2) / 4)


def test_a_constant_system_agrees_no_more_than_chance():
    gold = ["none", "other", "both", "a"] * 3
    found = summary(table(gold, ["none"] * 12), article_weights(12))
    assert found["by_class"]["none"]["precision"]["value"] == pytest.approx(1 / 4)
    assert found["macro_f1"]["value"] == pytest.approx(0.4 / 4)  # none: 2·3 / (3 + 12)
    assert found["kappa"]["value"] == found["mcc"]["value"] == 0
    assert found["balanced_accuracy"]["value"] == pytest.approx(1 / 4)


def test_one_article_has_no_interval():
    found = summary(table(["none", "a"], ["none", "a"], articles=[0, 0]), article_weights(1))
    assert found["macro_f1"]["low"] is None


def test_a_single_class_has_no_kappa():
    assert summary(table(["none"] * 3, ["none"] * 3), article_weights(3))["kappa"]["value"] is None


def test_confusion_tells_a_wrong_side_from_a_false_one():
    found = pooled_confusion(table(["a", "a", "none", "a"], ["a", "b", "b", MISSING]))
    assert found["predicted"] == ["none", "other", "both", "side", "wrong side", "no answer"]
    assert found["counts"][0] == [0, 0, 0, 1, 0, 0]
    assert found["counts"][3] == [0, 0, 0, 1, 1, 1]
    assert found["row_shares"][3] == pytest.approx([0, 0, 0, 1 / 3, 1 / 3, 1 / 3])


def test_by_conflict_is_the_mean_over_voices_in_gold():
    # x: none 1/2 (1 hit, 2 gold, 2 given), other 2/3, both 0, a 2/3, b 2/3
    found = by_conflict(table(GOLD, GIVEN, WHERE), article_weights(8))
    assert found["x"]["macro_f1"]["value"] == pytest.approx((1 / 2 + 2 / 3 + 0 + 2 / 3 + 2 / 3) / 5)
    assert found["x"]["macro_over"] == ["none", "other", "both", "a", "b"]
    assert found["y"]["macro_f1"] == {"value": 0, "low": None, "high": None}
    assert found["x"]["small"]
    voice = found["x"]["by_voice"]["b"]  # 1 hit, 1 gold, 2 given
    assert (voice["precision"]["value"], voice["recall"]["value"], voice["support"], voice["given"]) == (0.5, 1, 1, 2)
    assert voice["precision"]["low"] is not None


def test_gap_between_the_best_and_the_worst_side_by_hand():
    # a: 20 hits, 20 gold, 30 given → 4/5; b: 10 hits, 30 gold, 10 given → 1/2; c: never right → 0
    gold = ["a"] * 20 + ["b"] * 30 + ["c"] * 10
    given = ["a"] * 20 + ["b"] * 10 + ["a"] * 10 + ["none"] * 20
    found = by_conflict(table(gold, given), article_weights(60))["strait"]
    assert found["side_gap"]["value"] == pytest.approx(4 / 5)
    # with nine sentences c is too small to be compared
    without = by_conflict(table(gold[:59], given[:59]), article_weights(59))["strait"]
    assert without["side_gap"]["value"] == pytest.approx(4 / 5 - 1 / 2)
    fair = by_conflict(table(gold, gold), article_weights(60))["strait"]["side_gap"]
    assert fair == {"value": 0, "low": 0, "high": 0}
    alone = by_conflict(table(["a"] * 10 + ["b"] * 9, ["a"] * 19), article_weights(19))["strait"]["side_gap"]
    assert alone == {"value": None, "low": None, "high": None}


def test_gap_between_the_sides_heard_most_and_the_others_by_hand():
    # strait: a 20 gold, 15 hits, 15 given; b 10 gold, 5 hits, 10 given (5 of a's); ridge: c 6 gold, all right; d 2, none.
    gold = ["a"] * 20 + ["b"] * 10 + ["c"] * 6 + ["d"] * 2 + ["e"] * 9
    given = ["a"] * 15 + ["b"] * 5 + ["b"] * 5 + ["none"] * 5 + ["c"] * 6 + ["other"] * 2 + ["none"] * 9
    conflicts = ["strait"] * 30 + ["ridge"] * 8 + ["fen"] * 9  # fen hears one side only and does not count
    found = between_sides(table(gold, given, conflicts), article_weights(47))
    assert found is not None
    assert found["conflicts"] == 2
    assert found["most_heard"]["f1"]["value"] == pytest.approx(2 * 21 / (26 + 21))
    assert found["others"]["f1"]["value"] == pytest.approx(2 * 5 / (12 + 10))
    assert found["gap"]["value"] == pytest.approx(2 * 21 / 47 - 10 / 22)
    assert (found["most_heard"]["support"], found["others"]["support"]) == (26, 12)
    assert found["gap"]["low"] < found["gap"]["value"] < found["gap"]["high"]
    alone = between_sides(
        table(
            gold[:30] + gold[36:38],
            given[:30] + given[36:38],
            [*["strait"] * 30, "x", "x"],
            articles=[0] * 20 + [*range(1, 11)] + [11, 12],
        ),
        article_weights(13),
    )
    assert alone["most_heard"]["f1"]["low"] is None, "one article alone has it"
    assert alone["others"]["f1"]["low"] is not None
    assert alone["gap"]["low"] is alone["gap"]["high"] is None
    assert between_sides(table(gold[-9:], given[-9:], conflicts[-9:]), article_weights(9)) is None
    assert between_sides(table(["deny"] * 3, ["deny"] * 3, head=STANCE), article_weights(3)) is None


def test_differences_are_paired():
    first, second = table(GOLD, GIVEN), table(GOLD, GIVEN)
    assert paired_difference(first, second, article_weights(8))["accuracy"] == {"value": 0, "low": 0, "high": 0}
    # against a perfect system, each resample's difference is the share of its draws that are wrong
    weights = article_weights(8)
    found = paired_difference(table(GOLD, GOLD), first, weights)["accuracy"]
    wrong = np.array([gold != given for gold, given in zip(GOLD, GIVEN, strict=True)])
    low, high = np.percentile(weights @ wrong / 8, [2.5, 97.5])
    assert found == pytest.approx({"value": wrong.mean(), "low": low, "high": high})
