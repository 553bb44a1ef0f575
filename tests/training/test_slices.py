"""Slices: which sentences are in each, and their figures."""

import pytest
from systems import perfect, relabelled
from whosays.model.article import article_from_sentences
from whosays.model.labels import DEFAULT_SCHEME
from whosays.training.corpus import LabelledArticle
from whosays.training.evaluation.bootstrap import article_weights
from whosays.training.evaluation.figures import judge_all
from whosays.training.evaluation.slices import slices


def article(id, conflict, rows, **extra):
    """An article of (text, side) rows, all of which affirm."""
    texts, sides = zip(*rows, strict=True)
    found = article_from_sentences(id, texts, conflict.name, extra)
    return LabelledArticle(found, conflict, {"side": sides, "stance": ("affirm",) * len(rows)})


@pytest.fixture
def data(strait):
    return [
        article(
            "short",
            strait,
            [
                ("Northland spoke.", "northland"),
                ("“They are wrong,” it said.", "northland"),
                ("It was about Southland.", "northland"),
                ("Rain fell on Norden.", "none"),
            ],
            outlet="wire",
        ),
        article("middling", strait, [(f"Rain fell for {n} days.", "none") for n in range(7)]),
        article("long", strait, [(f"Rain fell for {n} days.", "other") for n in range(16)], source="paper"),
    ]


@pytest.fixture
def rows(data):
    # wrong: the first sentence of `short`, and all of `long`
    answers = relabelled(data, "side", lambda a, n, label: "none" if a == 2 or (a, n) == (0, 0) else label)
    found = slices(judge_all(DEFAULT_SCHEME, data, answers), data, article_weights(len(data)))
    return {(row["kind"], row["slice"]): row for row in found if row["head"] == "side"}


@pytest.mark.parametrize(
    ("kind", "name", "sentences", "right"),
    [
        ("outlet", "wire", 4, 3),
        ("outlet", "paper", 16, 0),
        ("outlet", "not given", 7, 7),
        ("article length", "1-5 sentences", 4, 3),
        ("article length", "6-15 sentences", 7, 7),
        ("article length", "16 or more sentences", 16, 0),
        ("position", "first sentence", 3, 1),
        ("position", "first half", 1 + 3 + 7, 1 + 3),
        ("position", "second half", 2 + 3 + 8, 2 + 3),
        ("quotation", "with quotation marks", 1, 1),
        ("quotation", "without quotation marks", 26, 9),
        ("mention", "voice a side, it is mentioned", 1, 0),
        ("mention", "voice a side, none mentioned", 1, 1),
        ("mention", "voice a side, only another mentioned", 1, 1),
        ("mention", "voice no side, a side mentioned", 1, 1),
        ("mention", "voice no side, none mentioned", 23, 7),
    ],
)
def test_each_slice_by_hand(rows, kind, name, sentences, right):
    row = rows[kind, name]
    assert row["sentences"] == sentences
    assert row["accuracy"]["value"] == pytest.approx(right / sentences)


def test_every_sentence_is_in_one_slice_of_each_kind(rows):
    for kind in {kind for kind, _ in rows}:
        assert sum(row["sentences"] for (of, _), row in rows.items() if of == kind) == 27


def test_macro_f1_is_over_the_classes_in_the_slices_gold(rows):
    # wire: sides 2 of 3 found, 2 given → 4/5; none 1 of 1, 2 given → 2/3
    wire = rows["outlet", "wire"]
    assert wire["macro_over"] == ["none", "side"]
    assert wire["macro_f1"]["value"] == pytest.approx((4 / 5 + 2 / 3) / 2)
    assert wire["macro_f1"]["low"] is None  # one article
    assert (wire["articles"], wire["small"]) == (1, True)
    paper = rows["outlet", "paper"]
    assert (paper["macro_over"], paper["macro_f1"]["value"]) == (["other"], 0)


def test_outlets_are_no_slices_where_none_is_given(strait):
    data = [article("one", strait, [("Rain fell.", "none")]), article("two", strait, [("Rain fell.", "none")])]
    found = slices(judge_all(DEFAULT_SCHEME, data, perfect(data)), data, article_weights(2))
    assert "outlet" not in {row["kind"] for row in found}


def test_a_slice_is_not_small_from_50_sentences_of_10_articles_on(strait):
    data = [article(f"a{n}", strait, [("Rain fell.", "none")] * 5) for n in range(10)]
    found = slices(judge_all(DEFAULT_SCHEME, data, perfect(data)), data, article_weights(10))
    small = {row["slice"]: row["small"] for row in found if row["head"] == "side"}
    assert small == {
        "1-5 sentences": False,
        "first sentence": True,
        "first half": True,
        "second half": True,
        "without quotation marks": False,
        "voice no side, none mentioned": False,
    }
