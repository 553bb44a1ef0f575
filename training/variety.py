"""Surface variety: the same labelled article in other wordings.

Wire copy puts the source first ("X says …"). Much other news puts it last, inverts it or begins with the quotation,
and scraped text loses commas, quotation marks and the line breaks after datelines and headlines. What a sentence says
and who says it stays, so its labels do. Each change is a rule over the text, without a parser: a sentence that does
not fit a rule exactly is left as it is, and so is one of the outlet's own, in which a source is only by the way
("It fired hours after its cabinet said …"), and one that would lose a mention of a side.
"""

import random
from collections.abc import Sequence

import regex
from pydantic import BaseModel, ConfigDict, Field, model_validator

from ..model.article import article_from_sentences
from ..model.labels import BOTH, NONE, OTHER
from ..model.sides import Conflict
from .corpus import LabelledArticle

Share = Field(default=0.0, ge=0, le=1)


class Variety(BaseModel):
    """How often each change is made: the first two to a sentence that allows it, the others to an article.

    A sentence gets one of the first two at most, so their shares add up to 1 at most.
    """

    model_config = ConfigDict(extra="forbid")
    source_last: float = Share
    quotation_first: float = Share
    lost_punctuation: float = Share
    run_in: float = Share

    @model_validator(mode="after")
    def _one_change_a_sentence(self) -> "Variety":
        if self.source_last + self.quotation_first > 1:
            raise ValueError(
                "source_last and quotation_first must add up to 1 at most, "
                f"got {self.source_last} and {self.quotation_first}"
            )
        return self


_AUX = r"(?:(?:has|have|had|also|later|now) )*"
_VERB = (
    r"(?:says?|said|adds|added|announced|claimed|confirmed|stated|noted|insists?|insisted|reported|argued|explained|"
    r"warns|warned)"
)
_WHEN_WHERE = r"(?: (?:in|on|at|during|after|from|through|late|early|\p{L}+day)\b[^,;:\"“”]{0,50}?)?"
_DAY = r"(?: (?:late |early |last )?\p{Lu}\p{L}+day)?"
# The source's first word must not open something that stands before it ("In Kyiv, the army said").
_SOURCE = (
    r"(?!(?:In|On|At|By|As|For|With|From|After|Before|During|Since|While|When|If|But|And|Yet|Still|Also|However|"
    r"Meanwhile|Earlier|Later|Last|This|Then|Now|Asked|Elsewhere|Despite|Hours|Days|Of|No|Neither|None|Nobody|Both|"
    r"\p{L}+day|\p{L}+ing|\p{L}+ly)\b)(?P<source>\p{Lu}[^\"“”;:—]{1,110}?)"
)
_CLAUSE = (
    r"(?:the|an?|he|she|it|they|we|its|his|her|their|there|this|these|those|some|no|all|any|at least|more than|"
    r"\p{Lu}\p{L}+)\b[^\"“”;:]{15,}"
)
# "X said [in a statement] that S." and, without "that", "X said [Monday] S.", S beginning as a clause does.
_SOURCE_FIRST = [
    regex.compile(rf"{_SOURCE} (?P<verb>{_AUX}{_VERB}{_WHEN_WHERE}) that (?P<clause>[^\"“”;:]{{20,}})\."),
    regex.compile(rf"{_SOURCE} (?P<verb>{_AUX}(?:says?|said){_DAY}) (?P<clause>{_CLAUSE})\."),
]
_ACCORDING = regex.compile(r"According to (?P<source>[^,\"“”]{3,80}), (?P<clause>[^\"“”;:]{20,})\.")
# A second clause may have a voice of its own, and would come under the source if that moved behind it.
_TWO_VOICES = regex.compile(
    rf",? (?:but|while|although|whereas)\b|, and \b|\b{_VERB}\b|\b(?:den(?:y|ies|ied)|accus\w+|call(?:s|ed))\b"
)
_NO_SOURCE = regex.compile(
    r"\b(?:had|to|and),?$|"
    r"\b(?:that|which|who|whose|when|where|while|as|after|before|because|since|until|although|though|unless|whether|if|"
    r"quot\w+|made|issued|would|he'd)\b|"
    r"^(?!united\b)\p{L}+ed\b[^,]*,|"  # "Reached at home, a man said"
    r"^[^,]*,$",  # "The bridge is lost, said a man": what stands here is what he said
    regex.IGNORECASE,
)
# What follows "X said" or "according to X," and belongs to X, or to when X said it.
_NO_CLAUSE = regex.compile(
    r"(?:that|who|which|whose|where)\b|an? [^,]{3,60},|\p{Lu}\p{L}+day\b(?!['’]s)|.*\baccording to\b", regex.IGNORECASE
)
# First words that are small inside a sentence; the second group is part of a name before another capital.
_COMMON = regex.compile(
    r"(?i:the|an?|he|she|it|they|we|his|her|its|their|this|these|those|some|several|many|most|both|one|two|three|four|"
    r"five|another|other|local|more|our|my)\b|"
    r"(?i:activists|aid|analysts|authorities|diplomats|doctors|election|government|human|lawyers|lawmakers|medics|"
    r"members|military|news|officials|opposition|police|prosecutors|protesters|provincial|rebels|relatives|reports|"
    r"residents|rights|security|state|survivors|troops|witnesses)\b(?!\s*\p{Lu})"
)
_ABBREVIATED = regex.compile(r"\.\p{L}$")
_PRONOUNS = ("he", "she", "it", "they", "we")
_MARKS = regex.compile(r"[\"“”„«»]|(?<=\s)['‘’](?=\p{L})|(?<=\p{L}[.,!?]?)['’](?=\s|$)")
_COMMAS = regex.compile(r",(?=\s)")
_LOSSES = (_MARKS, _COMMAS, regex.compile(f"{_MARKS.pattern}|{_COMMAS.pattern}"))
_CITIES = ("LONDON", "GENEVA", "NEW YORK", "PARIS", "BRUSSELS", "VIENNA", "DUBAI", "NAIROBI", "SINGAPORE", "ISTANBUL")
_MONTHS = ("Jan. ", "Feb. ", "March ", "April ", "May ", "June ", "July ", "Aug. ", "Sept. ", "Oct. ", "Nov. ", "Dec. ")


def varied(
    item: LabelledArticle, variety: Variety, seed: int, epoch: int, index: int, heads: Sequence[str] = ("side",)
) -> LabelledArticle:
    """`item`, article number `index` of the training part, as `epoch` sees it: a function of its arguments alone.

    `heads` are those that point. Sources and quotations move only in sentences in which, by all of them, a side,
    "other" or "both" speaks; without such heads nobody is known to. Sentences keep their order and labels; a headline
    may run into the sentence after it, which keeps the latter's.
    """
    draw = random.Random(f"{seed}/{epoch}/{index}")
    texts = [sentence.text for sentence in item.article.sentences]
    voices = {None, BOTH, OTHER, *item.conflict.keys}
    kept = list(range(len(texts)))
    for n, text in enumerate(texts):
        chance = draw.random()
        if chance < variety.source_last:
            worded = source_last(text, draw)
        elif chance < variety.source_last + variety.quotation_first:
            worded = quotation_first(text, draw)
        else:
            continue
        if worded == text or not heads or any(item.labels[head][n] not in voices for head in heads):
            continue
        if item.conflict.count_mentions(worded) == item.conflict.count_mentions(text):
            texts[n] = worded
    if draw.random() < variety.run_in:
        texts, kept = run_in(texts, [_gives_way(item, heads, n) for n in range(len(texts) - 1)], draw)
    if draw.random() < variety.lost_punctuation:
        lost = draw.choice(_LOSSES)
        texts = [_without(lost, text, item.conflict) for text in texts]
    article = article_from_sentences(item.article.id, texts, item.article.conflict, item.article.extra)
    return LabelledArticle(
        article,
        item.conflict,
        {head: tuple(labels[n] for n in kept) for head, labels in item.labels.items()},
        {head: tuple(chances[n] for n in kept) for head, chances in item.taught.items()},
    )


def _without(lost: "regex.Pattern[str]", text: str, conflict: Conflict) -> str:
    """A sentence that has lost some punctuation; one that would be empty, or have other mentions, stays."""
    left = lost.sub("", text).strip()
    return left if left and conflict.count_mentions(left) == conflict.count_mentions(text) else text


def _gives_way(item: LabelledArticle, heads: Sequence[str], n: int) -> bool:
    """Whether sentence `n` may run into the next and take its labels: it has no voice but the outlet's, or the same.

    Labels that are no voices must not get lost.
    """
    labels = [item.labels[head] for head in heads]
    return bool(heads) and all(voices[n] in (None, NONE, voices[n + 1]) for voices in labels)


def source_last(text: str, draw: random.Random) -> str:
    """ "X said S." as "S, X said.", "S, said X." or "According to X, S."; the last of them the other way round."""
    if (found := _ACCORDING.fullmatch(text)) and _is_clause(found["clause"]):
        return f"{_capital(_whole(found['clause']))}, according to {found['source']}."
    if (parts := _source_verb_clause(text)) is None:
        return text
    source, verb, clause = parts
    ways = _attributed(f"{_capital(clause)},", source, verb)
    if _inverts(source, verb):
        ways.append(f"According to {source.rstrip(',')}, {clause.removesuffix('.')}.")
    return draw.choice(ways)


def quotation_first(text: str, draw: random.Random) -> str:
    """ "X said S." as "“S,” X said." or "“S,” said X."."""
    if (parts := _source_verb_clause(text)) is None:
        return text
    source, verb, clause = parts
    left, right = draw.choice(('""', "“”"))
    return draw.choice(_attributed(f"{left}{_capital(clause)},{right}", source, verb))


def _attributed(said: str, source: str, verb: str) -> list[str]:
    """The ways to put a source behind what it says."""
    inverted = [f"{said} {verb} {source.rstrip(',')}."] if _inverts(source, verb) else []
    return [f"{said} {source} {verb}.", *inverted]


def _source_verb_clause(text: str) -> tuple[str, str, str] | None:
    for pattern in _SOURCE_FIRST:
        found = pattern.fullmatch(text)
        if found and _is_source(found["source"]) and _is_clause(found["clause"]):
            return _lowered(found["source"]), found["verb"], _whole(found["clause"])
    return None


def _whole(clause: str) -> str:
    """A clause without the full stop of its sentence, but with that of an abbreviation ("the U.S.")."""
    clause = clause.rstrip(" .")
    return f"{clause}." if _ABBREVIATED.search(clause) else clause


def run_in(texts: list[str], give_way: Sequence[bool], draw: random.Random) -> tuple[list[str], list[int]]:
    """The sentences as a page scraped without line breaks has them, and which old sentence each one's labels are.

    A headline or byline, a line without a full stop before the first sentence that has one, runs into the next line
    if it may (`give_way`, for all but the last); if there is none, a dateline runs into the first.
    """
    out, kept = list(texts), list(range(len(texts)))
    for n, text in enumerate(texts[:-1]):
        if not text[-1].isalnum():
            break
        if len(text) > 8 and give_way[n]:
            out[n : n + 2] = [f"{text} {texts[n + 1]}"]
            del kept[n]
            break
    if len(out) == len(texts):
        day = f"{draw.choice(_MONTHS)}{draw.randint(1, 30)}"
        line = draw.choice((f"{draw.choice(_CITIES)}, {day} —", f"{draw.choice(_CITIES)} —", day, f"Updated {day}"))
        out[0] = f"{line} {out[0]}"
    return out, kept


def _inverts(source: str, verb: str) -> bool:
    return " " not in verb and source.lower() not in _PRONOUNS


def _is_source(text: str) -> bool:
    return not _TWO_VOICES.search(text) and not _NO_SOURCE.search(text)


def _is_clause(text: str) -> bool:
    return not _TWO_VOICES.search(text) and not _NO_CLAUSE.match(text)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _lowered(source: str) -> str:
    """The source as it stands inside a sentence: the first letter small if its first word is a common one."""
    return source[:1].lower() + source[1:] if _COMMON.match(source) else source
