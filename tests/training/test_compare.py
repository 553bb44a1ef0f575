"""Comparing two reports."""

import json
from dataclasses import replace

import numpy as np
import pytest
from systems import constant, perfect, relabelled
from whosays.model.errors import InputError
from whosays.model.labels import DEFAULT_SCHEME
from whosays.training.evaluation import report
from whosays.training.evaluation.compare import compare, load_scored, mcnemar, summarise, write_comparison
from whosays.training.evaluation.evaluate import System, evaluate
from whosays.training.evaluation.judged import Answer
from whosays.training.evaluation.report import p_value, write_report

SYSTEM = System("it", DEFAULT_SCHEME)


def test_mcnemar_by_hand():
    first = np.array([True] * 8 + [False] * 2 + [True])
    second = np.array([False] * 8 + [True] * 2 + [True])
    found = mcnemar(first, second)
    # 8 against 2: two-sided p = 2 · (C(10,0) + C(10,1) + C(10,2)) / 2¹⁰
    assert found["p"] == pytest.approx(2 * (1 + 10 + 45) / 1024)
    assert (found["only_first_right"], found["only_second_right"], found["both_right"]) == (8, 2, 1)
    assert mcnemar(first, first)["p"] == 1


@pytest.fixture
def pair(articles, tmp_path):
    """Folders of reports on a constant and a perfect system."""
    for name, answers in (("constant", constant(articles)), ("perfect", perfect(articles))):
        write_report(evaluate(System(name, DEFAULT_SCHEME), articles, [], answers), tmp_path / name)
    return tmp_path / "constant", tmp_path / "perfect"


def test_comparison(pair, tmp_path):
    found = compare(load_scored(pair[0]), load_scored(pair[1] / "report.json"))
    side = found["heads"]["side"]
    assert side["figures"]["accuracy"]["difference"]["value"] == pytest.approx(28 / 40)
    assert side["figures"]["accuracy"]["difference"]["low"] > 0
    # F1 of none 2·12 / (12 + 40), of the rest 0; then all 1
    assert side["by_class"]["none"]["difference"]["value"] == pytest.approx(1 - 24 / 52)
    assert side["by_class"]["both"]["difference"] == {"value": 1, "low": 1, "high": 1}
    assert (side["flips"]["fixed"], side["flips"]["broken"], side["flips"]["still_wrong"]) == (28, 0, 0)
    assert side["mcnemar"]["p"] == pytest.approx(2 / 2**28)
    write_comparison(found, tmp_path / "c")
    assert "perfect is better" in (tmp_path / "c/comparison.html").read_text()
    assert json.loads((tmp_path / "c/comparison.json").read_text()) == found
    for name, p in (("comparison.html", "p &lt; 0.0001"), ("comparison.md", "p < 0.0001")):
        text = (tmp_path / "c" / name).read_text()
        assert p in text
        assert "perfect against constant" in text


def test_a_report_beside_itself_differs_in_nothing(pair):
    found = compare(load_scored(pair[0]), load_scored(pair[0]))
    same = found["heads"]["side"]
    assert found["systems"] == ["constant (first)", "constant (second)"]
    assert same["figures"]["macro_f1"]["difference"] == {"value": 0, "low": 0, "high": 0}
    assert (same["mcnemar"]["p"], same["flips"]["moves"]) == (1, [])
    assert "no clear difference" in summarise(found)


def test_which_sentences_flipped_and_how(articles, tmp_path):
    # in the first system the third and the second sentence of each article are given to `other` and to `none`; in the
    # second the third is right; the second becomes the wrong side where it is a side's, surer from article to article
    first = relabelled(articles, "side", lambda a, n, label: {1: "none", 2: "other"}.get(n, label))
    second = relabelled(articles, "side", lambda a, n, label: "northland" if n == 1 else label)
    second = [
        [replace(answer, scores={**answer.scores, "side": 0.5 + a / 100}) for answer in rows]
        for a, rows in enumerate(second)
    ]
    for name, answers in (("a", first), ("b", second)):
        write_report(evaluate(SYSTEM, articles, [], answers), tmp_path / name)
    found = compare(load_scored(tmp_path / "a"), load_scored(tmp_path / "b"))["heads"]["side"]["flips"]
    # even articles: the third sentence is other's; odd ones: it is northland's, given to other and then right
    assert (found["fixed"], found["broken"], found["still_wrong"]) == (4, 0, 8)
    assert [(m["gold"], m["first"], m["second"], m["effect"], m["count"]) for m in found["moves"]] == [
        ("side", "none", "wrong side", "still_wrong", 8),
        ("side", "other", "side", "fixed", 4),
    ]
    fixed = found["moves"][1]["sentences"]
    assert [row["article_id"] for row in fixed] == ["a7", "a5", "a3", "a1"]
    assert fixed[0] == {
        "article_id": "a7",
        "conflict": "strait",
        "index": 2,
        "text": "Norden rejected the charge.",
        "gold": "northland",
        "first": "other",
        "first_score": 0.9,
        "second": "northland",
        "second_score": pytest.approx(0.57),
    }


def test_the_files_list_every_sentence_that_flipped_and_the_summary_the_first_of_each_move(pair, tmp_path):
    found = compare(load_scored(pair[0]), load_scored(pair[1]))
    summary = summarise(found)
    assert "| side | none | side | 16 | fixed |" in summary
    assert "- Northland said its ships had left the strait. (a0, sentence 0; gold northland, " in summary
    assert summary.count(", none at 0.900 → ") == 3 * 3  # side: moves from `none` to `side`, `other` and `both`
    assert "- … and 13 more" in summary
    write_comparison(found, tmp_path / "c")
    text, page = ((tmp_path / "c" / name).read_text() for name in ("comparison.md", "comparison.html"))
    flips = sum(move["count"] for row in found["heads"].values() for move in row["flips"]["moves"])
    assert text.count(" at 0.900 → ") == flips
    assert "more" not in text
    assert page.count('<div class="case">') == flips


def test_reports_without_a_head_in_common_are_refused(articles, tmp_path):
    for head in ("side", "stance"):
        answers = [[Answer({head: row.labels[head]}, {}, {}) for row in rows] for rows in perfect(articles)]
        write_report(evaluate(SYSTEM, articles, [], answers), tmp_path / head)
    with pytest.raises(InputError, match="no head in common"):
        compare(load_scored(tmp_path / "side"), load_scored(tmp_path / "stance"))


def test_systems_of_one_name_are_told_apart_by_their_reports_paths(articles, tmp_path):
    for name, answers in (("x/run/report", constant(articles)), ("y/run/report", perfect(articles))):
        (tmp_path / name).mkdir(parents=True)
        write_report(evaluate(SYSTEM, articles, [], answers), tmp_path / name)
    found = compare(load_scored(tmp_path / "x/run/report"), load_scored(tmp_path / "y/run/report"))
    assert found["systems"] == ["it (x/run/report)", "it (y/run/report)"]


def test_p_values_are_never_a_row_of_zeros():
    assert [p_value(p) for p in (0.00009, 0.0001, 0.03125, 1.0)] == ["< 0.0001", "= 0.0001", "= 0.0312", "= 1.0000"]


def test_mcnemar_counts_in_one_direction_only_when_they_differ():
    # 3 against 3: as likely as can be
    assert mcnemar(np.array([True] * 3 + [False] * 3), np.array([False] * 3 + [True] * 3))["p"] == 1


def test_comparison_refuses_other_gold(articles, tmp_path):
    write_report(evaluate(SYSTEM, articles, [], perfect(articles)), tmp_path / "a")
    write_report(evaluate(SYSTEM, articles[1:], [], perfect(articles[1:])), tmp_path / "b")
    with pytest.raises(InputError, match="different gold data"):
        compare(load_scored(tmp_path / "a"), load_scored(tmp_path / "b"))
    with pytest.raises(InputError, match="no report here"):
        load_scored(tmp_path / "c")


@pytest.mark.parametrize("change", ["fewer", "twice", "other labels", "no gold"])
def test_predictions_must_be_those_of_the_report(articles, tmp_path, change):
    write_report(evaluate(SYSTEM, articles, [], perfect(articles)), tmp_path)
    file = tmp_path / "predictions.jsonl"
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    if change == "fewer":
        rows.pop()
    elif change == "twice":
        rows[0]["index"] = 1
    elif change == "other labels":
        rows[0]["side"] = "other"
    else:
        del rows[0]["side_gold"]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(InputError, match=r"predictions\.jsonl is not what report\.json is about"):
        load_scored(tmp_path)


def test_a_report_that_was_not_finished_is_none(articles, tmp_path, monkeypatch):
    found = evaluate(SYSTEM, articles, [], perfect(articles))
    write_report(found, tmp_path)
    monkeypatch.setattr(report, "render", lambda *asked: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_report(found, tmp_path)
    with pytest.raises(InputError, match="no report here"):
        load_scored(tmp_path)
