import re

import pytest
import yaml
from torch import nn
from whosays.model.batch.layout import Layout
from whosays.model.errors import InputError
from whosays.model.labels import DEFAULT_SCHEME, Head, Scheme
from whosays.training.corpus import read_corpus


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


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("{labels: [0, 1]}", "label 0 is not text; put it in quotation marks"),
        ("{labels: [calm, yes]}", "label True is not text; put it in quotation marks"),
        ("{labels: [calm, null]}", "label None is not text; put it in quotation marks"),
        ("{labels: [calm, [angry]]}", "label ['angry'] is not text; put it in quotation marks"),
        ("{labels: [calm, ' ']}", "label ' ' is empty; give it a name"),
        ("{labels: calm}", "labels must be a list; write it as [a, b]"),
        ("{labels: {calm: 1, angry: 2}}", "labels must be a list; write it as [a, b]"),
        ("{labels: [a, b], points: 'no'}", "points 'no' is neither true nor false; write it without quotation marks"),
        ("{labels: [a, b], points: 1}", "points 1 is neither true nor false; write it without quotation marks"),
        ("{lables: [a, b]}", "unknown key 'lables' (['a', 'b']); a head has labels and points"),
        ("{labels: [a, b], point: true}", "unknown key 'point' (True); a head has labels and points"),
        ("{labels: [], points: true}", "points and needs a label of its own for what no side says; add one, as none"),
    ],
)
def test_what_a_head_is_made_of(body, message):
    with pytest.raises(InputError, match=rf"^scheme: head 'tone':? {re.escape(message)}$"):
        Scheme.from_dict({"tone": yaml.safe_load(body)})


@pytest.mark.parametrize(("label", "points"), [("no answer", False), ("side", True), ("wrong side", True)])
def test_a_label_is_not_called_as_a_class_of_the_reports(label, points):
    with pytest.raises(InputError, match=f"^scheme: head 'tone': reports mean something else by '{label}'"):
        Scheme((Head("tone", ("calm", label), points),))
    assert Head("tone", ("calm", "side")) in Scheme((Head("tone", ("calm", "side")),)).heads


def test_a_label_is_not_a_sides_key(strait):
    labels = ("none", "southland")
    assert Head("side", labels).classes(strait.keys) == labels
    with pytest.raises(InputError, match=r"^head 'side': 'southland' is a label and a side's key; rename one of them$"):
        Head("side", labels, points=True).classes(strait.keys)


def test_labelled_articles_of_such_a_conflict_are_refused(gold_file, strait):
    scheme = Scheme((Head("side", ("none", "southland"), points=True),))
    with pytest.raises(InputError, match=r"gold\.jsonl, line 1, article 'a0': head 'side': 'southland'"):
        read_corpus([str(gold_file)], scheme, {"strait": strait})


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


@pytest.mark.parametrize("name", ["copy", "get", "setdefault", "popitem", "fromkeys"])
def test_a_head_is_called_as_a_parameter_of_a_network_can_be(name):
    with pytest.raises(InputError, match=f"^scheme: head '{name}': PyTorch keeps that name for itself"):
        Scheme.from_dict({"tone": CHOICE, name: CHOICE})


@pytest.mark.parametrize("by", ["sentence", "article"])
def test_a_head_is_not_called_as_another_column_is(by):
    columns = Layout(by, probabilities=True).schema(["tone"]).names
    for column in {*columns, "conflict", "tone_gold"} - {"tone", "sentences"}:
        with pytest.raises(InputError, match=f"^scheme: head '{column}': .*column"):
            Scheme((Head("tone", ("x", "y")), Head(column, ("x", "y"))))


def test_other_names_are_the_users():
    names = ("tone", "Quoted speech", "tone-2", "score", "side", "article")
    assert Scheme.from_dict(dict.fromkeys(names, CHOICE)).names == names
