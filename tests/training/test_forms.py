"""The grammatical form of an alias, as the aliases themselves show it."""

import pytest
from whosays.configs import packaged_names
from whosays.model.sides import Side, packaged_conflict
from whosays.training.evaluation.forms import alias_forms

FORMS = {
    "United States": "name",
    "U.S.": "name",
    "America": "name",
    "American": "adjective",
    "Americans": "people",
    "Washington": "name",
    "U.S.-led": "compound",
    "anti-Castro": "compound",
    "French": "adjective",
    "Condoleezza Rice": "person",
    "Rice": "person",
    "Mr. Powell": "titled",
    "Powell": "person",
    "Vice President Cheney": "titled",
    "Secretary of State": "office",
    "Foreign Minister": "office",
    "State Department": "body",
    "Defense Department": "body",
    "CIA": "body",
    "U.S. military": "noun",
    "the regime": "noun",
    "coalition forces": "group",
    "authorities in Washington": "group",
    "Security Forces": "group",
    "the North": "name",
}


def test_every_form():
    side = Side("us", "United States", tuple(FORMS))
    assert alias_forms(side) == FORMS


@pytest.mark.parametrize(
    ("name", "adjective"),
    [
        ("Afghanistan", "Afghan"),
        ("China", "Chinese"),
        ("Israel", "Israeli"),
        ("Britain", "British"),
        ("South Korea", "South Korean"),
        ("Azerbaijan", "Azeri"),
        ("Ecuador", "Ecuadorian"),
        ("Iran", "Iranian"),
        ("Pakistan", "Pakistani"),
        ("Taiwan", "Taiwanese"),
    ],
)
def test_an_adjective_is_known_by_the_name_it_is_made_from(name, adjective):
    forms = alias_forms(Side("x", "Some party", (name, adjective, f"{adjective}s")))
    assert forms[adjective] == "adjective"
    assert forms[name] == "name"
    assert forms[f"{adjective}s"] == "people"


def test_a_country_beside_its_adjective_and_before_nouns_is_a_name():
    taiwan = next(side for side in packaged_conflict("china-taiwan").sides if side.key == "taiwan")
    assert (alias_forms(taiwan)["Taiwan"], alias_forms(taiwan)["Taiwanese"]) == ("name", "adjective")


@pytest.mark.parametrize("surname", ["Karzai", "Rouhani", "Kharazi", "Erdogan", "Putin", "Tehran", "Paris", "Tripoli"])
def test_a_word_that_only_sounds_like_an_adjective_is_a_name(surname):
    side = Side(
        "x", "Some party", ("Afghanistan", "Kharrazi", "Parliament", "Turkey", surname, f"{surname} government")
    )
    assert alias_forms(side)[surname] == "name"


def test_an_adjective_is_known_by_the_noun_after_it():
    forms = alias_forms(Side("x", "Rebels of Nepal", ("Maoist", "Maoist rebels", "Maoists")))
    assert (forms["Maoist"], forms["Maoists"]) == ("adjective", "people")


def test_every_alias_of_every_packaged_conflict_has_a_form():
    for name in packaged_names("conflicts"):
        for side in packaged_conflict(name).sides:
            assert set(alias_forms(side)) == set(side.aliases)
