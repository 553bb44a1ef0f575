"""Labelled articles as the rows that training reads: a row a window, worded anew each epoch if the recipe says so."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from datasets import Dataset
from transformers import PreTrainedTokenizerBase
from transformers.trainer_pt_utils import get_length_grouped_indices

from ..model.errors import InputError
from ..model.network import SentenceLabeler
from ..model.windows import Tensors, Window, WindowMention, article_windows, collate
from .corpus import LabelledArticle
from .variety import Variety, varied

_MOST = 0.5
"""A sentence is left out of a window in which less than this share of its probability can be chosen."""


class EpochRows(torch.utils.data.Dataset):
    """The rows of one epoch; `set_epoch`, which the Trainer's loader calls, makes those of another.

    Its length is that of the articles as they came. An epoch whose wordings need more windows leaves the last ones
    out, one that needs fewer repeats the first.
    """

    def __init__(
        self,
        articles: Sequence[LabelledArticle],
        model: SentenceLabeler,
        tokenizer: PreTrainedTokenizerBase,
        variety: Variety,
        seed: int,
    ) -> None:
        self.articles, self.model, self.tokenizer = articles, model, tokenizer
        self.variety, self.seed = variety, seed
        self.rows = training_rows(articles, model, tokenizer)
        self.length = len(self.rows)
        self._epoch: int | None = None

    def set_epoch(self, epoch: int) -> None:
        """Word the articles as they are in `epoch` (from 0)."""
        if epoch == self._epoch:  # the Trainer sets it, and so does accelerate's loader whenever it is iterated
            return
        self._epoch = epoch
        if self.variety != Variety():
            heads = [head.name for head in self.model.scheme.heads if head.points]
            worded = [varied(item, self.variety, self.seed, epoch, n, heads) for n, item in enumerate(self.articles)]
            self.rows = training_rows(worded, self.model, self.tokenizer)

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> dict[str, Any]:
        if index >= self.length:  # which ends a loop over the rows
            raise IndexError(index)
        return self.rows[index % len(self.rows)]

    @property
    def lengths(self) -> list[int]:
        """Tokens of each row, as the present epoch words it."""
        found = [len(ids) for ids in self.rows["input_ids"]]
        return [found[index % len(found)] for index in range(self.length)]


class GroupedByLength(torch.utils.data.Sampler[int]):
    """Rows in random order, but those of a batch about equally long, so that little of it is padding.

    The Trainer's own sampler reads the lengths once, before the rows are worded anew, which moves them.
    """

    def __init__(self, rows: EpochRows, batch: int) -> None:
        self.rows, self.batch = rows, batch

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[int]:
        return iter(get_length_grouped_indices(self.rows.lengths, self.batch))


def training_rows(
    articles: Sequence[LabelledArticle], model: SentenceLabeler, tokenizer: PreTrainedTokenizerBase
) -> Dataset:
    """A row a window: its tensors' values, and for each head a slot's probability of every class.

    All are 0 where a sentence is context only, was not judged, or has a side that its window never mentions, which
    the pointer cannot choose; what a teacher gives such a side is shared out among the others. Windows without any
    label are left out.
    """
    config = model.config
    windows, _ = article_windows(
        [(item.article, item.conflict) for item in articles],
        tokenizer,
        max_tokens=config.max_tokens,
        overlap=config.overlap,
        anonymous=config.anonymous,
    )
    rows = []
    for window in windows:
        labels = _window_labels(window, articles[window.article], model)
        if any(any(chances) for slots in labels.values() for chances in slots):
            rows.append(_row(window, labels))
    if not rows:
        raise InputError("the training articles have no labels at all")
    return Dataset.from_list(rows)


def _window_labels(window: Window, item: LabelledArticle, model: SentenceLabeler) -> dict[str, list[list[float]]]:
    reachable = {item.conflict.keys[mention.side] for mention in window.mentions}
    labels = {}
    for head in model.scheme.heads:
        classes = head.classes(item.conflict.keys)
        slots = [[0.0] * len(classes) for _ in window.sentences]
        for slot in window.read:
            chances = item.chances(head.name, window.sentences[slot])
            open_to = {label: p for label, p in chances.items() if label in head.labels or label in reachable}
            total = sum(open_to.values())
            if total >= _MOST:
                for label, p in open_to.items():
                    slots[slot][classes.index(label)] = p / total
        labels[head.name] = slots
    return labels


def _row(window: Window, labels: Mapping[str, list[list[float]]]) -> dict[str, Any]:
    return {
        "input_ids": window.ids,
        "slots": window.slots,
        "sentences": list(window.sentences),
        "positions": [m.position for m in window.mentions],
        "sides": [m.side for m in window.mentions],
        "mention_sentences": [m.sentence for m in window.mentions],
        "side_count": window.side_count,
    } | {f"labels_{name}": values for name, values in labels.items()}


def collate_rows(rows: Sequence[Mapping[str, Any]], pad_id: int) -> dict[str, Any]:
    """Rows of `training_rows` as the network's tensors, with `labels[head]` [B, S, classes], 0 in padding."""
    windows = [
        Window(
            0,
            row["input_ids"],
            row["slots"],
            tuple(row["sentences"]),
            (),
            tuple(
                WindowMention(*values)
                for values in zip(row["positions"], row["sides"], row["mention_sentences"], strict=True)
            ),
            row["side_count"],
        )
        for row in rows
    ]
    tensors: Tensors = collate(windows, pad_id)
    labels = {}
    for name in (name for name in rows[0] if name.startswith("labels_")):
        given = [torch.tensor(row[name]) for row in rows]
        # Sides come last among the classes, so a window with fewer of them has zeros for those it lacks.
        labels[name.removeprefix("labels_")] = padded = torch.zeros(
            len(rows), tensors["sentences"].shape[1], max(values.shape[1] for values in given)
        )
        for target, values in zip(padded, given, strict=True):
            target[: values.shape[0], : values.shape[1]] = values
    return {**tensors, "labels": labels}
