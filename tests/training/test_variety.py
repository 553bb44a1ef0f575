import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from whosays.model.article import article_from_sentences
from whosays.model.sides import Conflict, parse_side
from whosays.training.corpus import LabelledArticle
from whosays.training.variety import Variety, quotation_first, run_in, source_last, varied

TWO_SIDES = Conflict("strait", (parse_side("Northland=Norden"), parse_side("Southland=Suden")))


def wordings(change, text):
    return {change(text, random.Random(seed)) for seed in range(40)}


def test_a_source_goes_behind_what_it_says():
    text = "Georgia's interior minister said Russian troops had left the town of Gori."
    assert wordings(source_last, text) == {
        "Russian troops had left the town of Gori, Georgia's interior minister said.",
        "Russian troops had left the town of Gori, said Georgia's interior minister.",
        "According to Georgia's interior minister, Russian troops had left the town of Gori.",
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The officials have said the vote was marred by fraud.",
         "The vote was marred by fraud, the officials have said."),
        ("He said in a speech Thursday that the concession will end in March.",
         "The concession will end in March, he said in a speech Thursday."),
        ("According to the report, Peru produces some 30 percent of it.",
         "Peru produces some 30 percent of it, according to the report."),
        ("More than half of them have said the vote was marred by fraud.",
         "The vote was marred by fraud, more than half of them have said."),
    ],
)  # fmt: skip
def test_what_cannot_be_inverted_only_moves(text, expected):
    assert wordings(source_last, text) == {expected}


@pytest.mark.parametrize(
    "text",
    [
        "Baku said its troops had entered the town, but Yerevan denied it.",  # the second clause has its own voice
        "In Kyiv, the army said the bridge was lost to the enemy.",
        "The committee accused Russia of breaking the truce.",
        "He is said to be in the mountains of the north.",
        "The minister said: “We will not leave.”",
        "Nothing was said.",
        "No batons were drawn at any point, said a deputy chief who was there.",  # the source is last already
        "The pits, said her opponent when he could be heard, closed under a flooded seam.",
        "Israel struck hours after its security cabinet said it would intensify the campaign.",
        "Elsewhere, Iraqi police said some civilians had been killed on the road.",
        "No group has said it was behind the attack on the market.",
        "Mr. Harper said Tuesday, that debating the deployment would help nobody.",
        "Reached at home, Mraz said the vote was marred by fraud.",
        "According to McLaren, who wrote the report, there was a plan for the games.",
    ],
)
def test_what_does_not_fit_is_left_alone(text):
    assert wordings(source_last, text) == wordings(quotation_first, text) == {text}


def test_a_reported_clause_becomes_a_quotation():
    assert "“It knows nothing of the attack,” the ministry said." in wordings(
        quotation_first, "The ministry said it knows nothing of the attack."
    )


def test_a_headline_runs_into_the_next_sentence_and_else_a_dateline_does():
    texts, kept = run_in(["Truce Breaks Down", "Both sides fired.", "Night fell"], [True, True], random.Random(1))
    assert texts == ["Truce Breaks Down Both sides fired.", "Night fell"]
    assert kept == [1, 2]
    texts, kept = run_in(["Both sides fired.", "Night fell", "Day broke."], [True, True], random.Random(1))
    assert texts[0].endswith(" Both sides fired.")
    assert texts[1:] == ["Night fell", "Day broke."], "only what stands before the first sentence is a headline"
    assert kept == [0, 1, 2]


@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip), min_size=1, max_size=6),
    st.floats(0, 1),
    st.integers(0, 9),
)
def test_every_sentence_keeps_its_labels_and_none_is_empty(texts, share, epoch):
    item = LabelledArticle(
        article_from_sentences("a", texts),
        TWO_SIDES,
        {"side": (None,) * len(texts), "stance": tuple(f"s{n}" for n in range(len(texts)))},
    )
    variety = Variety(source_last=share / 2, quotation_first=share / 2, lost_punctuation=share, run_in=share)
    worded = varied(item, variety, 1, epoch, 0)
    assert worded.article == varied(item, variety, 1, epoch, 0).article
    labels = worded.labels["stance"]
    assert len(labels) == len(worded.article.sentences)
    assert labels == tuple(sorted(labels))
    assert labels[-1] == f"s{len(texts) - 1}"
    assert all(sentence.text.strip() for sentence in worded.article.sentences)


def worded(texts, sides, variety, conflict=TWO_SIDES, epoch=1):
    item = LabelledArticle(article_from_sentences("a", texts), conflict, {"side": tuple(sides)})
    found = varied(item, variety, 1, epoch, 1)
    return [s.text for s in found.article.sentences], list(found.labels["side"])


def test_the_outlets_own_sentences_keep_their_wording():
    text = "The officials said the vote was marred by fraud."
    assert worded([text], ["other"], Variety(source_last=1))[0] != [text]
    assert worded([text], ["none"], Variety(source_last=1))[0] == [text]


def test_a_wording_that_loses_a_mention_is_not_taken():
    text = "Officials of the port said the vote was marred by fraud."
    for alias, kept in (("officials", False), ("Officials", True)):
        conflict = Conflict("c", (parse_side(f"a={alias}"), parse_side("b=Suden")))
        assert (worded([text], ["other"], Variety(quotation_first=1), conflict)[0] == [text]) == kept


def test_a_headline_with_a_voice_of_its_own_runs_into_none_but_its_like():
    always = Variety(run_in=1)
    headline, first = "Norden Claims the Town", "Nobody was seen in the streets."
    for before, after in (("none", "other"), ("none", "none"), (None, "both"), ("Northland", "Northland")):
        assert worded([headline, first], [before, after], always) == ([f"{headline} {first}"], [after])
    texts, sides = worded([headline, first], ["Northland", "none"], always)
    assert (len(texts), sides) == (2, ["Northland", "none"])


def test_an_apposition_keeps_its_commas():
    text = "The interior minister, Antoine Diome, said the vote was marred by fraud."
    assert wordings(quotation_first, text) >= {
        "“The vote was marred by fraud,” the interior minister, Antoine Diome, said.",
        "“The vote was marred by fraud,” said the interior minister, Antoine Diome.",
    }


def test_a_mention_that_needs_its_punctuation_keeps_it():
    text = "The Workers' Party left, quietly, by night."
    conflict = Conflict("c", (parse_side("a=Workers' Party"), parse_side("b=Suden")))
    for epoch in range(20):
        kept = worded([text], ["a"], Variety(lost_punctuation=1), conflict, epoch)[0]
        assert kept in ([text], ["The Workers' Party left quietly by night."])


def test_the_full_stop_of_an_abbreviation_stays():
    for place in ("in the U.S.", "until 5 p.m."):
        assert wordings(source_last, f"The army said the men had been trained {place}") == {
            f"The men had been trained {place}, the army said.",
            f"The men had been trained {place}, said the army.",
            f"According to the army, the men had been trained {place}",
        }


@pytest.mark.parametrize(
    ("source", "inside"),
    [
        ("Human Rights Watch", "Human Rights Watch"),
        ("Several Israeli officials", "several Israeli officials"),
        ("Police", "police"),
        ("Opposition Leader Dutton", "Opposition Leader Dutton"),
    ],
)
def test_names_keep_their_capitals(source, inside):
    found = wordings(source_last, f"{source} said the men had been beaten in the cells.")
    assert f"The men had been beaten in the cells, said {inside}." in found


def test_only_heads_of_voices_count_as_voices():
    text = "The officials said the vote was marred by fraud."
    labels = {"side": ("other",), "emotion": ("none",)}
    item = LabelledArticle(article_from_sentences("a", [text]), TWO_SIDES, labels)
    assert varied(item, Variety(source_last=1), 1, 1, 1).article.text != text
    assert varied(item, Variety(source_last=1), 1, 1, 1, ["emotion"]).article.text == text


def test_labels_of_ones_own_are_no_voices():
    text = "The officials said the vote was marred by fraud."
    item = LabelledArticle(article_from_sentences("a", [text]), TWO_SIDES, {"voice": ("outlet",)})
    assert varied(item, Variety(source_last=1), 1, 1, 1, ["voice"]).article.text == text


def test_without_a_voice_no_source_moves():
    text = "The officials said the vote was marred by fraud."
    item = LabelledArticle(article_from_sentences("a", [text]), TWO_SIDES, {"topic": ("war",)})
    assert varied(item, Variety(source_last=1), 1, 1, 1, []).article.text == text


def test_without_a_voice_no_label_gets_lost():
    texts, labels = ["Norden Claims the Town", "Nobody was seen."], {"topic": ("war", "people")}
    item = LabelledArticle(article_from_sentences("a", texts), TWO_SIDES, labels)
    found = varied(item, Variety(run_in=1), 1, 1, 1, [])
    assert found.labels == labels
    assert found.article.text.endswith(" ".join(texts))


def test_without_shares_nothing_changes():
    item = LabelledArticle(article_from_sentences("a", ["He said it was a lie, “sir”."]), TWO_SIDES, {"side": (None,)})
    assert varied(item, Variety(), 1, 1, 1) == item
