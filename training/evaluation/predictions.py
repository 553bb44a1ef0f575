"""Predictions files: any system's answers in our row format, and the gold labels beside them.

A row a sentence: `article_id`, `index` (from 0), and a label a head under the head's name, null where the
system gives none. Optional are `{head}_score`, `{head}_probabilities`, `evidence`, and `text`, which is then
compared.
"""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ...model.article import is_utf8
from ...model.errors import InputError
from ...model.files.reading import Reject, read_json_lines
from ...model.labels import Head, Scheme
from ..corpus import LabelledArticle
from .judged import Answer, Answers

READABLE = (".jsonl", ".csv", ".parquet")


def prediction_rows(articles: Sequence[LabelledArticle], answers: Answers, scheme: Scheme) -> Iterator[dict[str, Any]]:
    """A row a sentence, with `conflict` and each head's `{head}_gold`; `read_predictions` reads them."""
    for item, rows in zip(articles, answers, strict=True):
        for n, (sentence, answer) in enumerate(zip(item.article.sentences, rows, strict=True)):
            row: dict[str, Any] = {
                "article_id": item.article.id,
                "conflict": item.conflict.name,
                "index": n,
                "text": sentence.text,
            }
            for head in scheme.names:
                row |= {
                    head: answer.labels.get(head),
                    f"{head}_gold": item.labels[head][n],
                    f"{head}_score": answer.scores.get(head),
                    f"{head}_probabilities": answer.probabilities.get(head),
                }
            yield row | {"evidence": answer.evidence}


def read_predictions(path: Path, articles: Sequence[LabelledArticle], scheme: Scheme) -> Answers:
    """The answers in a predictions file, or in a folder of parts that `whosays predict` wrote, for every sentence of
    `articles`; rows of other articles are passed over, and so is a head for which no row has a label.

    Raises `InputError` with file, row and fix where a row is missing, given twice, for a sentence that is not
    there or is another, or has a label, score or probability that cannot be.
    """
    files = _files(path)
    wanted = {item.article.id: item for item in articles}
    found: dict[tuple[str, int], Answer] = {}
    for where, row in ((f"{file}, row {number}", row) for file in files for number, row in _rows(file)):
        place = _place(row, wanted, where)
        if place is None:
            continue
        if place in found:
            raise InputError(f"{where}: article '{place[0]}', index {place[1]} is given twice; keep one")
        item = wanted[place[0]]
        found[place] = Answer(
            {head.name: _label(row, head, item, where) for head in scheme.heads},
            {head.name: value for head in scheme.heads if (value := _score(row, head, where)) is not None},
            {head.name: value for head in scheme.heads if (value := _chances(row, head, item, where)) is not None},
            _evidence(row, where),
        )
    places = [(item.article.id, n) for item in articles for n in range(len(item.article.sentences))]
    missing = [place for place in places if place not in found]
    if missing:
        raise InputError(
            f"{path}: no row for article '{missing[0][0]}', index {missing[0][1]} ({len(missing)} missing); "
            "give every sentence of the gold a row, with null where the system has no label"
        )
    given = {head for answer in found.values() for head, label in answer.labels.items() if label is not None}
    return [[found[item.article.id, n].only(given) for n in range(len(item.article.sentences))] for item in articles]


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        parts = sorted(file for file in path.rglob("part-*") if file.suffix in READABLE)
        if not parts:
            raise InputError(f"{path}: is a folder without parts that `whosays predict` wrote; give a file")
        return parts
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    if path.suffix not in READABLE:
        raise InputError(f"{path}: unknown kind of file; give {', '.join(READABLE)}")
    return [path]


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """(row number from 1, or the line in JSONL; row)."""
    if path.suffix == ".jsonl":
        for number, row in read_json_lines(str(path)):
            if isinstance(row, Reject):
                raise InputError(str(row))
            yield number, row
        return
    try:
        if path.suffix == ".csv":
            with path.open(encoding="utf-8-sig", newline="") as file:
                yield from enumerate(csv.DictReader(file), 1)
        else:
            yield from enumerate(pq.read_table(path).to_pylist(), 1)
    except (csv.Error, UnicodeDecodeError, pa.ArrowException, OSError) as error:
        raise InputError(f"{path}: cannot be read: {str(error).splitlines()[0]}") from None


def _place(row: Mapping[str, Any], wanted: Mapping[str, LabelledArticle], where: str) -> tuple[str, int] | None:
    """The sentence that a row is for; None if its article is not among those wanted."""
    if row.get("article_id") in (None, "") or row.get("index") in (None, ""):
        raise InputError(f"{where}: needs 'article_id' and 'index'")
    id = str(row["article_id"])
    if id not in wanted:
        return None
    sentences = wanted[id].article.sentences
    index = _whole(row["index"])
    if index is None:
        raise InputError(f"{where}: index must be a whole number, got {row['index']!r:.60}")
    if not 0 <= index < len(sentences):
        raise InputError(f"{where}: article '{id}' has sentences 0 to {len(sentences) - 1}, got index {index}")
    text = row.get("text")
    if text and " ".join(str(text).split()) != " ".join(sentences[index].text.split()):
        raise InputError(
            f"{where}: the text differs from sentence {index} of article '{id}'; label the gold's sentences"
        )
    return id, index


def _evidence(row: Mapping[str, Any], where: str) -> str | None:
    value = row.get("evidence")
    if value in (None, "") or value != value:  # a table's missing cell may be the number that equals nothing
        return None
    if not isinstance(value, str) or not is_utf8(value):
        raise InputError(f"{where}: evidence must be text or null, got {row['evidence']!r:.60}")
    return value


def _whole(value: Any) -> int | None:
    """The whole number that a cell holds, as a number (3 or 3.0) or as text; None if it holds none."""
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if isinstance(value, str) or number == value else None


def _label(row: Mapping[str, Any], head: Head, item: LabelledArticle, where: str) -> str | None:
    label = row.get(head.name) or None
    classes = head.classes(item.conflict.keys)
    if label is not None and label not in classes:
        raise InputError(f"{where}: {head.name} {label!r:.60} is unknown; use {', '.join(classes)}, or null")
    return label


def _score(row: Mapping[str, Any], head: Head, where: str) -> float | None:
    value = row.get(f"{head.name}_score")
    return None if value in (None, "") else _chance(value, f"{where}: {head.name}_score")


def _chances(row: Mapping[str, Any], head: Head, item: LabelledArticle, where: str) -> dict[str, float] | None:
    """Every class's probability; JSON text in a CSV cell, pairs in Parquet."""
    value = row.get(f"{head.name}_probabilities")
    if value in (None, ""):
        return None
    field = f"{where}: {head.name}_probabilities"
    try:
        pairs = dict(json.loads(value) if isinstance(value, str) else value)
    except (TypeError, ValueError):
        raise InputError(f"{field}: must map labels to probabilities, got {value!r:.60}") from None
    # A table of several conflicts has a column a class, empty where the conflict has no such side.
    given = {name: chance for name, chance in pairs.items() if chance is not None}
    classes = head.classes(item.conflict.keys)
    unknown = sorted(set(map(str, given)) - set(classes))
    if unknown:
        raise InputError(f"{field}: '{unknown[0]}' is unknown; use: {', '.join(classes)}")
    return {name: _chance(given.get(name, 0.0), field) for name in classes}


def _chance(value: Any, field: str) -> float:
    try:
        chance = float(value)
    except (TypeError, ValueError):
        chance = -1.0
    if not 0 <= chance <= 1:
        raise InputError(f"{field}: must be a probability from 0 to 1, got {value!r:.60}")
    return chance
