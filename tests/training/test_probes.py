"""Probes and the exchange of names."""

import pytest
from whosays.model.article import article_from_sentences
from whosays.model.labels import DEFAULT_SCHEME
from whosays.model.predictor import Predictor
from whosays.model.sides import Conflict, Side
from whosays.training.corpus import LabelledArticle
from whosays.training.evaluation.bootstrap import article_weights
from whosays.training.evaluation.judged import model_answers
from whosays.training.evaluation.nameswap import mapped_back, pair_to_swap, replacement, swap_bias, swap_names
from whosays.training.evaluation.probes import alone_answers, with_wrong_sides, without_sides

ARMENIA = Side("armenia", "Armenia", ("Armenia", "Armenian", "Armenians", "Yerevan", "Pashinyan", "the rebels"))
AZERBAIJAN = Side("azerbaijan", "Azerbaijan", ("Azerbaijan", "Azerbaijani", "Azerbaijanis", "Azeri", "Baku"))
KARABAKH = Conflict("karabakh", (ARMENIA, AZERBAIJAN))


def unlabelled(*texts):
    return LabelledArticle(article_from_sentences("x", texts), KARABAKH, {"side": (), "stance": ()})


@pytest.mark.parametrize(
    ("word", "own", "other", "expected"),
    [
        ("Armenia", ARMENIA, AZERBAIJAN, "Azerbaijan"),
        ("Yerevan", ARMENIA, AZERBAIJAN, "Baku"),
        ("Armenian", ARMENIA, AZERBAIJAN, "Azerbaijani"),
        ("Armenians", ARMENIA, AZERBAIJAN, "Azerbaijanis"),
        ("Azeri", AZERBAIJAN, ARMENIA, "Armenian"),
        ("ARMENIA", ARMENIA, AZERBAIJAN, "AZERBAIJAN"),
        ("the rebels", ARMENIA, AZERBAIJAN, "Azerbaijan"),  # nothing of its form
    ],
)
def test_words_are_replaced_in_their_form(word, own, other, expected):
    assert replacement(word, own, other) == expected


def test_a_name_that_nobody_would_find_is_not_used():
    own = Side("a", "A", ("Alpha",))
    other = Side("b", "The B group (B)", ("the bees", "B-force"))
    assert replacement("the bees", other, own) == "Alpha"
    assert replacement("Alpha", own, other) == "B-force"


def test_names_are_exchanged_throughout_with_possessives_kept():
    item = unlabelled("Baku's army shelled Armenian towns.", "Yerevan’s envoy met the UN in Vienna.")
    assert [s.text for s in swap_names(item, ARMENIA, AZERBAIJAN).sentences] == [
        "Yerevan's army shelled Azerbaijani towns.",
        "Baku’s envoy met the UN in Vienna.",
    ]


def test_a_bare_s_goes_with_the_word_and_mentions_are_exactly_exchanged():
    cuba = Side("cuba", "Cuba", ("Cuba", "Cuban", "Havana"))
    states = Side("usa", "United States", ("United States", "Washington", "the Pentagon"))
    conflict = Conflict("embargo", (cuba, states))
    texts = ["Cubans met envoys of the United States in Washington.", "Havanas envoy and the Pentagon’s were silent."]
    item = LabelledArticle(article_from_sentences("x", texts), conflict, {"side": (), "stance": ()})
    swapped = swap_names(item, cuba, states)
    assert [s.text for s in swapped.sentences] == [
        "United States met envoys of the Cuba in Cuba.",
        "Washington envoy and Cuba’s were silent.",
    ]
    exchange = {"cuba": "usa", "usa": "cuba"}
    for text, sentence in zip(texts, swapped.sentences, strict=True):
        found = [mention.side for mention in conflict.find_mentions(sentence.text)]
        assert found == [exchange[mention.side] for mention in conflict.find_mentions(text)]


def test_the_two_sides_mentioned_most_are_exchanged():
    assert pair_to_swap(unlabelled("Baku and Baku and Yerevan.")) == (AZERBAIJAN, ARMENIA)
    assert pair_to_swap(unlabelled("Nobody here.")) is None


def test_labels_map_back():
    labels = {"side": "armenia", "stance": "deny"}
    assert mapped_back(labels, (ARMENIA, AZERBAIJAN), DEFAULT_SCHEME) == {"side": "azerbaijan", "stance": "deny"}
    labels = {"side": "other", "stance": None}
    assert mapped_back(labels, (ARMENIA, AZERBAIJAN), DEFAULT_SCHEME) == labels


def test_an_anonymous_model_cannot_be_biased_but_one_that_hears_names_is_caught(articles, tiny_model):
    predictor = Predictor.load(str(tiny_model), "fp32")
    weights = article_weights(len(articles))
    before = model_answers(predictor, articles)
    found = swap_bias(predictor, articles, before, weights)
    assert found["sentences"] == 40
    assert found["any"] == {"value": 0, "low": 0, "high": 0}

    class Partial:  # says Northland of whatever names Northland, and neutral of the rest
        scheme = DEFAULT_SCHEME

        def label_all(self, jobs):
            for article, _ in jobs:
                yield [self.label("Northland" in s.text) for s in article.sentences]

        @staticmethod
        def label(named):
            from whosays.training.evaluation.judged import Answer

            return Answer({"side": "northland" if named else "none", "stance": "deny" if named else "affirm"}, {}, {})

    partial = Partial()
    answers = list(partial.label_all((item.article, item.conflict) for item in articles))
    found = swap_bias(partial, articles, answers, weights)
    # of five sentences in every other article two change hands: the one of Northland and the one of Southland,
    # and in the rest "Marshal Ruiz" and others change to or from names that are not Northland
    assert found["any"]["value"] > 0
    assert found["any"]["value"] == max(found["side"]["value"], found["stance"]["value"])
    assert found["examples"]


def test_sides_removed_and_wrong(strait):
    text = "Northland and Marshal Ruiz"
    assert without_sides(strait).find_mentions(text) == ()
    assert without_sides(strait).keys == strait.keys
    assert [m.side for m in with_wrong_sides(strait).find_mentions(text)] == ["southland", "northland"]


def test_each_sentence_alone_is_labelled_as_an_article_of_its_own(articles, tiny_model):
    predictor = Predictor.load(str(tiny_model), "fp32")
    found = alone_answers(predictor, articles[:3])
    assert [len(rows) for rows in found] == [5, 5, 5]
    item = articles[1]
    single = article_from_sentences("one", [item.article.sentences[3].text])
    assert found[1][3].labels == predictor.label(single, item.conflict)[0].labels
