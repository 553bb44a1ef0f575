"""Comparing two reports."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from systems import constant, perfect, relabelled
from whosays.model.errors import InputError
from whosays.model.labels import DEFAULT_SCHEME, Head, Scheme
from whosays.training.evaluation import report
from whosays.training.evaluation.compare import Scored, compare, load_scored, mcnemar, summarise, write_comparison
from whosays.training.evaluation.evaluate import System, evaluate
from whosays.training.evaluation.judged import Answer
from whosays.training.evaluation.predictions import prediction_rows
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


def scored(articles, answers, name="it", path="report"):
    """A report as `load_scored` gives it, without the files."""
    report = evaluate(System(name, DEFAULT_SCHEME), articles, [], answers)
    return Scored(Path(path), report.to_dict(), list(prediction_rows(articles, answers, DEFAULT_SCHEME)))


@pytest.fixture
def pair(articles):
    """Reports on a constant and a perfect system."""
    return scored(articles, constant(articles), "constant"), scored(articles, perfect(articles), "perfect")


def test_a_report_that_was_written_is_found_by_its_folder_and_by_its_file(articles, pair, tmp_path):
    write_report(evaluate(System("perfect", DEFAULT_SCHEME), articles, [], perfect(articles)), tmp_path)
    for path in (tmp_path, tmp_path / "report.json"):
        found = load_scored(path)
        assert (found.path, found.content, found.rows) == (tmp_path, pair[1].content, pair[1].rows)


def test_comparison(pair, tmp_path):
    found = compare(*pair)
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
        assert "Both right on 12 sentences, only constant on 0, only perfect on 28, neither on 0." in text


def test_a_report_beside_itself_differs_in_nothing(pair):
    found = compare(pair[0], pair[0])
    same = found["heads"]["side"]
    assert found["systems"] == ["constant (first)", "constant (second)"]
    assert same["figures"]["macro_f1"]["difference"] == {"value": 0, "low": 0, "high": 0}
    assert (same["mcnemar"]["p"], same["flips"]["moves"]) == (1, [])
    assert "no clear difference" in summarise(found)


def test_which_sentences_flipped_and_how(articles):
    # in the first system the third and the second sentence of each article are given to `other` and to `none`; in the
    # second the third is right; the second becomes the wrong side where it is a side's, surer from article to article
    first = relabelled(articles, "side", lambda a, n, label: {1: "none", 2: "other"}.get(n, label))
    second = relabelled(articles, "side", lambda a, n, label: "northland" if n == 1 else label)
    second = [
        [replace(answer, scores={**answer.scores, "side": 0.5 + a / 100}) for answer in rows]
        for a, rows in enumerate(second)
    ]
    found = compare(scored(articles, first), scored(articles, second))["heads"]["side"]["flips"]
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
    found = compare(*pair)
    summary = summarise(found)
    assert "| side | none | side | 16 | fixed |" in summary
    assert "- Northland said its ships had left the strait. (a0, sentence 1; gold northland, " in summary
    assert summary.count(", none at 0.900 → ") == 3 * 3  # side: moves from `none` to `side`, `other` and `both`
    assert "- … and 13 more" in summary
    write_comparison(found, tmp_path / "c")
    text, page = ((tmp_path / "c" / name).read_text() for name in ("comparison.md", "comparison.html"))
    flips = sum(move["count"] for row in found["heads"].values() for move in row["flips"]["moves"])
    assert text.count(" at 0.900 → ") == flips
    assert "more" not in text
    assert page.count('<div class="case">') == flips


def test_reports_without_a_head_in_common_are_refused(articles):
    side, stance = (
        [[Answer({head: row.labels[head]}, {}, {}) for row in rows] for rows in perfect(articles)]
        for head in ("side", "stance")
    )
    with pytest.raises(InputError, match="no head in common"):
        compare(scored(articles, side), scored(articles, stance))


def test_the_same_labels_in_another_order_are_the_same_and_others_are_named(articles):
    def ordered(*labels):
        scheme = Scheme((Head("stance", labels),))
        given = [[Answer({"stance": row.labels["stance"]}, {}, {}) for row in rows] for rows in perfect(articles)]
        return Scored(
            Path("r"),
            evaluate(System("it", scheme), articles, [], given).to_dict(),
            list(prediction_rows(articles, given, scheme)),
        )

    labels = DEFAULT_SCHEME["stance"].labels
    found = compare(ordered(*labels), ordered(*reversed(labels)))
    assert found["heads"]["stance"]["figures"]["accuracy"]["difference"]["value"] == 0
    with pytest.raises(InputError, match=r"only one of them has doubt among the labels of 'stance'$"):
        compare(ordered(*labels), ordered(*labels, "doubt"))


def test_systems_of_one_name_are_told_apart_by_their_reports_paths(articles):
    found = compare(*(scored(articles, perfect(articles), path=f"{letter}/run/report") for letter in "xy"))
    assert found["systems"] == ["it (x/run/report)", "it (y/run/report)"]


def test_p_values_are_never_a_row_of_zeros():
    assert [p_value(p) for p in (0.00009, 0.0001, 0.03125, 1.0)] == ["< 0.0001", "= 0.0001", "= 0.0312", "= 1.0000"]


def test_mcnemar_counts_in_one_direction_only_when_they_differ():
    # 3 against 3: as likely as can be
    assert mcnemar(np.array([True] * 3 + [False] * 3), np.array([False] * 3 + [True] * 3))["p"] == 1


def test_comparison_refuses_other_gold(articles, tmp_path):
    with pytest.raises(InputError, match="different gold data"):
        compare(*(scored(part, perfect(part)) for part in (articles, articles[1:])))
    with pytest.raises(InputError, match="no report here"):
        load_scored(tmp_path / "c")


def test_systems_of_other_heads_are_compared_in_those_that_they_share(articles):
    both = scored(articles, perfect(articles))
    scheme = Scheme((DEFAULT_SCHEME["side"],))
    content = evaluate(System("sides only", scheme), articles, [], perfect(articles)).to_dict()
    alone = Scored(Path("b"), content, list(prediction_rows(articles, perfect(articles), scheme)))
    assert set(compare(both, alone)["heads"]) == {"side"}
    changed = {**alone.content, "scheme": {"side": {"labels": ["none", "both"], "points": True}}}
    with pytest.raises(InputError, match="only one of them has other among the labels of 'side'"):
        compare(both, replace(alone, content=changed))


def test_a_mistyped_path_is_not_the_report_in_the_folder_above(articles, tmp_path):
    write_report(evaluate(SYSTEM, articles, [], perfect(articles)), tmp_path)
    for name in ("tpyo", "report.html"):
        with pytest.raises(InputError, match="no report here"):
            load_scored(tmp_path / name)


def test_predictions_must_be_those_of_the_report(articles, tmp_path):
    write_report(evaluate(SYSTEM, articles, [], perfect(articles)), tmp_path)
    file = tmp_path / "predictions.jsonl"
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    first, rest = rows[0], rows[1:]
    changes = {
        "fewer": rest,
        "twice": [first | {"index": 1}, *rest],
        "other labels": [first | {"side": "other"}, *rest],
        "no gold": [{key: value for key, value in first.items() if key != "side_gold"}, *rest],
    }
    for changed in changes.values():
        file.write_text("".join(json.dumps(row) + "\n" for row in changed))
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
