"""Two reports on the same gold data: is one system better, and which sentences flipped?"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import binomtest

from ...model.errors import InputError
from ...model.formats import Reject, read_json_lines
from ...model.labels import Head, Scheme
from .bootstrap import CONFIDENCE, RESAMPLES, SEED, article_weights
from .evaluate import SCHEMA
from .judged import MISSING, Judged
from .metrics import paired_difference, summary
from .report import JSON_FILE, PREDICTIONS_FILE, render, write_text

COMPARISON_FILE = "comparison.json"
COMPARISON_SCHEMA = "whosays-comparison/1"
FIGURES = ("macro_f1", "accuracy", "balanced_accuracy", "micro_f1", "mcc", "kappa")


@dataclass(frozen=True)
class Scored:
    """A report that was written: its JSON content and its predictions, a row a sentence."""

    path: Path
    content: Mapping[str, Any]
    rows: Sequence[Mapping[str, Any]]


def load_scored(path: Path) -> Scored:
    """The report in a folder, or beside its report.json. Raises `InputError` if there is none of this
    version, or its predictions are not those that it is about."""
    folder = path if path.is_dir() else path.parent
    file = folder / JSON_FILE
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except OSError:
        raise InputError(f"{path}: no report here; give a folder that `whosays evaluate --output` wrote") from None
    except ValueError as error:
        raise InputError(f"{file}: not valid JSON: {error}") from None
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        raise InputError(f"{file}: not a report of schema {SCHEMA}; evaluate again")
    if not (folder / PREDICTIONS_FILE).is_file():
        raise InputError(f"{folder}: has no {PREDICTIONS_FILE}, which the comparison needs; evaluate again")
    rows = []
    for _, row in read_json_lines(str(folder / PREDICTIONS_FILE)):
        if isinstance(row, Reject):
            raise InputError(str(row))
        rows.append(row)
    try:
        belongs = _belongs(content, rows)
    except (KeyError, TypeError):
        belongs = False
    if not belongs:
        raise InputError(f"{folder}: {PREDICTIONS_FILE} is not what {JSON_FILE} is about; evaluate again")
    return Scored(folder, content, rows)


def _belongs(content: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the rows are as many sentences and articles as the report says, each once and with a text and
    conflict, and each head has as many gold and right labels. `KeyError` or `TypeError` where something is missing."""
    places = {(row["article_id"], row["index"]) for row in rows if row["text"] and row["conflict"]}
    if not len(rows) == len(places) == content["data"]["sentences"]:
        return False
    if len({id for id, _ in places}) != content["data"]["articles"]:
        return False
    for head, figures in content["heads"].items():
        right = [row[head] == row[f"{head}_gold"] for row in rows if row[f"{head}_gold"] is not None]
        if len(right) != figures["sentences"] or not np.isclose(np.mean(right), figures["accuracy"]["value"]):
            return False
    return True


def compare(first: Scored, second: Scored) -> dict[str, Any]:
    """The content of comparison.json: differences are `second` less `first`, paired by sentence and by
    article.

    Raises `InputError` unless both reports are on the same sentences with the same gold labels.
    """
    data, other = first.content["data"], second.content["data"]
    if data["gold_sha256"] != other["gold_sha256"]:
        raise InputError(
            f"{first.path} and {second.path} are on different gold data ({data['sentences']} and {other['sentences']} "
            f"sentences, SHA-256 {data['gold_sha256'][:12]}… and {other['gold_sha256'][:12]}…); "
            "evaluate both on the same files"
        )
    scheme = Scheme.from_dict(first.content["scheme"])
    places = {(row["article_id"], row["index"]): row for row in second.rows}
    if places.keys() != {(row["article_id"], row["index"]) for row in first.rows}:
        raise InputError(f"{first.path} and {second.path}: the predictions are for different sentences; evaluate again")
    aligned = [places[row["article_id"], row["index"]] for row in first.rows]
    numbers = {id: n for n, id in enumerate(dict.fromkeys(row["article_id"] for row in first.rows))}
    weights = article_weights(len(numbers))
    return {
        "schema": COMPARISON_SCHEMA,
        "systems": [first.content["system"], second.content["system"]],
        "data": first.content["data"],
        "bootstrap": {"resamples": RESAMPLES, "seed": SEED, "confidence": CONFIDENCE, "unit": "article"},
        "heads": {
            head.name: _head(_judged(head, first.rows, numbers), _judged(head, aligned, numbers), first.rows, weights)
            for head in scheme.heads
            if head.name in first.content["heads"] and head.name in second.content["heads"]
        },
    }


def _judged(head: Head, rows: Sequence[Mapping[str, Any]], numbers: Mapping[str, int]) -> Judged:
    """The rows with gold; `sentences` counts in `rows`."""
    kept = [n for n, row in enumerate(rows) if row[f"{head.name}_gold"] is not None]
    return Judged(
        head,
        gold=np.array([rows[n][f"{head.name}_gold"] for n in kept], dtype=object),
        predicted=np.array([rows[n][head.name] or MISSING for n in kept], dtype=object),
        conflicts=np.array([rows[n]["conflict"] for n in kept], dtype=object),
        articles=np.array([numbers[rows[n]["article_id"]] for n in kept], dtype=int),
        sentences=np.array(kept, dtype=int),
    )


def _head(first: Judged, second: Judged, rows: Sequence[Mapping[str, Any]], weights: np.ndarray) -> dict[str, Any]:
    figures = summary(first, weights), summary(second, weights)
    difference = paired_difference(second, first, weights)
    flipped = np.flatnonzero(first.predicted != second.predicted)
    moves = Counter((str(first.gold[i]), str(first.predicted[i]), str(second.predicted[i])) for i in flipped)
    return {
        "sentences": len(first),
        "figures": {
            name: {"first": figures[0][name], "second": figures[1][name], "difference": difference[name]}
            for name in FIGURES
        },
        "by_class": {
            label: {"first": figures[0]["by_class"][label]["f1"], "second": row["f1"], "support": row["support"]}
            for label, row in figures[1]["by_class"].items()
        },
        "mcnemar": mcnemar(first.right, second.right),
        "flips": {
            "fixed": int((~first.right & second.right).sum()),
            "broken": int((first.right & ~second.right).sum()),
            "still_wrong": int((~first.right & ~second.right & (first.predicted != second.predicted)).sum()),
            "moves": [
                {"gold": gold, "first": before or None, "second": after or None, "count": count}
                for (gold, before, after), count in moves.most_common()
            ],
            "sentences": [
                {name: rows[first.sentences[i]][name] for name in ("article_id", "index", "text")}
                | {
                    "gold": str(first.gold[i]),
                    "first": str(first.predicted[i]) or None,
                    "second": str(second.predicted[i]) or None,
                }
                for i in flipped
            ],
        },
    }


def mcnemar(first: np.ndarray, second: np.ndarray) -> dict[str, Any]:
    """McNemar's exact test (1947) on which sentences each of two systems has right, bool [n] each.

    The p-value is two-sided binomial over the sentences that only one has right. It takes sentences as
    independent, which those of one article are not, so it leans to the small side; the paired bootstrap does
    not.
    """
    only_first, only_second = int((first & ~second).sum()), int((~first & second).sum())
    apart = only_first + only_second
    return {
        "both_right": int((first & second).sum()),
        "only_first_right": only_first,
        "only_second_right": only_second,
        "both_wrong": int((~first & ~second).sum()),
        "p": float(binomtest(only_first, apart).pvalue) if apart else 1.0,
    }


def write_comparison(content: Mapping[str, Any], folder: Path) -> None:
    """Write comparison.md, comparison.html and last comparison.json into `folder`, after an old
    comparison.json is gone."""
    folder.mkdir(exist_ok=True)
    (folder / COMPARISON_FILE).unlink(missing_ok=True)
    write_text(folder / "comparison.md", render("comparison.md.j2", content))
    write_text(folder / "comparison.html", render("comparison.html.j2", content))
    write_text(folder / COMPARISON_FILE, json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
