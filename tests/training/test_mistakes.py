"""Where a system fails: its surest errors by confusion, and gold labels to review."""

from dataclasses import replace

import pytest
from systems import perfect, relabelled
from whosays.model.labels import DEFAULT_SCHEME
from whosays.training.corpus import LabelledArticle
from whosays.training.evaluation.judged import Answer, judge_head
from whosays.training.evaluation.mistakes import confident_errors, suspected_labels

SIDE = DEFAULT_SCHEME["side"]


def test_errors_are_grouped_by_confusion_with_the_surest_first(articles):
    # the first sentence of every article: `northland` for `southland` and the other way round, surer from one to the
    # next, and in the last two left open
    wrong = {"northland": "other", "none": "northland"}
    changed = relabelled(articles, "side", lambda a, n, label: None if a > 5 else wrong[label] if n == 0 else label)
    given = [
        [replace(answer, scores={"side": 0.5 + a / 100}) if n == 0 else answer for n, answer in enumerate(rows)]
        for a, rows in enumerate(changed)
    ]
    found = confident_errors(judge_head(SIDE, articles, given), articles, given)
    assert [(group["gold"], group["predicted"], group["count"]) for group in found] == [
        ("side", "no answer", 4),
        ("none", "no answer", 3),
        ("none", "side", 3),
        ("side", "other", 3),
        ("other", "no answer", 2),
        ("both", "no answer", 1),
    ]
    first = found[3]["examples"]
    assert [(row["article_id"], row["score"]) for row in first] == [("a4", 0.54), ("a2", 0.52), ("a0", 0.5)]
    assert first[0] == {
        "article_id": "a4",
        "conflict": "strait",
        "index": 0,
        "text": "Northland said its ships had left the strait.",
        "before": None,
        "after": "Southland denied the report.",
        "gold": "northland",
        "predicted": "other",
        "score": 0.54,
        "evidence": None,
    }


def test_what_has_no_score_is_given_none(articles):
    # left open with no score at all, in a system that scores what it answers
    given = [list(rows) for rows in perfect(articles)]
    given[0][0] = Answer({"side": None}, {}, {})
    (group,) = confident_errors(judge_head(SIDE, articles, given), articles, given)
    assert group["examples"][0]["score"] is None
    # a label without its score, beside one that has it
    given[0][0], given[1][0] = Answer({"side": "other"}, {}, {}), Answer({"side": "other"}, {"side": 0.7}, {})
    first, second = confident_errors(judge_head(SIDE, articles, given), articles, given)
    assert [(group["gold"], group["examples"][0]["score"]) for group in (first, second)] == [
        ("none", 0.7), ("side", None),
    ]  # fmt: skip


def test_one_side_for_another_is_a_confusion_of_its_own(articles):
    given = relabelled(articles, "side", lambda a, n, label: "southland" if label == "northland" else label)
    (group,) = confident_errors(judge_head(SIDE, articles, given), articles, given)
    assert (group["gold"], group["predicted"], group["count"], len(group["examples"])) == ("side", "wrong side", 8, 5)
    assert group["examples"][0]["gold"] == "northland"


@pytest.fixture
def wrong_gold(articles):
    labels = list(articles[0].labels["side"])
    labels[4] = "other"  # the strait is twelve miles wide: nobody says so
    return [LabelledArticle(articles[0].article, articles[0].conflict, {"side": tuple(labels)}), *articles[1:]]


def test_a_wrong_gold_label_is_suspected(articles, wrong_gold):
    given = perfect(articles)
    found = suspected_labels(judge_head(SIDE, wrong_gold, given), wrong_gold, given)
    assert [(row["article_id"], row["index"], row["gold"], row["predicted"]) for row in found] == [
        ("a0", 4, "other", "none")
    ]
    assert found[0]["before"].startswith("Both sides")
