"""A `Report` as files: report.json, report.md, report.html and predictions.jsonl, in one folder."""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

from ...model.errors import InputError
from ...model.files.templates import environment
from ...model.files.writing import check_parent, print_rows, replacing, write_text
from ...model.labels import Scheme
from . import plots
from .bootstrap import SMALL_ARTICLES, SMALL_SENTENCES, SMALL_SIDE
from .evaluate import Report
from .metrics import UNANSWERED, WRONG_SIDE
from .predictions import prediction_rows

JSON_FILE, PREDICTIONS_FILE = "report.json", "predictions.jsonl"

_BEGINS_BLOCK = re.compile(r"^(\d*)(#+|[+-]|(?<=\d)[.)])(?=\s|$)")
"""What at the beginning of a line makes a heading or a list of it."""
_SMALL = {"sentences": SMALL_SENTENCES, "articles": SMALL_ARTICLES, "side_sentences": SMALL_SIDE}
_TITLES = {
    "majority": "majority",
    "tfidf": "TF-IDF + logistic regression",
    "rules": "cue-word rules",
    "macro_f1": "macro-F1",
    "micro_f1": "micro-F1",
    "balanced_accuracy": "balanced accuracy",
    "mcc": "Matthews correlation",
    "kappa": "Cohen's kappa",
    "still_wrong": "still wrong",
}


def check_folder(path: Path, force: bool) -> None:
    """Raise `InputError` unless `path` can become a folder of results: new, or an old one and `force` is
    given."""
    if path.exists() and not path.is_dir():
        raise InputError(f"{path}: is a file; give a folder")
    if path.is_dir() and any(path.iterdir()) and not force:
        raise InputError(f"{path}: exists already; give --force to replace what is in it")
    check_parent(path)


def write_report(report: Report, folder: Path) -> None:
    """Write all forms of the report into `folder`; an old report.json goes first and the new one comes last,
    so where it is the rest is whole and belongs to it."""
    content = report.to_dict()
    folder.mkdir(exist_ok=True)
    (folder / JSON_FILE).unlink(missing_ok=True)
    with replacing(folder / PREDICTIONS_FILE) as partial, partial.open("w", encoding="utf-8") as file:
        print_rows(prediction_rows(report.articles, report.answers, Scheme.from_dict(report.scheme)), file)
    write_text(folder / "report.md", render("report.md.j2", content))
    write_text(folder / "report.html", render("report.html.j2", content | _page(content)))
    write_text(folder / JSON_FILE, json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def _page(content: Mapping[str, Any]) -> dict[str, Any]:
    """What the page needs besides the report: plots by kind and head, and the best baseline of each head."""
    heads: Mapping[str, Any] = content["heads"]
    bars = {
        head: [(content["system"], figures["macro_f1"])]
        + [(title_of(name), by[head]["macro_f1"]) for name, by in content["baselines"].items() if head in by]
        for head, figures in heads.items()
    }
    conflicts = {
        head: [("all", figures["macro_f1"])]
        + [(f"{name}{'*' * row['small']}", row["macro_f1"]) for name, row in figures["by_conflict"].items()]
        for head, figures in heads.items()
    }
    return {
        "best": {head: _best(head, content["baselines"]) for head in heads},
        "plots": {
            "bars": {head: plots.intervals(rows, "macro-F1", f"{head}: macro-F1") for head, rows in bars.items()},
            "conflicts": {
                head: plots.intervals(rows, "macro-F1", f"{head}: macro-F1 by conflict")
                for head, rows in conflicts.items()
            },
            "reliability": {
                head: plots.reliability(row["calibration"]["bins"], f"{head}: reliability")
                for head, row in heads.items()
                if row["calibration"]
            },
            "risk": {
                head: plots.risk_coverage(row["risk_coverage"], f"{head}: risk and coverage")
                for head, row in heads.items()
                if row["risk_coverage"]
            },
            "curves": {
                head: plots.precision_recall(row["precision_recall"], f"{head}: precision and recall")
                for head, row in heads.items()
                if row["precision_recall"]
            },
        },
    }


def _best(head: str, baselines: Mapping[str, Any]) -> str | None:
    """The baseline with the highest macro-F1."""
    values = {name: by[head]["macro_f1"]["value"] for name, by in baselines.items() if head in by}
    return max(values, key=values.__getitem__, default=None)


def render(template: str, content: Mapping[str, Any]) -> str:
    """A template of this package filled with `content`; whatever comes from data is escaped."""
    templates = environment(Path(__file__).parent / "templates")
    templates.filters |= {"fig": fig, "num": num, "signed": signed, "pct": percent, "cell": cell}
    templates.filters |= {"title_of": title_of, "confusion_title": confusion_title, "p_value": p_value}
    templates.globals |= {"num": num, "pct": percent, "signed": signed, "verdict": verdict, "small": _SMALL}
    return templates.get_template(template).render(content)


def num(value: float | None) -> str:
    """Three decimals, a dash for what is not defined."""
    return "–" if value is None else f"{value:.3f}"


def signed(value: float | None) -> str:
    """Three decimals with the sign, for a change."""
    return "–" if value is None else f"{value:+.3f}".replace("-", "−")


def percent(value: float | None) -> str:
    """A share in percent."""
    return "–" if value is None else f"{100 * value:.1f} %"


def fig(figure: Mapping[str, float | None], show: Callable[[float | None], str] = num) -> str:
    """A figure with its interval: "0.712 (0.655 to 0.764)"."""
    if figure["low"] is None:
        return show(figure["value"])
    return f"{show(figure['value'])} ({show(figure['low'])} to {show(figure['high'])})"


def p_value(p: float) -> str:
    """A p-value after the letter: "= 0.0312", or "< 0.0001" where four decimals would show nothing."""
    return "< 0.0001" if p < 0.0001 else f"= {p:.4f}"


def verdict(difference: Mapping[str, float | None], name: str) -> str:
    """What an interval of a difference says of the system called `name`."""
    low, high = difference["low"], difference["high"]
    if low is not None and low > 0:
        return f"{name} is better"
    return f"{name} is worse" if high is not None and high < 0 else "no clear difference"


def cell(text: object) -> Markup:
    """Text for a cell or a line of Markdown: on one line, with nothing that Markdown or HTML would act on."""
    line = " ".join(str(text).split())
    for mark in "\\`*_|[]~":
        line = line.replace(mark, f"\\{mark}")
    line = _BEGINS_BLOCK.sub(r"\1\\\2", line)
    safe = str(escape(line)).replace("&#34;", '"').replace("&#39;", "'")
    return Markup(safe)


def confusion_title(group: Mapping[str, Any]) -> str:
    """What a reader calls a confusion of pooled labels."""
    if group["predicted"] == WRONG_SIDE:
        return "one side taken for another"
    if group["predicted"] == UNANSWERED:
        return f"{group['gold']} left without a label"
    return f"{group['gold']} taken for {group['predicted']}"


def title_of(name: str) -> str:
    """What a reader calls a baseline or a figure."""
    return _TITLES.get(name, name)
