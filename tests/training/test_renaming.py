"""Exchanging one side's words for another's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from whosays.model.article import article_from_sentences
from whosays.model.sides import Conflict, Side
from whosays.training.corpus import LabelledArticle
from whosays.training.evaluation.renaming import article_use, rename

US = Side(
    "us",
    "United States",
    (
        *("United States", "U.S.", "America", "American", "Washington", "Condoleezza Rice", "Rice", "President Bush"),
        *("State Department", "the Pentagon", "U.S. military", "U.S. troops", "Secretary of State"),
    ),
)
IRAN = Side(
    "iran",
    "Iran",
    (
        *("Iran", "Iranian", "Tehran", "Zarif", "Javad Zarif", "Iranian Foreign Ministry", "Foreign Minister"),
        *("Guardian Council", "Iranian government", "Iranian forces", "Supreme Leader"),
    ),
)
HAMAS = Side("hamas", "Hamas", ("Hamas", "Hamas fighters", "Gaza police", "Gaza"))
REBELS = Side("rebels", "Rebels", ("rebels", "rebel leader"))
CUBA = Side("cuba", "Cuba", ("Cuba", "Cuban", "Havana"))


def swapped(text, first, second, more=()):
    conflict = Conflict("x", (first, second))
    item = LabelledArticle(article_from_sentences("x", (text, *more)), conflict, {})
    partners = {first.key: (first, second), second.key: (second, first)}
    return rename([text], conflict, partners, article_use([item]))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Iranian troops entered.", "American troops entered."),
        ("Iran denied it.", "The United States denied it."),
        ("The United States denied it.", "Iran denied it."),
        ("Talks between Iran and others", "Talks between the United States and others"),
        ("An Iranian was held.", "An American was held."),
        ("She met Javad Zarif.", "She met Rice."),
        ("The State Department said so.", "The Iranian Foreign Ministry said so."),
        ("The Iranian government spoke.", "The U.S. military spoke."),
        ("U.S. officials spoke.", "Iranian officials spoke."),
        ("U.S. troops left.", "Iranian forces left."),
        ("Rice spoke; IRAN did not.", "Javad Zarif spoke; THE UNITED STATES did not."),
        ("Tehran's envoy", "The U.S.'s envoy"),
        ("Two Americans spoke.", "Two Iranians spoke."),
        ("a meeting in southern Iran", "a meeting in southern United States"),
    ],
)
def test_words_are_exchanged_in_the_form_that_their_place_needs(text, expected):
    found = swapped(text, US, IRAN)
    assert found.texts == [expected]
    assert found.matched == found.mentions


def test_a_name_serves_before_a_noun_and_an_adjective_for_it():
    assert swapped("Cuban and other troops saw Hamas leaders.", CUBA, HAMAS).texts == [
        "Hamas and other troops saw Cuban leaders."
    ]
    assert swapped("A Cuban ship", CUBA, HAMAS).texts == ["A Hamas ship"]


def test_a_longer_word_without_a_match_keeps_its_noun():
    found = swapped("Gaza police and Hamas fighters", HAMAS, CUBA)
    assert found.texts == ["Cuban police and Cuban fighters"]
    assert (found.mentions, found.matched) == (2, 2)


def test_what_has_no_match_becomes_the_name_and_is_counted():
    found = swapped("Cuba met rebels.", CUBA, REBELS)
    assert found.texts == ["Rebels met Cubans."]
    assert (found.mentions, found.matched) == (2, 1)


def test_an_article_follows_the_new_word():
    assert swapped("An Iranian ship", IRAN, CUBA).texts == ["A Cuban ship"]
    assert swapped("a Cuban ship", CUBA, US).texts == ["an American ship"]
    assert swapped("in the Pentagon, in Havana", US, CUBA, more=["Havana fell."]).texts[0].startswith("in Cuba")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("He met an alliance.", "He met the king."),
        ("The alliance spoke.", "The king spoke."),
        ("He said: an alliance member left.", "He said: the king member left."),
        ("“An alliance spoke.”", "“The king spoke.”"),
        ("He met the king.", "He met the alliance."),
    ],
)
def test_an_article_gives_way_to_one_of_the_new_words_own(text, expected):
    king, alliance = Side("k", "King", ("the king",)), Side("a", "Alliance", ("alliance",))
    assert swapped(text, king, alliance).texts == [expected]


def test_whether_a_word_takes_an_article_is_read_off_the_texts():
    gambia, other = Side("g", "Gambia", ("Gambia",)), Side("s", "Senegal", ("Senegal",))
    assert swapped("He left Senegal.", gambia, other, more=["He saw the Gambia."]).texts == ["He left the Gambia."]
    assert swapped("He left Senegal.", gambia, other, more=["He saw Gambia."]).texts == ["He left Gambia."]


def test_a_bare_s_is_a_people_after_an_adjective_and_a_possessive_after_a_name():
    assert swapped("Cubans met Havanas envoy.", CUBA, IRAN).texts == ["Iranians met Tehrans envoy."]
    assert swapped("Havanas envoy", CUBA, US).texts == ["The U.S. envoy"]


@given(
    st.lists(
        st.sampled_from(
            [*US.aliases, *IRAN.aliases, "said", "of the", "a", "the", "envoys", "and", "in", "met", ",", "'s", "An"]
        ),
        min_size=1,
        max_size=9,
    )
)
def test_mentions_of_one_side_become_mentions_of_the_other(words):
    text = " ".join(words)
    conflict = Conflict("x", (US, IRAN))
    exchange = {"us": "iran", "iran": "us"}
    found = swapped(text, US, IRAN)
    mentions = [mention.side for mention in conflict.find_mentions(text)]
    assert found.mentions == len(mentions)
    after = [mention.side for mention in conflict.find_mentions(found.texts[0])]
    assert after == [exchange[side] for side in mentions]
