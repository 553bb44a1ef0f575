import pytest
from torch import nn
from whosays.model.batch.layout import Layout
from whosays.model.errors import InputError
from whosays.model.labels import DEFAULT_SCHEME, Head, Scheme


def test_the_default_scheme():
    assert DEFAULT_SCHEME.names == ("side", "stance")
    assert DEFAULT_SCHEME["side"].classes(("a", "b")) == ("none", "other", "both", "a", "b")
    assert DEFAULT_SCHEME["stance"].classes(("a", "b")) == ("affirm", "deny", "accuse", "hedge", "neutral")


def test_a_scheme_is_data():
    assert Scheme.from_dict(DEFAULT_SCHEME.to_dict()) == DEFAULT_SCHEME


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"tone": {"labels": ["one"]}},
        {"tone": {"labels": ["one", "one"]}},
        {"tone": {}},
        {"tone": None},
        {"a": {"labels": ["x"], "points": True}, "b": {"labels": ["y"], "points": True}},
    ],
)
def test_bad_schemes_are_refused(data):
    with pytest.raises(InputError, match="scheme"):
        Scheme.from_dict(data)


def test_heads_need_distinct_names():
    with pytest.raises(InputError, match="distinct"):
        Scheme((Head("a", ("x", "y")), Head("a", ("x", "y"))))


CHOICE = {"labels": ["x", "y"]}


@pytest.mark.parametrize("name", ["type", "float", "keys", "training", "forward", "a.b", "", 1, True])
def test_a_head_is_called_as_a_part_of_a_network_can_be(name):
    with pytest.raises((KeyError, TypeError)):
        nn.ModuleDict({name: nn.Linear(1, 1)})
    with pytest.raises(InputError, match=r"^scheme: head ") as error:
        Scheme.from_dict({"tone": CHOICE, name: CHOICE})
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("by", ["sentence", "article"])
def test_a_head_is_not_called_as_another_column_is(by):
    columns = Layout(by, probabilities=True).schema(["tone"]).names
    for column in {*columns, "conflict", "tone_gold"} - {"tone", "sentences"}:
        with pytest.raises(InputError, match=f"^scheme: head '{column}': .*column"):
            Scheme((Head("tone", ("x", "y")), Head(column, ("x", "y"))))


def test_other_names_are_the_users():
    names = ("tone", "Quoted speech", "tone-2", "score", "side", "article")
    assert Scheme.from_dict(dict.fromkeys(names, CHOICE)).names == names
