import pytest
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
