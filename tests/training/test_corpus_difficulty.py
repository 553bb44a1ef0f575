"""What words alone can do on conflicts held out, on articles made so that the answer is known."""

import json
from dataclasses import replace

import pytest
from whosays.model.errors import InputError
from whosays.model.labels import DEFAULT_SCHEME
from whosays.model.sides import Conflict, Side
from whosays.training.corpus import read_corpus
from whosays.training.corpus_difficulty import ALL_PARTS, SAME_PART, WHOLE, difficulty

SIDES = (Side("north", "North", ("North",)), Side("south", "South", ("South",)))


def corpus(tmp_path, texts):
    """Twelve articles on six conflicts, three a part; `texts` gives each part's (text, side, stance)."""
    rows = [
        {
            "id": f"{part}-{conflict}-{copy}",
            "conflict": f"{part}-{conflict}",
            "part": part,
            "sentences": [{"text": t, "side": a, "stance": b} for t, a, b in sentences],
        }
        for part, sentences in texts.items()
        for conflict in range(3)
        for copy in range(2)
    ]
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    names = {row["conflict"] for row in rows}
    return read_corpus([str(path)], DEFAULT_SCHEME, {name: Conflict(name, SIDES) for name in names})


PLAIN = [("North said so.", "north", "affirm"), ("South denied it.", "south", "deny"), ("It rained.", "none", "affirm")]
# The same words with other labels: what one part teaches is wrong in the other.
TURNED = [(PLAIN[n][0], *PLAIN[(n + 1) % 3][1:]) for n in range(3)]


def test_what_cue_words_give_away_is_found_and_parts_are_told_apart(tmp_path):
    told = []
    found = difficulty(corpus(tmp_path, {"real": PLAIN, "written": TURNED}), DEFAULT_SCHEME, say=told.append)
    assert {part: set(readings) for part, readings in found.items()} == {
        "real": {SAME_PART, ALL_PARTS},
        "written": {SAME_PART, ALL_PARTS},
        WHOLE: {ALL_PARTS},
    }
    same = found["real"][SAME_PART]
    assert same["stance"]["macro_f1"] == {"value": 1.0, "low": 1.0, "high": 1.0}
    assert same["side"]["macro_f1"]["value"] == 1.0  # the nearest side is the voice
    assert same["side"]["f1"]["none"] == 1.0
    assert same["side"]["sentences"] == 18
    assert found[WHOLE][ALL_PARTS]["stance"]["sentences"] == 36
    assert found[WHOLE][ALL_PARTS]["stance"]["macro_f1"]["value"] < 1  # the parts contradict each other
    assert len(told) == 3 + 3 + 6
    assert told[0].startswith("real, fold 1 of 3: real-")


def test_a_conflict_is_never_judged_by_what_it_taught(tmp_path):
    """Each conflict has a stance of its own, which nobody can know who has not seen that conflict."""
    stances = ("accuse", "deny", "hedge")
    articles = [
        replace(item, labels=item.labels | {"stance": (stances[int(item.conflict.name[-1])], "affirm")})
        for item in corpus(tmp_path, {"real": [("It snowed.", "none", None), ("It rained.", "none", None)]})
    ]
    for groups in (None, 3, 50):
        found = difficulty(articles, DEFAULT_SCHEME, groups)[WHOLE][ALL_PARTS]["stance"]
        assert [found["f1"][stance] for stance in stances] == [0, 0, 0]
        assert found["f1"]["affirm"] == 1.0
        assert found["sentences"] == 12


def test_rows_without_a_part_are_in_the_whole_alone(tmp_path):
    articles = corpus(tmp_path, {"real": PLAIN, "written": TURNED})
    for item in articles:
        if item.article.extra["part"] == "written":
            del item.article.extra["part"]
    found = difficulty(articles, DEFAULT_SCHEME, 3)
    assert {part: set(readings) for part, readings in found.items()} == {
        "real": {SAME_PART, ALL_PARTS},
        WHOLE: {ALL_PARTS},
    }
    assert found["real"][ALL_PARTS]["stance"]["sentences"] == 18
    assert found[WHOLE][ALL_PARTS]["stance"]["sentences"] == 36


def test_a_head_that_nobody_labelled_has_no_figures(tmp_path):
    articles = corpus(tmp_path, {"real": [(text, side, None) for text, side, _ in PLAIN]})
    found = difficulty(articles, DEFAULT_SCHEME, 3)[WHOLE][ALL_PARTS]
    assert found["stance"] == {"sentences": 0, "macro_f1": {"value": None, "low": None, "high": None}, "f1": {}}
    assert found["side"]["sentences"] == 18


def test_too_few_conflicts(tmp_path):
    two = [item for item in corpus(tmp_path, {"real": PLAIN}) if item.conflict.name != "real-0"]
    with pytest.raises(InputError, match=r"^corpus difficulty, part 'all': the data have 2 conflicts"):
        difficulty(two, DEFAULT_SCHEME)
    some = [item for item in corpus(tmp_path, {"real": PLAIN, "written": PLAIN}) if item.conflict.name != "real-0"]
    with pytest.raises(InputError, match=r"^corpus difficulty, part 'real': the data have 2 conflicts"):
        difficulty(some, DEFAULT_SCHEME, 5)


def test_a_single_conflict_with_labels_teaches_nothing_about_itself(tmp_path):
    articles = [
        item if item.conflict.name == "real-0" else replace(item, labels=dict.fromkeys(item.labels, (None,) * 3))
        for item in corpus(tmp_path, {"real": PLAIN})
    ]
    nothing = "^corpus difficulty, part 'all': nothing has labels of side or stance but .* real-0, .* too$"
    with pytest.raises(InputError, match=nothing):
        difficulty(articles, DEFAULT_SCHEME)


def test_a_head_labelled_in_a_single_conflict_is_not_judged_by_what_never_learnt_it(tmp_path):
    articles = [
        item if item.conflict.name == "real-0" else replace(item, labels={**item.labels, "stance": (None,) * 3})
        for item in corpus(tmp_path, {"real": PLAIN})
    ]
    nothing = "^corpus difficulty, part 'all': nothing has labels of stance but what is about real-0, "
    with pytest.raises(InputError, match=nothing):
        difficulty(articles, DEFAULT_SCHEME)
