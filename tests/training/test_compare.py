"""Comparing two reports."""

import json

import numpy as np
import pytest
from systems import constant, perfect
from whosays.model.errors import InputError
from whosays.model.labels import DEFAULT_SCHEME
from whosays.training.evaluation import report
from whosays.training.evaluation.compare import compare, load_scored, mcnemar, write_comparison
from whosays.training.evaluation.evaluate import System, evaluate
from whosays.training.evaluation.report import render, write_report

SYSTEM = System("it", DEFAULT_SCHEME)


def test_mcnemar_by_hand():
    first = np.array([True] * 8 + [False] * 2 + [True])
    second = np.array([False] * 8 + [True] * 2 + [True])
    found = mcnemar(first, second)
    # 8 against 2: two-sided p = 2 · (C(10,0) + C(10,1) + C(10,2)) / 2¹⁰
    assert found["p"] == pytest.approx(2 * (1 + 10 + 45) / 1024)
    assert (found["only_first_right"], found["only_second_right"], found["both_right"]) == (8, 2, 1)
    assert mcnemar(first, first)["p"] == 1


def test_comparison(articles, tmp_path):
    write_report(evaluate(System("constant", DEFAULT_SCHEME), articles, [], constant(articles)), tmp_path / "a")
    write_report(evaluate(System("perfect", DEFAULT_SCHEME), articles, [], perfect(articles)), tmp_path / "b")
    found = compare(load_scored(tmp_path / "a"), load_scored(tmp_path / "b/report.json"))
    side = found["heads"]["side"]
    assert side["figures"]["accuracy"]["difference"]["value"] == pytest.approx(28 / 40)
    assert side["figures"]["accuracy"]["difference"]["low"] > 0
    assert (side["flips"]["fixed"], side["flips"]["broken"], side["flips"]["still_wrong"]) == (28, 0, 0)
    assert side["mcnemar"]["p"] == pytest.approx(2 / 2**28)
    write_comparison(found, tmp_path / "c")
    assert "perfect is better" in (tmp_path / "c/comparison.html").read_text()
    assert json.loads((tmp_path / "c/comparison.json").read_text()) == found
    same = compare(load_scored(tmp_path / "a"), load_scored(tmp_path / "a"))["heads"]["side"]
    assert same["figures"]["macro_f1"]["difference"] == {"value": 0, "low": 0, "high": 0}
    assert "no clear difference" in render("comparison.html.j2", found | {"heads": {"side": same}})


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
