"""Articles → token windows → batches of tensors.

A window holds whole sentences, `[CLS] s1 [SEP] s2 [SEP] …`, and every sentence in it is classified in the same
pass through the encoder, so no sentence is encoded again as another's context (after Cohan et al. 2019). Long
articles take overlapping windows; each sentence is *read* from one of them only, where its poorer side has most
context. A side that was mentioned before a window but not in it is *carried*: the last sentence that mentions it
stands at the window's front as context, so that a voice can still be bound to it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from transformers import PreTrainedTokenizerBase

from .article import Article
from .errors import InputError
from .sides import Conflict, Mention

_CARRIED_SHARE = 4  # carried sentences take at most 1/4 of a window
_CARRIED_REACH = 200  # and come from at most this many sentences before it

Tensors = dict[str, torch.Tensor]


@dataclass(frozen=True)
class EncodedSentence:
    """Token ids of one sentence without special tokens; `mentions` are (index into `ids`, side index, mention).

    A mention's character positions count in the article. `truncated` says that the sentence was longer than a
    window and lost its end.
    """

    ids: list[int]
    mentions: list[tuple[int, int, Mention]]
    truncated: bool


@dataclass(frozen=True)
class WindowMention:
    """A mention in a window: token position there, side index, number of its sentence in the article.

    `mention` is where it stands in the text; a window that comes from stored training rows has forgotten that.
    """

    position: int
    side: int
    sentence: int
    mention: Mention | None = None


@dataclass(frozen=True)
class Window:
    """One input of the network.

    `sentences[slot]` is the number in the article of the sentence in each slot, `slots[t]` the slot of token t
    (-1 for the first token), `read` the slots whose answers are taken from this window.
    """

    article: int
    ids: list[int]
    slots: list[int]
    sentences: tuple[int, ...]
    read: tuple[int, ...]
    mentions: tuple[WindowMention, ...]
    side_count: int


def encode_articles(
    articles: Sequence[tuple[Article, Conflict]],
    tokenizer: PreTrainedTokenizerBase,
    *,
    max_tokens: int,
    anonymous: bool,
) -> list[list[EncodedSentence]]:
    """Tokenise every sentence of every article in one call, and place its mentions on tokens.

    With `anonymous`, the tokens of a mention become one: the mask token's id holds its place, and the network puts
    one learned vector there, the same for every side. Otherwise a mention keeps its words and stands at the first.
    """
    texts = [sentence.text for article, _ in articles for sentence in article.sentences]
    if not texts:
        return [[] for _ in articles]
    # Mentions need offsets, which only fast tokenizers give; `checkpoint` takes no others.
    # Text that looks like a special token ("<s>", struck out in HTML) is text.
    encodings = tokenizer(
        texts, add_special_tokens=False, split_special_tokens=True, return_offsets_mapping=True, verbose=False
    )
    all_ids, all_offsets = encodings["input_ids"], encodings["offset_mapping"]
    marker = special_token_id(tokenizer, "mask", "unk")
    encoded, number = [], 0
    for article, conflict in articles:
        index = {key: i for i, key in enumerate(conflict.keys)}
        rows = []
        for sentence in article.sentences:
            ids, placed = list(all_ids[number]), []
            found = conflict.find_mentions(sentence.text)
            if found:
                ids, placed = _place(ids, all_offsets[number], found, marker if anonymous else None)
            limit = max_tokens - 2
            mentions = [
                (at, index[m.side], Mention(m.side, m.start + sentence.start, m.end + sentence.start))
                for at, m in placed
                if at < limit
            ]
            rows.append(EncodedSentence(ids[:limit], mentions, len(ids) > limit))
            number += 1
        encoded.append(rows)
    return encoded


def _place(
    ids: list[int], offsets: list[tuple[int, int]], found: tuple[Mention, ...], marker: int | None
) -> tuple[list[int], list[tuple[int, Mention]]]:
    """The ids, each mention's tokens replaced by `marker` if there is one, and the index at which each stands."""
    out: list[int] = []
    placed: list[tuple[int, Mention]] = []
    token = 0
    for mention in found:
        while token < len(ids) and offsets[token][1] <= mention.start:
            out.append(ids[token])
            token += 1
        first = token
        while token < len(ids) and offsets[token][0] < mention.end:
            token += 1
        if first == token:  # the tokenizer made nothing of it, or one token holds two mentions
            continue
        placed.append((len(out), mention))
        out.extend([marker] if marker is not None else ids[first:token])
    return out + ids[token:], placed


def special_token_id(tokenizer: PreTrainedTokenizerBase, *names: str) -> int:
    """The id of the first of the special tokens `names` ("cls", "pad", …) that the tokenizer has.

    Raises `InputError` if it has none of them, which windows cannot do without.
    """
    for name in names:
        found = getattr(tokenizer, f"{name}_token_id", None)
        if isinstance(found, int):
            return found
    raise InputError(f"the encoder's tokenizer has no {' or '.join(names)} token; take an encoder of BERT's kind")


def article_windows(
    jobs: Sequence[tuple[Article, Conflict]],
    tokenizer: PreTrainedTokenizerBase,
    *,
    max_tokens: int,
    overlap: int,
    anonymous: bool,
) -> tuple[list[Window], list[list[bool]]]:
    """The windows of many articles, and for each article which of its sentences were cut.

    `Window.article` counts in `jobs`. Raises `InputError` at an article without sentences.
    """
    for article, _ in jobs:
        if not article.sentences:
            raise InputError(f"article '{article.id}': has no sentences")
    encoded = encode_articles(jobs, tokenizer, max_tokens=max_tokens, anonymous=anonymous)
    start_id, end_id = special_token_id(tokenizer, "cls", "bos"), special_token_id(tokenizer, "sep", "eos")
    windows = [
        window
        for number, ((_, conflict), sentences) in enumerate(zip(jobs, encoded, strict=True))
        for window in make_windows(
            number,
            sentences,
            len(conflict.sides),
            start_id=start_id,
            end_id=end_id,
            max_tokens=max_tokens,
            overlap=overlap,
        )
    ]
    return windows, [[sentence.truncated for sentence in sentences] for sentences in encoded]


def make_windows(
    article: int,
    sentences: Sequence[EncodedSentence],
    side_count: int,
    *,
    start_id: int,
    end_id: int,
    max_tokens: int,
    overlap: int,
) -> list[Window]:
    """Windows of at most `max_tokens` tokens over one article, in order; together they read each sentence once.

    `overlap` is the number of tokens that neighbouring windows share at most. `start_id` opens a window (BERT's
    [CLS]) and `end_id` closes each sentence ([SEP]).
    """
    costs = [len(sentence.ids) + 1 for sentence in sentences]
    spans = _spans(sentences, costs, max_tokens - 1, overlap)
    reader = [0] * len(sentences)
    richest = [-1.0] * len(sentences)
    for w, (start, end, _) in enumerate(spans):
        for n in range(start, end):
            context = _poorer_context(n, start, end, costs)
            if context > richest[n]:
                reader[n], richest[n] = w, context
    windows = []
    for w, (start, end, carried) in enumerate(spans):
        numbers = (*carried, *range(start, end))
        ids, slots, mentions = [start_id], [-1], []
        for slot, n in enumerate(numbers):
            mentions += [WindowMention(len(ids) + at, side, n, mention) for at, side, mention in sentences[n].mentions]
            ids += [*sentences[n].ids, end_id]
            slots += [slot] * costs[n]
        read = tuple(slot for slot, n in enumerate(numbers) if slot >= len(carried) and reader[n] == w)
        windows.append(Window(article, ids, slots, numbers, read, tuple(mentions), side_count))
    return windows


def _spans(
    sentences: Sequence[EncodedSentence], costs: list[int], capacity: int, overlap: int
) -> list[tuple[int, int, tuple[int, ...]]]:
    """(first sentence, end, carried sentences) of each window; together they cover every sentence."""
    spans: list[tuple[int, int, tuple[int, ...]]] = []
    start = covered = 0
    while covered < len(costs):
        share = capacity // _CARRIED_SHARE
        end = start + 1
        carried = _carried(sentences, costs, start, end, min(share, capacity - costs[start]))
        while end < len(costs):
            further = _carried(sentences, costs, start, end + 1, share)
            if sum(costs[start : end + 1]) + sum(costs[n] for n in further) > capacity:
                break
            end, carried = end + 1, further
        if end <= covered:  # this start leaves no room for a new sentence: share less
            start += 1
            continue
        spans.append((start, end, carried))
        covered = start = end
        while start - 1 > spans[-1][0] and sum(costs[start - 1 : end]) <= overlap:
            start -= 1
    return spans


def _carried(
    sentences: Sequence[EncodedSentence], costs: list[int], start: int, end: int, room: int
) -> tuple[int, ...]:
    """The last sentences before `start` that mention a side which `start` to `end` do not, at most `room` tokens."""
    present = {side for sentence in sentences[start:end] for _, side, _ in sentence.mentions}
    carried = []
    for n in range(start - 1, max(-1, start - 1 - _CARRIED_REACH), -1):
        new = {side for _, side, _ in sentences[n].mentions} - present
        if new and costs[n] <= room:
            carried.append(n)
            present |= new
            room -= costs[n]
    return tuple(reversed(carried))


def _poorer_context(n: int, start: int, end: int, costs: list[int]) -> float:
    """Tokens of context on the poorer side of sentence `n`; where the article itself ends nothing is missing."""
    left = float("inf") if start == 0 else sum(costs[start:n])
    right = float("inf") if end == len(costs) else sum(costs[n + 1 : end])
    return min(left, right)


def token_batches(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Indices in batches of similar length, longest first; longest × count stays within `budget` tokens.

    A window longer than the budget is a batch of its own.
    """
    batch: list[int] = []
    for index in sorted(range(len(lengths)), key=lambda i: (-lengths[i], i)):
        if batch and lengths[batch[0]] * (len(batch) + 1) > budget:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def collate(windows: Sequence[Window], pad_id: int) -> Tensors:
    """Windows as tensors (B windows, T tokens, S slots, M mentions, all padded).

    input_ids, attention_mask [B, T]; slots [B, T], -1 at [CLS] and padding; sentences [B, S], the number in the
    article, -1 at padding; mention_positions, mention_sides, mention_sentences [B, M], side -1 at padding;
    side_present [B, K], which of the K sides have a mention in the window.
    """

    def padded(rows: list[list[int]], value: int) -> torch.Tensor:
        width = max(1, max(map(len, rows)))
        return torch.tensor([row + [value] * (width - len(row)) for row in rows])

    ids = [window.ids for window in windows]
    present = torch.zeros(len(windows), max(window.side_count for window in windows), dtype=torch.bool)
    for row, window in enumerate(windows):
        present[row, [mention.side for mention in window.mentions]] = True
    return {
        "input_ids": padded(ids, pad_id),
        "attention_mask": padded([[1] * len(row) for row in ids], 0),
        "slots": padded([window.slots for window in windows], -1),
        "sentences": padded([list(window.sentences) for window in windows], -1),
        "mention_positions": padded([[m.position for m in window.mentions] for window in windows], 0),
        "mention_sides": padded([[m.side for m in window.mentions] for window in windows], -1),
        "mention_sentences": padded([[m.sentence for m in window.mentions] for window in windows], 0),
        "side_present": present,
    }
