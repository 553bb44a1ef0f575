"""Probes: the same articles with the sides or the context taken away."""

from dataclasses import replace

import pytest
from systems import perfect, relabelled
from whosays.model.article import article_from_sentences
from whosays.model.labels import DEFAULT_SCHEME, Head, Scheme
from whosays.model.predictor import Predictor
from whosays.training.evaluation.bootstrap import article_weights
from whosays.training.evaluation.judged import model_answers
from whosays.training.evaluation.probes import (
    PROBES,
    alone_answers,
    probe_figures,
    probes_of,
    with_wrong_sides,
    without_sides,
)


def figures(key, articles, after, before=None):
    weights = article_weights(len(articles))
    return probe_figures(PROBES[key], DEFAULT_SCHEME, articles, before or perfect(articles), after, weights)


def exchanged(label):
    return {"northland": "southland", "southland": "northland"}.get(label, label)


def test_sides_removed_by_hand(articles):
    # gold: none 12, other 8, both 4, sides 16. All sides become `other`: its F1 is 2·8 / (8 + 24), that of sides 0
    after = relabelled(articles, "side", lambda a, n, label: "other" if label in ("northland", "southland") else label)
    found = figures("sides_removed", articles, after)
    assert found["heads"]["side"]["macro_f1"]["value"] == pytest.approx((1 + 1 / 2 + 1 + 0) / 4)
    assert found["heads"]["side"]["change"]["value"] == pytest.approx(2.5 / 4 - 1)
    assert found["heads"]["stance"]["change"] == {"value": 0, "low": 0, "high": 0}
    assert found["followed"] == {"value": 1, "low": 1, "high": 1, "sentences": 16}
    nothing = figures("sides_removed", articles, perfect(articles))
    assert nothing["followed"]["value"] == 0
    assert nothing["heads"]["side"]["change"]["value"] == 0


def test_wrong_sides_by_hand(articles):
    # the first four articles follow, with 8 of the 16 sentences: F1 of sides is 2·8 / (16 + 16)
    after = relabelled(articles, "side", lambda a, n, label: exchanged(label) if a < 4 else label)
    found = figures("wrong_sides", articles, after)
    assert found["heads"]["side"]["macro_f1"]["value"] == pytest.approx((1 + 1 + 1 + 1 / 2) / 4)
    assert found["heads"]["side"]["change"]["value"] == pytest.approx(-1 / 8)
    assert found["heads"]["side"]["change"]["low"] < -1 / 8 < found["heads"]["side"]["change"]["high"]
    assert (found["followed"]["value"], found["followed"]["sentences"]) == (1 / 2, 16)


def test_followed_is_over_what_the_model_had_said_and_not_over_gold(articles):
    before = relabelled(articles, "side", lambda a, n, label: "northland" if (a, n) == (0, 4) else "none")
    after = relabelled(articles, "side", lambda a, n, label: "southland" if (a, n) == (0, 4) else "none")
    assert figures("wrong_sides", articles, after, before)["followed"] == {
        "value": 1,
        "low": None,  # a single article
        "high": None,
        "sentences": 1,
    }


@pytest.mark.parametrize(
    ("side", "followed"),
    [
        (Head("side", ("none", "both"), points=True), {"wrong_sides"}),
        (DEFAULT_SCHEME["side"], {"sides_removed", "wrong_sides"}),
    ],
)
def test_labels_follow_where_the_head_that_points_has_the_label(articles, side, followed):
    voices = [tuple(label.replace("other", "none") for label in item.labels["side"]) for item in articles]
    items = [replace(item, labels=item.labels | {"side": row}) for item, row in zip(articles, voices, strict=True)]
    given, weights = perfect(items), article_weights(len(items))
    found = {key: probe_figures(PROBES[key], Scheme((side,)), items, given, given, weights) for key in PROBES}
    assert {key for key, row in found.items() if row["followed"] is not None} == followed


def test_sides_are_taken_away_only_where_a_head_points():
    assert list(probes_of(DEFAULT_SCHEME)) == list(PROBES)
    assert list(probes_of(Scheme((DEFAULT_SCHEME["stance"],)))) == ["sentence_alone"]


def test_each_sentence_alone_by_hand(articles):
    # two of the four `deny` become `affirm`, of which there are 16: F1 2·2 / (4 + 2) and 2·16 / (16 + 18)
    flipped = iter([True, True])
    after = relabelled(
        articles, "stance", lambda a, n, label: "affirm" if label == "deny" and next(flipped, False) else label
    )
    gold = [label for item in articles for label in item.labels["stance"]]
    counts = {label: gold.count(label) for label in set(gold)}
    found = figures("sentence_alone", articles, after)
    f1 = {"deny": 2 * (counts["deny"] - 2) / (2 * counts["deny"] - 2)}
    f1["affirm"] = 2 * counts["affirm"] / (2 * counts["affirm"] + 2)
    expected = (f1["deny"] + f1["affirm"] + len(counts) - 2) / len(counts)
    assert found["heads"]["stance"]["macro_f1"]["value"] == pytest.approx(expected)
    assert found["followed"] is None


def test_sides_removed_and_wrong(strait):
    text = "Northland and Marshal Ruiz"
    assert without_sides(strait).find_mentions(text) == ()
    assert without_sides(strait).keys == strait.keys
    assert [m.side for m in with_wrong_sides(strait).find_mentions(text)] == ["southland", "northland"]


def test_a_model_under_each_probe(articles, tiny_model):
    predictor = Predictor.load(str(tiny_model), "fp32")
    before = model_answers(predictor, articles)
    sides = ("northland", "southland")
    without = PROBES["sides_removed"].answers(predictor, articles)
    assert all(answer.labels["side"] not in sides for rows in without for answer in rows)
    wrong = PROBES["wrong_sides"].answers(predictor, articles)  # the model hears no names, so all labels follow
    assert [[exchanged(a.labels["side"]) for a in rows] for rows in before] == [
        [a.labels["side"] for a in rows] for rows in wrong
    ]


def test_each_sentence_alone_is_labelled_as_an_article_of_its_own(articles, tiny_model):
    predictor = Predictor.load(str(tiny_model), "fp32")
    found = alone_answers(predictor, articles[:3])
    assert [len(rows) for rows in found] == [5, 5, 5]
    item = articles[1]
    single = article_from_sentences("one", [item.article.sentences[3].text])
    assert found[1][3].labels == predictor.label(single, item.conflict)[0].labels
