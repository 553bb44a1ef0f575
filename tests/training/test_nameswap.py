"""Name-swap bias."""

import numpy as np
import pytest
from systems import perfect, relabelled
from whosays.model.article import article_from_sentences
from whosays.model.labels import DEFAULT_SCHEME
from whosays.model.predictor import Predictor
from whosays.model.sides import Conflict, Side
from whosays.training.corpus import LabelledArticle
from whosays.training.evaluation.bootstrap import article_weights
from whosays.training.evaluation.judged import model_answers
from whosays.training.evaluation.nameswap import (
    mapped_back,
    pair_to_swap,
    swap_figures,
    swapped_answers,
    swaps,
)

ARMENIA = Side("armenia", "Armenia", ("Armenia", "Armenian", "Armenians", "Yerevan", "Pashinyan", "the rebels"))
AZERBAIJAN = Side("azerbaijan", "Azerbaijan", ("Azerbaijan", "Azerbaijani", "Azerbaijanis", "Azeri", "Baku"))
KARABAKH = Conflict("karabakh", (ARMENIA, AZERBAIJAN))
EXCHANGE = {"northland": "southland", "southland": "northland"}


def unlabelled(*texts):
    blank = (None,) * len(texts)
    return LabelledArticle(article_from_sentences("x", texts), KARABAKH, {"side": blank, "stance": blank})


def test_the_two_sides_mentioned_most_are_exchanged():
    assert pair_to_swap(unlabelled("Baku and Baku and Yerevan.")) == (AZERBAIJAN, ARMENIA)
    assert pair_to_swap(unlabelled("Nobody here.")) is None


def test_names_are_exchanged_throughout_with_possessives_kept():
    item = unlabelled("Baku's army shelled Armenian towns.", "Yerevan’s envoy met the UN in Vienna.")
    (swap,) = swaps([item, unlabelled("Nobody here.")])
    assert swap.renamed.texts == [
        "Yerevan's army shelled Azerbaijani towns.",
        "Baku’s envoy met the UN in Vienna.",
    ]
    assert (swap.article, swap.renamed.mentions, swap.renamed.matched) == (0, 3, 3)


def test_labels_map_back():
    labels = {"side": "armenia", "stance": "deny"}
    assert mapped_back(labels, (ARMENIA, AZERBAIJAN), DEFAULT_SCHEME) == {"side": "azerbaijan", "stance": "deny"}
    labels = {"side": "other", "stance": None}
    assert mapped_back(labels, (ARMENIA, AZERBAIJAN), DEFAULT_SCHEME) == labels


def test_bias_by_hand(articles):
    before = perfect(articles)
    weights = article_weights(len(articles))
    follows = relabelled(articles, "side", lambda a, n, label: EXCHANGE.get(label, label))
    found = swap_figures(DEFAULT_SCHEME, articles, before, follows, weights)
    assert (found["articles"], found["sentences"]) == (8, 40)
    assert found["any"] == found["heads"]["side"] == found["heads"]["stance"] == {"value": 0, "low": 0, "high": 0}
    assert found["examples"] == []
    # the first sentences of a0 and a2 keep their side; the second of a0 and the first of a2 become `hedge`
    after = relabelled(
        articles, "side", lambda a, n, label: label if (a, n) in ((0, 0), (2, 0)) else EXCHANGE.get(label, label)
    )
    after = relabelled(
        articles, "stance", lambda a, n, label: "hedge" if (a, n) in ((0, 1), (2, 0)) else label, of=after
    )
    found = swap_figures(DEFAULT_SCHEME, articles, before, after, weights)
    assert found["heads"]["side"]["value"] == pytest.approx(2 / 40)
    assert found["heads"]["stance"]["value"] == pytest.approx(2 / 40)
    moved, total = np.array([2.0, 0, 1, 0, 0, 0, 0, 0]), np.full(8, 5.0)
    low, high = np.percentile((weights @ moved) / (weights @ total), [2.5, 97.5])
    assert found["any"] == pytest.approx({"value": 3 / 40, "low": low, "high": high})
    assert [(row["article_id"], row["index"], row["labels"]) for row in found["examples"]] == [
        ("a0", 0, {"side": ["northland", "southland"]}),
        ("a0", 1, {"stance": ["deny", "hedge"]}),
        ("a2", 0, {"side": ["northland", "southland"], "stance": ["affirm", "hedge"]}),
    ]
    assert found["examples"][0]["swapped"] == "Southland said its ships had left the strait."


def test_a_model_that_hears_no_names_cannot_be_biased(articles, tiny_model):
    predictor = Predictor.load(str(tiny_model), "fp32")
    before, after = model_answers(predictor, articles), swapped_answers(predictor, articles)
    found = swap_figures(DEFAULT_SCHEME, articles, before, after, article_weights(len(articles)))
    assert found["any"] == {"value": 0, "low": 0, "high": 0}


def test_articles_that_mention_no_side_are_left_out(articles, tiny_model):
    predictor = Predictor.load(str(tiny_model), "fp32")
    texts = ("Nobody here.", "Nor here.")
    empty = LabelledArticle(
        article_from_sentences("empty", texts), articles[0].conflict, {"side": ("none",) * 2, "stance": ("affirm",) * 2}
    )
    both = [empty, articles[0]]
    after = swapped_answers(predictor, both)
    assert after[0][0].labels == {"side": None, "stance": None}
    found = swap_figures(DEFAULT_SCHEME, both, model_answers(predictor, both), after, article_weights(2))
    assert (found["articles"], found["sentences"]) == (1, 5)
