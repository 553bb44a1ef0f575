"""What the page of a labelled article shows: its voices, its sentences with their marks, the strip and the totals."""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, groupby, pairwise

from ..article import BLANK_LINE, with_plain_line_ends
from ..labels import BOTH, NONE, OTHER, RESERVED_VOICES
from ..predictor import Job, Prediction

MARKS = {"affirm": "", "deny": "✗", "accuse": "!", "hedge": "?", "neutral": "–"}
"""The sign of each stance. To affirm has none: a tick would read as "this is true"."""
HUES = 7
"""Colours for sides in the style sheet; further sides take them again, striped."""
UNSURE = ""
"""Stands for the label of a sentence without one, its score being below the confidence asked for: no side's key."""

_MEANINGS = {
    BOTH: "several sides at once",
    OTHER: "anyone else cited",
    NONE: "the outlet itself",
    UNSURE: "score too low",
}
_SIGNS = MARKS | {UNSURE: "·"}
_NAMES = {UNSURE: "unsure"}
_TAGS = {BOTH: "both", OTHER: "other", NONE: "", UNSURE: "unsure"}
_SMALL_WORDS = {"the", "of", "and", "for", "in", "on", "its", "his", "her", "by"}
_LONGEST_HEADLINE = 140
_LEAST_SHOWN = 0.01

# What HTML cannot hold: a control becomes its picture (␛), the rest a replacement sign, white space a space. One
# character for one, so that positions stay valid.
_VISIBLE = (
    dict.fromkeys((*range(0x80, 0xA0), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF), "\ufffd")
    | {code: chr(0x2400 + code) for code in range(0x20)}
    | {0x7F: "\u2421"}
    | dict.fromkeys(map(ord, "\t\n\r\x0b\x0c\x85"), " ")
)


@dataclass(frozen=True)
class Voice:
    """A row of the legend. `tag` are the letters before its sentences, `look` its class in the style sheet."""

    label: str
    name: str
    tag: str
    look: str
    meaning: str


@dataclass(frozen=True)
class HeadScores:
    """One head's answer to a sentence: (what, its share of 1) for the likelier classes, the likeliest first."""

    head: str
    label: str
    shares: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Line:
    """A sentence, numbered from 1. `pieces` is its text in parts, with the mention's number where a part is one.

    `cited` is the text of the mention that the label rests on, `cited_in` the number of the sentence it stands in.
    """

    number: int
    voice: Voice
    stance: str | None
    mark: str
    pieces: tuple[tuple[str, int | None], ...]
    spaced: bool
    heads: tuple[HeadScores, ...]
    cited: str | None
    cited_in: int | None
    truncated: bool


@dataclass(frozen=True)
class Cell:
    """A stretch of the strip that begins with sentence `number`, from `left` on, in percent of all characters.

    `lane` counts from 0; `stance` is that sentence's, as a reader calls it.
    """

    voice: Voice
    lane: int
    left: float
    width: float
    number: int
    stance: str


@dataclass(frozen=True)
class Table:
    """Sentences by voice and stance: the stances with their marks, and (voice, counts, sum, share) by row.

    `heads` are the names of what is called voice and stance here, `unheard` the voices without a sentence, which have
    no row.
    """

    heads: tuple[str, ...]
    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[Voice, tuple[int, ...], int, float], ...]
    unheard: tuple[Voice, ...]
    sums: tuple[int, ...]
    total: int

    @property
    def signed(self) -> bool:
        """Whether the stances are those that `MARKS` has signs for."""
        return set(MARKS) <= {name for name, _ in self.columns}


@dataclass(frozen=True)
class ArticleView:
    """One article as shown. `headline` is its first sentence where that stands above the text, and not in it.

    `heads` are the names of the first two heads, whose labels are its voices and stances. `pointing` lists, for each
    mention number, the sentences whose label rests on it. `counts` is by (voice, stance).
    """

    id: str
    title: str
    headline: Line | None
    paragraphs: tuple[tuple[Line, ...], ...]
    heads: tuple[str, ...]
    voices: tuple[Voice, ...]
    stances: tuple[str, ...]
    cells: tuple[Cell, ...]
    runs: tuple[Cell, ...]
    lanes: tuple[Voice, ...]
    pointing: Mapping[int, Sequence[int]]
    counts: Mapping[tuple[str, str | None], int]

    @property
    def table(self) -> Table:
        """The article's totals."""
        return totals(self.heads, self.voices, self.stances, self.counts)


def article_view(predictions: Sequence[Prediction], job: Job | None = None) -> ArticleView:
    """What to show of one article of one sentence or more; `job` gives names, a title and paragraphs if known."""
    first = predictions[0]
    head, *others = first.labels
    names = {side.key: side.name for side in job[1].sides} if job else {}
    voices = voices_of(tuple(first.probabilities[head]), names)
    stances = (*first.probabilities[others[0]], UNSURE) if others else ()
    lines, pointing = _lines(predictions, {voice.label: voice for voice in voices})
    opens = _paragraph_starts(predictions, job[0].text if job else None)
    title, is_headline = _title(predictions, opens, job)
    body = list(range(1 if is_headline else 0, len(lines)))
    starts = [n for n in body if n in opens or n == body[0]]
    counts = Counter((line.voice.label, line.stance) for line in lines)
    lanes = tuple(voice for voice in voices if any(line.voice == voice for line in lines))
    cells = _cells(lines, [len(p.text) for p in predictions], lanes)
    return ArticleView(
        clean(first.article_id),
        title,
        lines[0] if is_headline else None,
        tuple(tuple(lines[start:end]) for start, end in pairwise([*starts, len(lines)])),
        tuple(map(clean, (head, *others[:1]))),
        voices,
        stances,
        cells,
        _merged(cells),
        lanes,
        pointing,
        counts,
    )


def clean(text: str) -> str:
    """`text` with a visible sign for each character that HTML cannot hold; the length stays."""
    return text.translate(_VISIBLE)


def voices_of(classes: Sequence[str], names: Mapping[str, str]) -> tuple[Voice, ...]:
    """The voices of an article in the legend's order: its sides in the order of `classes`, then those that are none."""
    sides = [label for label in classes if label not in RESERVED_VOICES]
    shown = [clean(names.get(label) or label.replace("_", " ")) for label in sides]
    looks = [f"hue-{n % HUES}" + " again" * (n >= HUES) for n in range(len(sides))]
    rest = [label for label in (BOTH, OTHER, NONE) if label in classes] + [UNSURE]
    tags = _tags(shown)
    return (
        *(Voice(label, shown[n], tags[n], looks[n], "") for n, label in enumerate(sides)),
        *(Voice(label, name_of(label), _TAGS[label], name_of(label), _MEANINGS[label]) for label in rest),
    )


def name_of(label: str) -> str:
    """What a reader calls a label that is no side's key."""
    return _NAMES.get(label) or clean(label)


def _tags(names: Sequence[str]) -> list[str]:
    """A few letters for each name, no two the same: its initials, or its first letters, or letters and a number."""
    tags: dict[int, str] = {}
    for form in (_initials, _long_initials, lambda name: _letters(name)[:2], lambda name: _letters(name)[:3]):
        wanted = {n: form(name) for n, name in enumerate(names) if n not in tags}
        claims = Counter([*tags.values(), *wanted.values()])
        tags |= {n: tag for n, tag in wanted.items() if tag and claims[tag] == 1}
    return [tags.get(n) or f"{_letters(name)[:2]}.{n + 1}" for n, name in enumerate(names)]


def _initials(name: str) -> str:
    words = _words(name)
    if words and words[0].isupper() and 2 <= len(words[0]) <= 3:
        return words[0]
    initials = "".join(word[0] for word in words[:2]).upper()
    # A doubled letter says little, and some say what nobody meant.
    return initials if len(set(initials)) == 2 else _letters(name)[:2]


def _long_initials(name: str) -> str:
    first, second, *_ = [*_words(name), "", ""]
    return (first[:1] + second[:2]).upper() if second else ""


def _letters(name: str) -> str:
    return "".join(filter(str.isalnum, "".join(_words(name)))).upper()


def _words(name: str) -> list[str]:
    """The words of a name that tell it apart, without what stands in brackets."""
    words = re.findall(r"[^\W_][\w'’]*", name.split(" (", maxsplit=1)[0])
    return [word for word in words if word.lower() not in _SMALL_WORDS] or words


def totals(
    heads: tuple[str, ...],
    voices: Iterable[Voice],
    stances: Iterable[str],
    counts: Mapping[tuple[str, str | None], int],
) -> Table:
    """The cross table of `counts`; the unsure have a column only if there are any."""
    labels = [label for label in stances if label != UNSURE or any(stance == UNSURE for _, stance in counts)]
    whole = sum(counts.values())
    rows, unheard = [], []
    for voice in voices:
        total = sum(count for (label, _), count in counts.items() if label == voice.label)
        if total:
            rows.append((voice, tuple(counts.get((voice.label, label), 0) for label in labels), total, total / whole))
        elif voice.label != UNSURE:
            unheard.append(voice)
    sums = tuple(sum(row[1][n] for row in rows) for n in range(len(labels)))
    columns = tuple((name_of(label), _SIGNS.get(label, "")) for label in labels)
    return Table(heads, columns, tuple(rows), tuple(unheard), sums, whole)


def _paragraph_starts(predictions: Sequence[Prediction], text: str | None) -> set[int]:
    """The places of sentences that open a paragraph.

    In text with blank lines these end paragraphs, and a single line break may be where a line was wrapped; without
    any, single breaks end them. If the text is unknown, a wide gap is taken for a blank line.
    """
    gaps = [(n, before.end, p.start) for n, (before, p) in enumerate(pairwise(predictions), 1)]
    if text is None:
        return {n for n, end, start in gaps if start - end > 1}
    between = {n: with_plain_line_ends(text[end:start]) for n, end, start in gaps}
    blank = {n for n, gap in between.items() if BLANK_LINE.search(gap)}
    return blank or {n for n, gap in between.items() if "\n" in gap}


def _title(predictions: Sequence[Prediction], opens: set[int], job: Job | None) -> tuple[str, bool]:
    """The article's title and whether its first sentence is just that: a line of its own without an end mark."""
    given = job[0].extra.get("title") if job else None
    title = " ".join(clean(given).split()) if isinstance(given, str) else ""
    first = " ".join(clean(predictions[0].text).split())
    alone = 1 in opens and len(first) <= _LONGEST_HEADLINE and not first.endswith((".", "!", ":", ";", ",", "”", '"'))
    if len(predictions) > 1 and (first == title or (alone and not title)):
        return first, True
    return title or clean(predictions[0].article_id), False


def _lines(predictions: Sequence[Prediction], voices: Mapping[str, Voice]) -> tuple[list[Line], dict[int, list[int]]]:
    mentions = sorted({(p.evidence.start, p.evidence.end) for p in predictions if p.evidence})
    numbers = {mention: number for number, mention in enumerate(mentions)}
    starts = [p.start for p in predictions]
    pointing: dict[int, list[int]] = {}
    lines = []
    for n, p in enumerate(predictions):
        head, *others = p.labels
        stance = (p.labels[others[0]] or UNSURE) if others else None
        cited_in = None
        if p.evidence:
            mention = numbers[p.evidence.start, p.evidence.end]
            pointing.setdefault(mention, []).append(n + 1)
            cited_in = bisect_right(starts, p.evidence.start)
        lines.append(
            Line(
                n + 1,
                voices[p.labels[head] or UNSURE],
                stance,
                "" if stance is None else _SIGNS.get(stance, ""),
                _pieces(p, mentions),
                n > 0 and p.start > predictions[n - 1].end,
                tuple(_scores(p, name, voices if name == head else {}) for name in p.labels),
                clean(p.evidence_text) if p.evidence_text else None,
                cited_in,
                p.truncated,
            )
        )
    return lines, pointing


def _scores(p: Prediction, head: str, voices: Mapping[str, Voice]) -> HeadScores:
    """The classes of one head that are likely enough to show, by their names."""
    ranked = sorted(p.probabilities[head].items(), key=lambda pair: -pair[1])

    def name(label: str) -> str:
        return voices[label].name if label in voices else name_of(label)

    likely = tuple((name(label), share) for label, share in ranked if share >= _LEAST_SHOWN)
    return HeadScores(clean(head), name(p.labels[head] or UNSURE), likely)


def _pieces(p: Prediction, mentions: Sequence[tuple[int, int]]) -> tuple[tuple[str, int | None], ...]:
    """The sentence's text, cut where a mention begins or ends."""
    text = clean(p.text)
    pieces: list[tuple[str, int | None]] = []
    done = 0
    for number in range(max(bisect_right(mentions, (p.start, -1)) - 1, 0), len(mentions)):
        begin = max(mentions[number][0] - p.start, done)
        end = min(mentions[number][1] - p.start, len(text))
        if begin >= len(text):
            break
        if begin < end:
            pieces += [(text[done:begin], None), (text[begin:end], number)]
            done = end
    return tuple(piece for piece in (*pieces, (text[done:], None)) if piece[0])


def _cells(lines: Sequence[Line], lengths: Sequence[int], lanes: Sequence[Voice]) -> tuple[Cell, ...]:
    whole = sum(lengths)
    lefts = accumulate(lengths, initial=0)
    return tuple(
        Cell(
            line.voice,
            lanes.index(line.voice),
            100 * left / whole,
            100 * length / whole,
            line.number,
            "" if line.stance is None else name_of(line.stance),
        )
        for line, length, left in zip(lines, lengths, lefts, strict=False)
    )


def _merged(cells: Sequence[Cell]) -> tuple[Cell, ...]:
    """The cells with neighbours of one voice joined."""
    runs = [list(group) for _, group in groupby(cells, key=lambda cell: cell.lane)]
    return tuple(replace(run[0], width=sum(cell.width for cell in run)) for run in runs)
