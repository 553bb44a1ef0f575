"""Gates on a report's figures."""

import re
from dataclasses import replace

import pytest
from systems import constant, perfect, relabelled
from whosays.model.errors import InputError, WorkError
from whosays.model.labels import DEFAULT_SCHEME, Head, Scheme
from whosays.model.predictor import Predictor
from whosays.training.evaluation.evaluate import System, evaluate
from whosays.training.evaluation.gates import check_gates, check_names, figure_named, parse_gates
from whosays.training.evaluation.judged import Answer

SYSTEM = System("it", DEFAULT_SCHEME)


@pytest.fixture
def content(articles):
    return evaluate(SYSTEM, articles, [], perfect(articles)).to_dict()


def test_gates_in_words_and_their_verdicts(content):
    assert parse_gates(["side.macro_f1=0.8"]) == {"side.macro_f1": 0.8}
    assert figure_named(content, "side.by_class.none.f1.low") == 1
    assert figure_named(content, "joint.accuracy") == 1
    check_gates(content, {"side.macro_f1": 1.0})
    with pytest.raises(WorkError, match=re.escape("side.macro_f1 is 1.0000, below 1.5")):
        check_gates(content, {"side.macro_f1": 1.5})
    for name in ("nothing.f1", "side", "side.by_class.none"):
        with pytest.raises(InputError):
            figure_named(content, name)
    content["heads"]["side"]["kappa"]["value"] = None
    with pytest.raises(WorkError, match=re.escape("side.kappa is not defined")):
        check_gates(content, {"side.kappa": -1.0})
    for option in ("side.macro_f1", "=1", "side.macro_f1=high", "side.macro_f1=nan", "side.macro_f1=inf"):
        with pytest.raises(InputError, match="FIGURE=NUMBER"):
            parse_gates([option])
    with pytest.raises(InputError, match="has a gate already"):
        parse_gates(["joint.accuracy=0.8", "joint.accuracy=0.9"])


def numbers(value, path=""):
    """The dotted keys of all numbers that can be named: those that stand in no list."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from numbers(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield path


def test_every_number_of_a_models_report_can_gate_and_is_known_beforehand(articles, tiny_model):
    system = System("tiny", DEFAULT_SCHEME, Predictor.load(str(tiny_model), "fp32"))
    content = evaluate(system, articles[:4], articles).to_dict()
    del content["bootstrap"]
    names = dict.fromkeys(numbers(content), 0.0)
    assert len(names) > 200
    check_names(names, system, articles[:4], articles)
    for name in names:
        assert isinstance(figure_named(content, name), float)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("side.macrof1", "at 'macrof1'"),
        ("sides.macro_f1", "it has: side, stance"),
        ("side.by_class.nobody.f1", "at 'nobody'"),
        ("side.by_conflict.elsewhere.macro_f1", "at 'elsewhere'"),
        ("baselines.tfidf.side.lead", "at 'tfidf'); it has: rules"),  # there is nothing to learn from
        ("name_swap.any", None),  # null without a model: not defined, and so not reached
        ("slices", "at 'slices'"),
        ("side.by_class", "is not a figure"),
    ],
)
def test_a_name_that_the_report_will_not_have_is_refused(articles, name, message):
    if message is None:
        check_names({name: 0.1}, SYSTEM, articles, [], perfect(articles))
        return
    with pytest.raises(InputError, match=re.escape(message)):
        check_names({name: 0.1}, SYSTEM, articles, [], perfect(articles))


def test_a_head_without_answers_cannot_gate(articles):
    given = [[Answer({"side": answer.labels["side"]}, {}, {}) for answer in rows] for rows in constant(articles)]
    check_names({"side.accuracy": 0.1, "side.calibration.ece": 0.1}, SYSTEM, articles, [], given)
    with pytest.raises(InputError, match=re.escape("no figure 'stance.accuracy'")):
        check_names({"stance.accuracy": 0.1}, SYSTEM, articles, [], given)


def test_a_head_that_the_rules_do_not_know_is_no_figure_of_theirs(articles):
    scheme = Scheme((DEFAULT_SCHEME["side"], Head("frame", ("war", "peace"))))
    items = [replace(item, labels=item.labels | {"frame": ("war",) * 5}) for item in articles]
    system = System("it", scheme)
    check_names({"baselines.rules.side.macro_f1": 0.1, "baselines.tfidf.frame.lead": 0.1}, system, items[:4], items)
    with pytest.raises(InputError, match=re.escape("no figure 'baselines.rules.frame.macro_f1'")):
        check_names({"baselines.rules.frame.macro_f1": 0.1}, system, items[:4], items)


def test_a_probe_that_is_not_made_is_no_figure(articles, tiny_model):
    system = System("it", Scheme((DEFAULT_SCHEME["stance"],)), Predictor.load(str(tiny_model), "fp32"))
    check_names({"probes.sentence_alone.heads.stance.change": -0.1}, system, articles, [])
    with pytest.raises(InputError, match=re.escape("at 'sides_removed'); it has: sentence_alone")):
        check_names({"probes.sides_removed.heads.stance.change": -0.1}, system, articles, [])


def test_a_side_that_is_never_gold_is_no_figure_before_a_system_gives_it(articles):
    gates = {"side.by_conflict.strait.by_voice.southland.given": 0.0}
    items = [replace(item, labels=item.labels | {"side": ("none",) * 5}) for item in articles]
    with pytest.raises(InputError, match="at 'southland'"):
        check_names(gates, SYSTEM, items, [])
    check_names(gates, SYSTEM, items, [], relabelled(items, "side", lambda a, n, label: "southland"))


def test_a_figure_in_a_part_that_is_not_defined_is_not_reached(articles):
    given = [[Answer(answer.labels, {}, {}) for answer in rows] for rows in perfect(articles)]
    content = evaluate(SYSTEM, articles, [], given).to_dict()
    with pytest.raises(WorkError, match=re.escape("side.calibration.ece is not defined on these data")):
        check_gates(content, {"side.calibration.ece": 0.0})
