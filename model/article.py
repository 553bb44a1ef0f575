"""Articles and their sentences, with exact character positions."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import regex
import sentencex

# A lone line break is a wrapped line, not the end of a paragraph, when the lines are of a width that typesetting
# produces and the line before is nearly full, with no room for the next word.
_WRAP_WIDTHS = range(50, 121)
_WRAP_FILL = 0.75
_WIDE_SPACE = regex.compile(r"[^\S\x00-\x7f]")
# A mark of inches outside a quotation, and apostrophes that a database doubled, would open one that swallows sentences.
_QUOTED_OR_INCHES = regex.compile(r'(?<!\d)"[^"]*"|(?<=\d)(?P<inches>")')
_DOUBLED = regex.compile(r"(?<=\p{L})''(?=\p{L})")
_BLANK = regex.compile(r"[\s\p{Cf}\p{Cc}]*")
_SLICE = 20_000
"""Characters of a paragraph that are split at once: sentencex's time can grow with the square of them."""
BLANK_LINE = regex.compile(r"\n[^\S\n]*(?:\n\s*)+|\u2029|\f")
"""What ends a paragraph, in text from `with_plain_line_ends`."""
_LINE_ENDS = str.maketrans("\r\x0b\u2028", "\n\n\n")


@dataclass(frozen=True)
class Sentence:
    """One unit to label: `text` stands at characters `start` to `end` (exclusive) of its article's text."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Article:
    """One document. `conflict` names its sides file if the source said so; `extra` holds its other columns."""

    id: str
    text: str
    sentences: tuple[Sentence, ...]
    conflict: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


def is_utf8(text: str) -> bool:
    """Whether a file can hold `text`: half of a surrogate pair, which JSON may have, is no character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_blank(text: str) -> bool:
    """Whether there is nothing in `text` to see: white space, and characters that only control how others look."""
    return _BLANK.fullmatch(text) is not None


def with_plain_line_ends(text: str) -> str:
    """`text` with every line end as one line feed, character for character, so that positions stay valid."""
    return text.replace("\r\n", " \n").translate(_LINE_ENDS)


def _paragraphs(text: str) -> Iterable[tuple[int, int]]:
    """Spans of the stretches that no sentence crosses: paragraphs, and lines that are not wrapped text."""
    start = 0
    for gap in [*BLANK_LINE.finditer(text), None]:
        end = gap.start() if gap else len(text)
        yield from _lines(text, start, end)
        start = gap.end() if gap else end


def _lines(text: str, start: int, end: int) -> Iterable[tuple[int, int]]:
    lines = text[start:end].split("\n")
    opened, position = start, start
    for line, runs_on in zip(lines, [*_runs_on(lines), False], strict=True):
        position += len(line) + 1
        if not runs_on:
            yield opened, position - 1
            opened = position


def _runs_on(lines: Sequence[str]) -> list[bool]:
    """Whether each line but the last is wrapped text with which the next one goes on."""
    widest = max(len(line.rstrip()) for line in lines)
    if widest not in _WRAP_WIDTHS:
        return [False] * (len(lines) - 1)
    pairs = [(line.rstrip(), (following.split() or [""])[0]) for line, following in pairwise(lines)]
    unfinished = [
        word != "" and len(line) >= _WRAP_FILL * widest and not line.endswith((".", "!", "?", ":", "”", '"'))
        for line, word in pairs
    ]
    # A wrapped line had no room for the next word. Headlines and turns of speakers, as long as they are, mostly had.
    full = [open_ and len(line) + 1 + len(word) > widest for open_, (line, word) in zip(unfinished, pairs, strict=True)]
    typeset = 2 * sum(full) > sum(unfinished)
    return [word[:1].islower() or (typeset and is_full) for (_, word), is_full in zip(pairs, full, strict=True)]


def segment(text: str) -> tuple[Sentence, ...]:
    """Sentences of `text` in order, without surrounding white space, so that `text[s.start:s.end] == s.text`.

    Every character that is not white space belongs to exactly one sentence. A blank line ends a sentence; so does
    a single line break, unless the lines look wrapped at a fixed width. Rules for the rest: sentencex.
    """
    found = []
    for begin, end in _paragraphs(with_plain_line_ends(text)):
        for first, last in _boundaries(_plain_marks(text[begin:end])):
            first, last = begin + first, begin + last
            body = text[first:last].strip()
            if body:
                at = text.index(body, first)
                found.append(Sentence(body, at, at + len(body)))
    return tuple(found)


def _plain_marks(paragraph: str) -> str:
    """`paragraph`, character for character, without what misleads sentencex."""
    # White space outside ASCII after a lone capital ("Plan B\u00a0.") makes it panic.
    plain = _DOUBLED.sub("’’", _WIDE_SPACE.sub(" ", paragraph))
    return _QUOTED_OR_INCHES.sub(lambda found: "″" if found["inches"] else found[0], plain)


def _boundaries(paragraph: str) -> Iterator[tuple[int, int]]:
    """Where the sentences of a paragraph start and end, taken slice by slice.

    The last tenth of a slice is taken again with the next: a sentence may go on, or a quotation not be closed yet.
    """
    start, size = 0, _SLICE
    while start < len(paragraph):
        pieces = sentencex.get_sentence_boundaries("en", paragraph[start : start + size])  # pyright: ignore
        if start + size < len(paragraph):
            pieces = [piece for piece in pieces[:-1] if piece["end_index"] <= size - _SLICE // 10]
        for piece in pieces:
            yield start + piece["start_index"], start + piece["end_index"]
        if start + size >= len(paragraph):
            return
        start, size = (start + pieces[-1]["end_index"], _SLICE) if pieces else (start, 2 * size)


def article_from_text(
    id: str, text: str, conflict: str | None = None, extra: Mapping[str, Any] | None = None
) -> Article:
    """An article whose sentences are found by `segment`."""
    return Article(id, text, segment(text), conflict, extra or {})


def article_from_sentences(
    id: str, sentences: Iterable[str], conflict: str | None = None, extra: Mapping[str, Any] | None = None
) -> Article:
    """An article that came split: its text is the sentences joined by one space, and positions count in that."""
    found, position = [], 0
    for sentence in sentences:
        found.append(Sentence(sentence, position, position + len(sentence)))
        position += len(sentence) + 1
    return Article(id, " ".join(sentence.text for sentence in found), tuple(found), conflict, extra or {})
