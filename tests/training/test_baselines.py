"""Baselines and rules."""

import pytest
from systems import perfect
from whosays.model.article import article_from_sentences
from whosays.model.labels import DEFAULT_SCHEME
from whosays.training.corpus import LabelledArticle
from whosays.training.evaluation.baselines import baseline_answers, nearest_sides
from whosays.training.evaluation.judged import judge_head
from whosays.training.evaluation.mistakes import suspected_labels
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
        for chances in answer.probabilities.values():
            assert sum(chances.values()) == pytest.approx(1)


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
    found = rule_answers([item])[0]
    assert [a.labels["side"] for a in found] == ["none", "northland", "northland", "other", "both", "none"]
    assert [a.labels["stance"] for a in found] == ["affirm", "deny", "affirm", "hedge", "accuse", "neutral"]


def test_a_wrong_gold_label_is_suspected(articles):
    given = perfect(articles)
    labels = list(articles[0].labels["side"])
    labels[4] = "other"  # the strait is twelve miles wide: nobody says so
    articles = [LabelledArticle(articles[0].article, articles[0].conflict, {"side": tuple(labels)}), *articles[1:]]
    found = suspected_labels(judge_head(DEFAULT_SCHEME["side"], articles, given), articles, given)
    assert [(row["article_id"], row["index"], row["gold"], row["predicted"]) for row in found] == [
        ("a0", 4, "other", "none")
    ]
    assert found[0]["before"].startswith("Both sides")
