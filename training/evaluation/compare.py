"""Two reports on the same gold data: is one system better, and which sentences flipped?"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import binomtest

from ...model.errors import InputError
from ...model.files.reading import Reject, read_json_lines
from ...model.files.writing import write_text
from ...model.labels import Head, Scheme
from . import plots
from .bootstrap import CONFIDENCE, RESAMPLES, SEED, article_weights
from .evaluate import SCHEMA
from .judged import MISSING, Judged
from .metrics import pooled_labels
from .report import JSON_FILE, PREDICTIONS_FILE, render, title_of
from .summary import paired_difference, summary

COMPARISON_FILE = "comparison.json"
COMPARISON_SCHEMA = "whosays-comparison/2"
SHOWN_AT_ONCE = 20
"""Sentences of a move that the page shows unfolded."""
SUMMARY_MOVES, SUMMARY_SENTENCES = 8, 3
"""The commonest moves whose sentences, and how many of each, are in the text for a terminal; the files have all. A page
prints the sentences of as many moves."""
FIGURES = ("macro_f1", "accuracy", "balanced_accuracy", "micro_f1", "mcc", "kappa")


@dataclass(frozen=True)
class Scored:
    """A report that was written: its JSON content and its predictions, a row a sentence."""

    path: Path
    content: Mapping[str, Any]
    rows: Sequence[Mapping[str, Any]]


def load_scored(path: Path) -> Scored:
    """The report in a folder, which its report.json can stand for. Raises `InputError` if there is none of this
    version, or its predictions are not those that it is about."""
    folder = path.parent if path.name == JSON_FILE else path
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
        belongs = _belongs(content, rows) and bool(Scheme.from_dict(content["scheme"]))
    except (KeyError, TypeError, InputError):
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

    Raises `InputError` unless both reports have a head in common, the same labels for it, and for these heads the same
    sentences with the same gold labels.
    """
    shared = [head for head in first.content["heads"] if head in second.content["heads"]]
    if not shared:
        raise InputError(f"{first.path} and {second.path} have no head in common; compare systems that label the same")
    scheme, other = (Scheme.from_dict(scored.content["scheme"]) for scored in (first, second))
    for name in shared:
        if apart := sorted(set(scheme[name].labels) ^ set(other[name].labels)):
            raise InputError(
                f"{first.path} and {second.path}: only one of them has {', '.join(apart)} among the labels of '{name}'"
            )
        if scheme[name].points != other[name].points:
            raise InputError(f"{first.path} and {second.path}: '{name}' points at sides in only one of them")
    # Not the reports' hashes of their gold: these are over all heads of a system, and one may have more.
    same = ["text", "conflict", *(f"{head}_gold" for head in shared)]
    one, two = ({(row["article_id"], row["index"]): row for row in scored.rows} for scored in (first, second))
    differ = sum(
        place not in one or place not in two or any(one[place][name] != two[place][name] for name in same)
        for place in one.keys() | two.keys()
    )
    if differ:
        raise InputError(
            f"{first.path} and {second.path} are on different gold data ({len(one)} and {len(two)} sentences, "
            f"{differ} of them not the same in both); evaluate both on the same files"
        )
    aligned = [two[place] for place in one]
    weights = article_weights(len({row["article_id"] for row in first.rows}))
    return {
        "schema": COMPARISON_SCHEMA,
        "systems": list(names_apart(first, second)),
        "data": first.content["data"],
        "bootstrap": {"resamples": RESAMPLES, "seed": SEED, "confidence": CONFIDENCE, "unit": "article"},
        "heads": {name: _head(scheme[name], first.rows, aligned, weights) for name in shared},
    }


def names_apart(first: Scored, second: Scored) -> tuple[str, str]:
    """The systems' names; where these are the same, with as much of each report's path as tells them apart."""
    names = first.content["system"], second.content["system"]
    if names[0] != names[1]:
        return names
    paths = first.path.resolve().parts, second.path.resolve().parts
    if paths[0] == paths[1]:
        return f"{names[0]} (first)", f"{names[1]} (second)"
    length = next(n for n in range(1, max(map(len, paths)) + 1) if paths[0][-n:] != paths[1][-n:])
    tails = ["/".join(parts[-length:]).replace("//", "/") for parts in paths]
    return f"{names[0]} ({tails[0]})", f"{names[1]} ({tails[1]})"


def _judged(head: Head, rows: Sequence[Mapping[str, Any]]) -> Judged:
    """The rows with gold; `sentences` counts in `rows`."""
    numbers = {id: n for n, id in enumerate(dict.fromkeys(row["article_id"] for row in rows))}
    kept = [n for n, row in enumerate(rows) if row[f"{head.name}_gold"] is not None]
    return Judged(
        head,
        gold=np.array([rows[n][f"{head.name}_gold"] for n in kept], dtype=object),
        predicted=np.array([rows[n][head.name] or MISSING for n in kept], dtype=object),
        conflicts=np.array([rows[n]["conflict"] for n in kept], dtype=object),
        articles=np.array([numbers[rows[n]["article_id"]] for n in kept], dtype=int),
        sentences=np.array(kept, dtype=int),
    )


def _head(
    head: Head, first_rows: Sequence[Mapping[str, Any]], second_rows: Sequence[Mapping[str, Any]], weights: np.ndarray
) -> dict[str, Any]:
    first, second = _judged(head, first_rows), _judged(head, second_rows)
    figures = summary(first, weights), summary(second, weights)
    difference = paired_difference(second, first, weights)
    return {
        "sentences": len(first),
        "macro_over": figures[0]["macro_over"],
        "figures": {
            name: {"first": figures[0][name], "second": figures[1][name], "difference": difference[name]}
            for name in FIGURES
        },
        "by_class": {
            label: {
                "first": row["f1"],
                "second": figures[1]["by_class"][label]["f1"],
                "difference": difference[f"{label}.f1"],
                "support": row["support"],
            }
            for label, row in figures[0]["by_class"].items()
        },
        "mcnemar": mcnemar(first.right, second.right),
        "flips": flips(first, second, first_rows, second_rows),
    }


def flips(
    first: Judged,
    second: Judged,
    first_rows: Sequence[Mapping[str, Any]],
    second_rows: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """The sentences whose label is another in the second system: how many became right or wrong, and by what move.

    A move is from one pooled label to another under one gold label; the commonest come first, and in each the
    sentences that the second system is surest of, or in order where it gives no scores.
    """
    gold, before = pooled_labels(first)
    after = pooled_labels(second)[1]
    effects = np.where(second.right, "fixed", np.where(first.right, "broken", "still_wrong"))
    moves: dict[tuple[str, str, str], list[int]] = {}
    for i in np.flatnonzero(first.predicted != second.predicted):
        moves.setdefault((gold[i], before[i], after[i]), []).append(int(i))
    flipped = [i for rows in moves.values() for i in rows]
    score = f"{first.head.name}_score"

    def sentence(i: int) -> dict[str, Any]:
        one, two = first_rows[first.sentences[i]], second_rows[second.sentences[i]]
        return {name: one[name] for name in ("article_id", "conflict", "index", "text")} | {
            "gold": str(first.gold[i]),
            "first": str(first.predicted[i]) or None,
            "first_score": one.get(score),
            "second": str(second.predicted[i]) or None,
            "second_score": two.get(score),
        }

    return {
        **{effect: sum(effects[i] == effect for i in flipped) for effect in ("fixed", "broken", "still_wrong")},
        "moves": [
            {
                "gold": names[0],
                "first": names[1],
                "second": names[2],
                "effect": str(effects[rows[0]]),
                "count": len(rows),
                "sentences": sorted(map(sentence, rows), key=lambda row: -(row["second_score"] or 0)),
            }
            for names, rows in sorted(moves.items(), key=lambda entry: (-len(entry[1]), entry[0]))
        ],
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


def summarise(content: Mapping[str, Any]) -> str:
    """A comparison as Markdown with the first sentences of the commonest moves, to read on a terminal."""
    return render("comparison.md.j2", {**content, "most_moves": SUMMARY_MOVES, "shown": SUMMARY_SENTENCES})


def write_comparison(content: Mapping[str, Any], folder: Path) -> None:
    """Write comparison.md, comparison.html and last comparison.json into `folder`, after an old
    comparison.json is gone."""
    folder.mkdir(exist_ok=True)
    (folder / COMPARISON_FILE).unlink(missing_ok=True)
    write_text(folder / "comparison.md", render("comparison.md.j2", {**content, "most_moves": None, "shown": None}))
    drawn = {
        head: plots.differences(
            [(title_of(name), values["difference"]) for name, values in row["figures"].items()]
            + [(f"F1 of {label}", values["difference"]) for label, values in row["by_class"].items()],
            "difference",
            f"{head}: differences",
        )
        for head, row in content["heads"].items()
    }
    page = {**content, "plots": drawn, "most_moves": SUMMARY_MOVES, "shown": SHOWN_AT_ONCE}
    write_text(folder / "comparison.html", render("comparison.html.j2", page))
    write_text(folder / COMPARISON_FILE, json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
