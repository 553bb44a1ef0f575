"""Baselines and rules."""

import pytest
from whosays.model.article import article_from_sentences
from whosays.model.labels import DEFAULT_SCHEME, Head, Scheme
from whosays.training.corpus import LabelledArticle
from whosays.training.evaluation.baselines import baseline_answers, nearest_sides
from whosays.training.evaluation.rules import rule_answers


def article(conflict, *texts):
    blank = (None,) * len(texts)
    return LabelledArticle(article_from_sentences("x", texts), conflict, {"side": blank, "stance": blank})


def test_majority_is_the_commonest_pooled_label(articles):
    # sides are 16 of 40 together, more than any label: so it is `side`, the nearest one
    found = baseline_answers(articles, articles[:2], DEFAULT_SCHEME)["majority"]
    assert [a.labels["side"] for a in found[0]] == nearest_sides(articles[0])
    assert {a.labels["stance"] for a in found[0]} == {"affirm"}


def test_tfidf_learns_what_it_was_shown_and_its_chances_sum_to_one(articles):
    found = baseline_answers(articles, articles[:2], DEFAULT_SCHEME)["tfidf"]
    assert [a.labels["stance"] for a in found[0]] == list(articles[0].labels["stance"])
    for answer in found[0]:
        for head, chances in answer.probabilities.items():
            assert sum(chances.values()) == pytest.approx(1)
            assert set(chances) == set(DEFAULT_SCHEME[head].classes(articles[0].conflict.keys))


def test_without_training_only_rules(articles):
    assert set(baseline_answers([], articles, DEFAULT_SCHEME)) == {"rules"}


def test_nearest_side(strait):
    item = article(strait, "It rained.", "Suden met Norden.", "Talks went on.")
    assert nearest_sides(item) == [None, "southland", "northland"]


def test_rules_by_hand(strait):
    item = article(
        strait,
        "The talks in Suden lasted a day.",
        "Northland denied the report.",
        "He said it was a lie.",
        "Analysts said war may have come closer.",
        "Both sides accused each other.",
        "Will there be peace?",
    )
    found = rule_answers([item], DEFAULT_SCHEME)[0]
    assert [a.labels["side"] for a in found] == ["none", "northland", "northland", "other", "both", "none"]
    assert [a.labels["stance"] for a in found] == ["affirm", "deny", "affirm", "hedge", "accuse", "neutral"]


def test_rules_leave_out_heads_that_are_not_as_they_know_them(strait):
    item = article(strait, "Northland denied the report.")
    side, stance = DEFAULT_SCHEME.heads
    other = Head("stance", ("for", "against"))
    for heads, labels in (
        ((side, other), {"side": "northland"}),
        ((Head("side", ("none", "other", "both")), stance), {"stance": "deny"}),
        ((Head("frame", stance.labels), other), {}),
        ((Head("stance", stance.labels[::-1]), side), {"side": "northland", "stance": "deny"}),
    ):
        assert rule_answers([item], Scheme(heads))[0][0].labels == labels
