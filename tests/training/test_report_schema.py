"""REPORT.md and the files agree: every key is described, and every key described is there."""

import re
from pathlib import Path

import pytest
from systems import at_random
from whosays.model.checkpoint import model_sha256
from whosays.model.labels import DEFAULT_SCHEME
from whosays.model.predictor import Predictor
from whosays.training import evaluation
from whosays.training.evaluation.compare import compare, load_scored
from whosays.training.evaluation.evaluate import System, evaluate
from whosays.training.evaluation.report import write_report

DESCRIPTION = Path(evaluation.__file__).parent / "REPORT.md"
NAMED = {
    "heads": "HEAD", "scheme": "HEAD", "errors": "HEAD", "suspects": "HEAD", "labels": "HEAD", "baselines": "BASELINE",
    "BASELINE": "HEAD", "probes": "PROBE", "by_conflict": "CONFLICT", "conflicts": "CONFLICT", "by_class": "LABEL",
    "by_voice": "LABEL", "precision_recall": "LABEL", "figures": "FIGURE",
}  # fmt: skip
"""What stands in the description for the keys under a key."""


def described(title: str) -> set[str]:
    """The keys under a heading, the groups written out."""
    text = DESCRIPTION.read_text()
    sections = {
        heading.split(",")[0]: set(re.findall(r"`([^`]+)`", "\n".join(re.findall(r"^\| (`.*?) \| ", body, re.M))))
        for heading, body in re.findall(r"^#{2,3} (.+?)\n(.*?)(?=^#|\Z)", text, re.M | re.S)
    }

    def written_out(key: str) -> set[str]:
        rest, _, last = key.rpartition(".")
        if last not in sections:
            return {key}
        return {f"{rest}.{inner}" for inner_key in sections[last] for inner in written_out(inner_key)}

    return {path for key in sections[title] for path in written_out(key)}


def keys(value: object, path: str = "") -> set[str]:
    """The paths of a file's values, in the description's words; a figure is one value."""
    if isinstance(value, dict) and value and set(value) != {"value", "low", "high"}:
        name = NAMED.get(path.removesuffix("[]").rpartition(".")[2])
        return {
            found for key, inner in value.items() for found in keys(inner, f"{path}.{name or key}" if path else key)
        }
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return {found for inner in value for found in keys(inner, f"{path}[]")}
    return {path}


@pytest.fixture
def reports(articles, tiny_model, tmp_path):
    """Two report folders, the first of a model."""
    for n, item in enumerate(articles):
        item.article.extra["outlet"] = f"outlet {n}"
    model = System("tiny", DEFAULT_SCHEME, Predictor.load(str(tiny_model), "fp32"), model_sha256(str(tiny_model)))
    first = evaluate(model, articles, articles[:2])
    write_report(first, tmp_path / "first")
    write_report(evaluate(System("random", DEFAULT_SCHEME), articles, [], at_random(articles)), tmp_path / "second")
    return tmp_path / "first", tmp_path / "second"


def test_report_json(reports, tiny_model):
    content = load_scored(reports[0]).content
    assert content["model_sha256"] == model_sha256(str(tiny_model))
    assert load_scored(reports[1]).content["model_sha256"] is None
    # a model that hears no names gives no example of bias
    content["name_swap"]["examples"] = [
        {"article_id": "", "index": 0, "text": "", "swapped": "", "labels": {"side": []}}
    ]
    absent = {"probes.PROBE.followed", "heads.HEAD.between_sides"}  # null for the sentences alone, and for the stance
    assert keys(content) - absent == described("report.json")


def test_comparison_json(reports):
    assert keys(compare(*map(load_scored, reports))) == described("comparison.json")


def test_predictions_jsonl(reports):
    row = load_scored(reports[0]).rows[0]
    text = DESCRIPTION.read_text().partition("## predictions.jsonl")[2].partition("##")[0]
    named = set(re.findall(r"`([a-z_{}]+)`", text))
    heads = DEFAULT_SCHEME.names
    assert set(row) == {key.replace("{head}", head) for key in named for head in heads}
