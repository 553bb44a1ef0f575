"""What an output row holds: a sentence or an article, its columns and their types."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import pyarrow as pa

from ..errors import InputError
from ..predictor import Job, Prediction

Row = dict[str, Any]
By = Literal["sentence", "article"]
CONFLICT = "conflict"

_COUNTS, _CHANCES = pa.map_(pa.string(), pa.int64()), pa.map_(pa.string(), pa.float64())
_SENTENCE = {
    "article_id": pa.string(),
    "index": pa.int32(),
    "start": pa.int64(),
    "end": pa.int64(),
    "text": pa.string(),
}
_EVIDENCE = {"evidence": pa.string(), "evidence_start": pa.int64(), "evidence_end": pa.int64(), "truncated": pa.bool_()}


@dataclass(frozen=True)
class Layout:
    """Which rows and columns go out.

    `by` is "sentence" or "article"; `probabilities` adds every class's probability; `keep` names columns of the
    input that follow in each row ("conflict" is the name of the conflict that was used). Raises `InputError` if
    `by` is neither or a kept column is one of the output's own.
    """

    by: By = "sentence"
    probabilities: bool = False
    keep: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.by not in get_args(By):
            raise InputError(f"by '{self.by}': use {' or '.join(get_args(By))}")
        if len(set(self.keep)) < len(self.keep):
            raise InputError(f"columns to keep: {', '.join(self.keep)}: give each once")

    def schema(self, heads: Sequence[str]) -> pa.Schema:
        """The columns in order with their types, for a model with these heads; the same whatever the conflict.

        What belongs to classes is a map, because these differ between conflicts. A kept column is text.
        """
        columns: dict[str, pa.DataType] = {}
        if self.by == "article":
            columns |= {"article_id": pa.string(), "sentences": pa.int64()}
            for head in heads:
                columns |= {f"{head}_counts": _COUNTS, f"{head}_shares": _CHANCES}
        else:
            columns |= _SENTENCE
            for head in heads:
                columns |= {head: pa.string(), f"{head}_score": pa.float64()}
            columns |= _EVIDENCE
        if self.probabilities:
            for head in heads:
                columns[f"{head}_probabilities"] = _CHANCES
                if self.by == "sentence":
                    columns[f"{head}_margin"] = pa.float64()
        for name in self.keep:
            if name in columns:
                raise InputError(
                    f"column '{name}' to keep: the output has a column of that name; rename it in the input"
                )
        return pa.schema([*columns.items(), *((name, pa.string()) for name in self.keep)])

    def rows(self, job: Job, predictions: Sequence[Prediction]) -> list[Row]:
        """The rows of one labelled article."""
        kept = {name: kept_value(job, name) for name in self.keep}
        if self.by == "article":
            return [article_row(predictions, self.probabilities) | kept]
        return [prediction.row(self.probabilities) | kept for prediction in predictions]


SENTENCES = Layout()


def kept_value(job: Job, column: str) -> Any:
    """The value of an input's column for an article, None if its row had none; "conflict" is the one used."""
    article, conflict = job
    return conflict.name if column == CONFLICT else article.extra.get(column)


def has_mentions(job: Job, predictions: Sequence[Prediction]) -> bool:
    """Whether a side can be the voice of any sentence: one that no window mentions has a probability of 0."""
    keys = job[1].keys
    pointing = [head for head, classes in predictions[0].probabilities.items() if keys[0] in classes]
    return not pointing or any(
        row.probabilities[head][key] > 0 for row in predictions for head in pointing for key in keys
    )


def article_row(predictions: Sequence[Prediction], probabilities: bool = False) -> Row:
    """One row for the sentences of an article: for each head, how many have each class, and their share of all.

    Every class of the conflict is there, with 0 if no sentence has it. Sentences whose label was left empty count
    in `sentences` only. With `probabilities`, each class's mean probability too.
    """
    total = len(predictions)
    row: Row = {"article_id": predictions[0].article_id, "sentences": total}
    chances: dict[str, Mapping[str, float]] = {}
    for head, classes in predictions[0].probabilities.items():
        found = Counter(prediction.labels[head] for prediction in predictions)
        row[f"{head}_counts"] = {name: found[name] for name in classes}
        row[f"{head}_shares"] = {name: found[name] / total for name in classes}
        if probabilities:
            chances[f"{head}_probabilities"] = {
                name: sum(prediction.probabilities[head][name] for prediction in predictions) / total
                for name in classes
            }
    return row | chances
