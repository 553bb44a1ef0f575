"""Whole reports: of systems whose figures are known beforehand, and of a real model."""

import html
import json
import re
from dataclasses import replace

import pytest
from systems import at_random, constant, perfect
from whosays.model.checkpoint import new_model
from whosays.model.errors import InputError
from whosays.model.labels import DEFAULT_SCHEME, Scheme
from whosays.model.predictor import Predictor
from whosays.training.agreement import agreement
from whosays.training.evaluation.bootstrap import article_weights
from whosays.training.evaluation.evaluate import System, describe, evaluate, report_on
from whosays.training.evaluation.figures import joint_accuracy, judge_all
from whosays.training.evaluation.gates import check_names
from whosays.training.evaluation.judged import Answer
from whosays.training.evaluation.plots import precision_recall
from whosays.training.evaluation.report import cell, write_report
from whosays.training.evaluation.transcript import Transcript

SYSTEM = System("it", DEFAULT_SCHEME)


@pytest.fixture
def content(articles):
    return evaluate(SYSTEM, articles, [], perfect(articles)).to_dict()


def test_perfect(content):
    for head in content["heads"].values():
        assert head["macro_f1"] == {"value": 1, "low": 1, "high": 1}
        assert head["kappa"]["value"] == 1
        assert head["calibration"]["ece"] == pytest.approx(
            {"value": 0.1, "low": 0.1, "high": 0.1}
        )  # always right at 0.9
        assert head["risk_coverage"]["aurc"] == {"value": 0, "low": 0, "high": 0}
        assert all(
            row["average_precision"] == {"value": 1, "low": 1, "high": 1} for row in head["precision_recall"].values()
        )
    assert content["joint"]["accuracy"]["value"] == 1
    assert content["errors"] == {"side": [], "stance": []}
    assert content["suspects"] == {"side": [], "stance": []}


def test_constant(articles):
    content = evaluate(SYSTEM, articles, [], constant(articles)).to_dict()
    # gold: none 12 of 40, other 8, both 4, sides 16 → F1 of none 2·12 / (12 + 40)
    assert content["heads"]["side"]["macro_f1"]["value"] == pytest.approx(24 / 52 / 4)
    assert content["heads"]["side"]["accuracy"]["value"] == pytest.approx(12 / 40)
    assert content["heads"]["side"]["kappa"]["value"] == content["heads"]["side"]["mcc"]["value"] == 0
    assert content["heads"]["side"]["balanced_accuracy"]["value"] == pytest.approx(1 / 4)
    assert content["heads"]["side"]["calibration"]["ece"]["value"] == pytest.approx(0.9 - 12 / 40)
    assert content["heads"]["side"]["risk_coverage"]["aurc"]["value"] == pytest.approx(28 / 40)  # all scores are one
    groups = [(group["gold"], group["predicted"], group["count"]) for group in content["errors"]["side"]]
    assert groups == [("side", "none", 16), ("other", "none", 8), ("both", "none", 4)]
    none = content["heads"]["side"]["by_class"]["none"]
    assert (none["precision"]["value"], none["recall"]["value"]) == (pytest.approx(12 / 40), 1)
    assert content["heads"]["side"]["by_class"]["other"]["precision"]["value"] is None  # never given


def test_joint_accuracy_and_a_baselines_lead_by_hand(articles):
    # wrong: side of a0's sentences 0 and 1, stance of its sentences 1 and 2 → 3 of 40 sentences are not all right
    given = [list(rows) for rows in perfect(articles)]
    for n, wrong in enumerate([{"side": "none"}, {"side": "none", "stance": "hedge"}, {"stance": "hedge"}]):
        given[0][n] = Answer({**given[0][n].labels, **wrong}, {}, {})
    found = joint_accuracy(judge_all(DEFAULT_SCHEME, articles, given), len(articles), article_weights(len(articles)))
    assert (found["heads"], found["sentences"]) == (["side", "stance"], 40)
    assert found["accuracy"]["value"] == pytest.approx(37 / 40)
    # always `none`, the baseline has a macro-F1 of 24 / 52 / 4, the perfect system 1
    report = report_on(SYSTEM, articles, Transcript(perfect(articles), {"rules": constant(articles)}, {}), [])
    assert report.baselines["rules"]["side"]["lead"]["value"] == pytest.approx(1 - 24 / 52 / 4)


def test_random_is_no_better_than_chance(articles):
    many = [
        replace(item, article=replace(item.article, id=f"{item.article.id}-{n}"))
        for n in range(25)
        for item in articles
    ]
    content = evaluate(SYSTEM, many, [], at_random(many)).to_dict()
    for head in content["heads"].values():
        # five classes in either head, so a fifth of the labels is right, whichever class is gold
        for name, expected in (("accuracy", 0.2), ("balanced_accuracy", 0.2), ("kappa", 0), ("mcc", 0)):
            assert head[name]["low"] < expected < head[name]["high"], name
        assert head["calibration"]["ece"]["value"] == pytest.approx(0.9 - head["accuracy"]["value"])
        for row in head["precision_recall"].values():
            assert row["average_precision"]["value"] == pytest.approx(row["prevalence"], abs=0.05)
        assert all(row["recall"]["value"] == pytest.approx(0.2, abs=0.1) for row in head["by_class"].values())
    assert content["joint"]["accuracy"]["value"] == pytest.approx(0.2 * 0.2, abs=0.02)


@pytest.mark.parametrize(
    ("given", "said", "unsaid"),
    [
        (
            perfect,
            [
                "<b>1.000 (1.000 to 1.000)</b>, right on 100.0 % of 40 sentences; above the best baseline, cue-word rules",
                "No label is wrong.",
            ],
            [" taken for ", "to review"],
        ),
        (
            constant,
            ["right on 30.0 % of 40 sentences; below the best baseline", "side taken for none: 16"],
            ["one side taken for another", "No label is wrong."],
        ),
        (at_random, ["below the best baseline, cue-word rules", "one side taken for another"], ["; above the best"]),
    ],
)
def test_a_report_reads_as_it_should(articles, tmp_path, given, said, unsaid):
    write_report(evaluate(SYSTEM, articles, [], given(articles)), tmp_path / "r")
    page, text = ((tmp_path / "r" / name).read_text() for name in ("report.html", "report.md"))
    assert [words for words in said if words not in page] == []
    assert [words for words in unsaid if words in page or words in text] == []


def test_gold_hash_is_of_content_and_not_of_order(articles):
    again = describe(articles[::-1], DEFAULT_SCHEME)
    assert again["gold_sha256"] == describe(articles, DEFAULT_SCHEME)["gold_sha256"]
    assert again["gold_sha256"] != describe(articles[1:], DEFAULT_SCHEME)["gold_sha256"]


def test_an_id_given_twice_is_refused(articles):
    with pytest.raises(InputError, match="'a0' is in the data 2 times"):
        evaluate(SYSTEM, [*articles, articles[0]], [], perfect([*articles, articles[0]]))


def test_a_model_is_probed_and_baselines_stay_apart_from_what_they_are_judged_on(articles, tiny_model):
    system = System("tiny", DEFAULT_SCHEME, Predictor.load(str(tiny_model), "fp32"))
    content = evaluate(system, articles[:4], articles).to_dict()
    assert set(content["probes"]) == {"sides_removed", "wrong_sides", "sentence_alone"}
    assert content["probes"]["wrong_sides"]["followed"]["value"] in (1, None)
    assert content["name_swap"]["any"]["value"] >= content["name_swap"]["heads"]["side"]["value"]
    assert set(content["baselines"]) == {"majority", "tfidf", "rules"}
    assert content["baselines"]["majority"]["side"]["lead"]["value"] is not None
    assert any("4 of these articles are in the training data" in note for note in content["notes"])
    json.dumps(content, allow_nan=False)


def test_articles_that_the_model_was_chosen_on_are_named(articles):
    content = evaluate(SYSTEM, articles, [], perfect(articles), development=articles[:3]).to_dict()
    assert any("3 of these articles are in the development data" in note for note in content["notes"])


def test_articles_that_a_teacher_labelled_for_the_model_are_training_data(articles):
    content = evaluate(SYSTEM, articles, articles[:2], perfect(articles), taught=articles[1:4]).to_dict()
    assert any("4 of these articles are in the training data" in note for note in content["notes"])
    content = evaluate(SYSTEM, articles[:4], [], perfect(articles[:4]), taught=articles[4:]).to_dict()
    assert "conflicts that are in the training data too: strait" in content["notes"]
    assert set(content["baselines"]) == {"rules"}, "baselines learn from no teacher"


def test_an_id_given_twice_in_an_annotation_is_refused_too(articles):
    for pair in ((articles, [*articles, articles[0]]), ([*articles, articles[0]], articles)):
        with pytest.raises(InputError, match="'a0' is in the data 2 times"):
            agreement(*pair)


def test_baselines_leave_out_a_head_that_they_cannot_learn(articles):
    unlabelled = [
        replace(item, article=replace(item.article, id=f"other{n}"), labels={**item.labels, "stance": (None,) * 5})
        for n, item in enumerate(articles)
    ]
    content = evaluate(SYSTEM, articles, unlabelled, perfect(articles)).to_dict()
    assert "majority and TF-IDF are left out for stance, for want of labels to learn from" in content["notes"]
    assert {name: list(heads) for name, heads in content["baselines"].items()} == {
        "majority": ["side"], "tfidf": ["side"], "rules": ["side", "stance"],
    }  # fmt: skip
    check_names({"baselines.majority.side.macro_f1": 0.0}, SYSTEM, articles, unlabelled)
    with pytest.raises(InputError, match=r"baselines\.majority\.stance"):
        check_names({"baselines.majority.stance.macro_f1": 0.0}, SYSTEM, articles, unlabelled)


def test_a_head_without_answers_is_left_out(articles):
    given = [
        [Answer({"side": answer.labels["side"]}, {}, answer.probabilities) for answer in rows]
        for rows in perfect(articles)
    ]
    content = evaluate(SYSTEM, articles, articles, given).to_dict()
    assert list(content["heads"]) == list(content["baselines"]["rules"]) == ["side"]
    assert "the system gives no labels for stance; it is left out" in content["notes"]
    given = [[Answer({}, {}, {}) for _ in rows] for rows in given]
    with pytest.raises(InputError, match="no head has both"):
        evaluate(SYSTEM, articles, [], given)


def test_only_answered_sentences_need_scores(articles):
    given = [list(rows) for rows in perfect(articles)]
    given[0][0] = Answer({"side": None, "stance": "affirm"}, {}, {})
    heads = evaluate(SYSTEM, articles, [], given).to_dict()["heads"]
    assert heads["side"]["calibration"]["ece"]["value"] == pytest.approx(0.1)
    assert heads["stance"]["calibration"] is None


@pytest.mark.parametrize(
    ("kept", "said", "unsaid"),
    [
        ({"scores", "probabilities"}, ["Reliability", "Precision and recall"], ["does not give"]),
        ({"scores"}, ["Reliability", "every sentence probabilities"], ["Precision and recall", "every label a score"]),
        ({"probabilities"}, ["Precision and recall", "every label a score"], ["Reliability", "sentence probabilities"]),
        (set(), ["every label a score", "every sentence probabilities"], ["Reliability", "Precision and recall"]),
    ],
)
def test_a_page_shows_the_curves_that_there_are_and_says_what_is_missing(articles, tmp_path, kept, said, unsaid):
    gone = {name: {} for name in {"scores", "probabilities"} - kept}
    given = [[replace(answer, **gone) for answer in rows] for rows in perfect(articles)]
    write_report(evaluate(SYSTEM, articles, [], given), tmp_path / "r")
    page = (tmp_path / "r/report.html").read_text()
    assert [words for words in said if page.count(words) < 2] == []  # once a head
    assert [words for words in unsaid if words in page] == []


def test_the_class_of_all_sides_is_explained_where_a_head_points(articles, tmp_path):
    for name, scheme in (("both", DEFAULT_SCHEME), ("stance", Scheme((DEFAULT_SCHEME["stance"],)))):
        write_report(evaluate(System("it", scheme), articles, [], perfect(articles)), tmp_path / name)
    both, stance = ((tmp_path / name / "report.md").read_text() for name in ("both", "stance"))
    assert both.count("\n\n“side” as a class stands for") == 1
    assert "“side” as a class" not in stance
    assert "\n\n## Where it fails\n\n" in both
    assert "\n\n## Where it fails\n\n" in stance


def texts(folder):
    """What a report's page and its Markdown say, without markup, a line a paragraph, cell or point."""
    page = re.sub(r"(?s)<style>.*?</style>|<svg.*?</svg>", "", (folder / "report.html").read_text())
    page = html.unescape(re.sub(r"</?(?:b|code)>|<span[^>]*>", "", page))
    return [re.sub(r"<[^>]+>", "\n", page), (folder / "report.md").read_text()]


def test_both_reports_explain_and_warn_alike(articles, tiny_model, tmp_path):
    system = System("tiny", DEFAULT_SCHEME, Predictor.load(str(tiny_model), "fp32"))
    write_report(evaluate(system, articles[:4], articles[4:]), tmp_path / "model")
    write_report(evaluate(SYSTEM, articles, [], given_labels(articles)), tmp_path / "labels")
    explained = [
        "resamples of whole articles, because sentences of one article are not independent.",
        "An asterisk marks labels with fewer than 50 gold sentences: too few to be read by themselves",
        "An asterisk marks conflicts with fewer than 50 sentences or 10 articles, too few to be read by themselves.",
        "An asterisk marks slices with fewer than 50 sentences or 10 articles, too small to be read by themselves.",
        "counted under “wrong side”",
        "The surest errors of each confusion, the commonest first",
        "they mean little if the system learnt from these labels",
        "above 0 by chance alone, the more the fewer sentences there are",
        "a small gap is no unfairness yet",
        "A model that reads the sides should lose much without them",
        "Labels that followed: of the sentences first given to a side",
        "each for a word that can stand in its place, and every label should follow. Of 12 mentions",
        "how far scores are from the share that is right, 0 is perfect",
        "lower is better",
        "where it is their answer, it is the side mentioned nearest",
        "Gold data: SHA-256",
    ]
    for text in texts(tmp_path / "model"):
        assert [words for words in explained if words not in text] == []
    unscored = [
        "Errors of each confusion",
        "The system does not give every label a score, so there is no calibration error",
        "The system does not give every sentence probabilities, so there are no precision–recall curves.",
        "majority and TF-IDF are left out for side, stance, for want of labels to learn from",
    ]
    for text in texts(tmp_path / "labels"):
        assert [words for words in unscored if words not in text] == []
        assert "The surest errors" not in text
        assert "Baselines that learn" not in text
    assert "| deny\\* |" in texts(tmp_path / "model")[1]


def given_labels(articles):
    """Labels alone, all of them the first of their head."""
    return [[Answer(answer.labels, {}, {}) for answer in rows] for rows in constant(articles)]


def test_reports_do_not_speak_of_sides_where_no_head_points(articles, tiny_encoder, tmp_path):
    scheme = Scheme((DEFAULT_SCHEME["stance"],))
    model, tokenizer = new_model(str(tiny_encoder), scheme=scheme, max_tokens=128, overlap=32)
    system = System("tiny", scheme, Predictor(model, tokenizer, precision="fp32"))
    report = evaluate(system, articles[:4], articles[4:])
    assert list(report.probes) == ["sentence_alone"]
    write_report(report, tmp_path / "r")
    for text in texts(tmp_path / "r"):
        assert "a model that reads the context should lose something" in text
        spoken = [line for line in text.splitlines() if re.search(r"(?i)\bsides?\b", line)]
        # what remains is in the articles, or about the exchange of names, which is fair or not to any label
        assert [line for line in spoken if "Both sides accused" not in line and "exchange" not in line] == []
        assert "no label should change" in text


def test_both_reports_say_what_probes_change_where_nobody_judged_the_side(articles, tiny_model, tmp_path):
    unjudged = [replace(item, labels={**item.labels, "side": (None,) * len(item.labels["side"])}) for item in articles]
    system = System("tiny", DEFAULT_SCHEME, Predictor.load(str(tiny_model), "fp32"))
    report = evaluate(system, unjudged[:4], unjudged[4:])
    assert list(report.heads) == ["stance"]
    write_report(report, tmp_path / "r")
    for text in texts(tmp_path / "r"):
        assert "A model that reads the sides should lose much without them" in text
        assert "Labels that followed: of the sentences first given to a side" in text
        assert "every label should follow" in text
    page = (tmp_path / "r" / "report.html").read_text()
    table = page.partition('<h2 id="reads">')[2].partition("</table>")[0]
    assert {len(re.findall("<t[hd]", row)) for row in table.split("<tr>")[1:]} == {4}
    assert re.search(r"\| sides removed \| stance \| .* \| \d+\.\d % .*\|", (tmp_path / "r" / "report.md").read_text())


def test_a_label_that_begins_with_an_underscore_is_in_the_legend():
    curve = {"recall": [0.0, 1.0], "precision": [1.0, 0.5], "average_precision": {"value": 0.75}}
    drawn = precision_recall({"calm": curve, "_angry": curve}, "a title")
    assert "calm (0.75)" in drawn
    assert "_angry (0.75)" in drawn


@pytest.mark.parametrize(
    ("text", "escaped"),
    [("# No heading", "\\# No"), ("## Nor", "\\## Nor"), ("- no item", "\\- no"), ("12. Nor this", "12\\. Nor"),
     ("~~not struck~~", "\\~\\~not"), ("-1 is not", "-1 is"), ("2.5 metres", "2.5 met")],
)  # fmt: skip
def test_a_sentence_stays_a_sentence_in_markdown(text, escaped):
    assert str(cell(text)).startswith(escaped)


def test_files_and_their_escapes(articles, tmp_path):
    text = "<script>alert(1)</script> & `code` | pipe"
    item = articles[0]
    sentence = item.article.sentences[0]
    object.__setattr__(sentence, "text", text)
    report = evaluate(System("<b>it</b>", DEFAULT_SCHEME), articles, [], constant(articles))
    write_report(report, tmp_path / "r")
    assert sorted(path.name for path in (tmp_path / "r").iterdir()) == [
        "predictions.jsonl", "report.html", "report.json", "report.md",
    ]  # fmt: skip
    page = (tmp_path / "r/report.html").read_text()
    assert "<script>" not in page
    assert "<b>it</b>" not in page
    assert "&lt;script&gt;alert(1)" in page
    for outside in ("http://", "https://", "src="):
        assert outside not in page.replace("http://www.w3.org", "")
    lines = (tmp_path / "r/report.md").read_text()
    assert "<script>" not in lines
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; \\`code\\` \\| pipe" in lines
