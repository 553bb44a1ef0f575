"""One side's words for another's, in the form that the grammar of the place needs.

A mention is replaced by a word of the other side that is of the same form (see `forms`), the third for the third,
beginning anew where the other side has fewer. Where a place takes several forms, any of them serves:

- before a noun ("Iranian troops", "U.S. troops", "Hezbollah fighters") an adjective, or else a name;
- for the people of a side, a plural noun, and the other way round; for a person, one with a title; for a body, a
  common noun, and the other way round;
- a longer word without a match keeps its noun: "Kosovo police" become "Serbian police".

Failing all of these the other side's name stands there, and the mention counts as not matched. "The" and "a" before a
mention follow the new word: "the United States" and "an Iranian" become "Iran" and "a Cuban", and both give way to an
article of its own: "an alliance" becomes "the king". A word after a name counts as a noun unless it is a known verb or
looks like one, so that "Iran provides" becomes "Cuban provides".

Of the mentions in the packaged corpus's development split 94 % are matched; most of the rest stand between a state and
a movement, which has no place that one could be in.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import regex

from ...model.sides import Conflict, Mention, Side, fold
from ..corpus import LabelledArticle
from .forms import (
    ADJECTIVE,
    BODY,
    COMPOUND,
    GROUP,
    NAME,
    NOUN,
    OFFICE,
    PEOPLE,
    PERSON,
    TITLED,
    alias_forms,
    without_article,
    word_set,
)

ArticleUse = Mapping[tuple[str, str], bool]
"""Whether "the" stands before an alias, by conflict and alias, as texts show it."""

_STAND_INS = {PEOPLE: GROUP, GROUP: PEOPLE, PERSON: TITLED, TITLED: PERSON, BODY: NOUN, NOUN: BODY}
_WITH_NOUN = (GROUP, NOUN, BODY, OFFICE, COMPOUND)
"""Forms of which a part may be exchanged alone."""
_DETERMINERS = word_set("a an the any each either every her his its my no our some such their these this those your")
_FUNCTION_WORDS = _DETERMINERS | word_set(
    """about accuse accuses after again against ago agree all also although am among and are around as at be because
    been before began being between both but by call calls came can cannot claim could deny denies did do does during
    for from gave had has have having he how however if in into is it last later left made make makes may might more
    must near nor not now of off on once only or out over plans pulled put said same sat saw say says see seeks sent
    set she should since so still take takes than that them then there they though to told took toward towards under
    until up urge urges via want wanted wants was warns we went were what when where whether which while who whom whose
    why will with within without would yet Monday Tuesday Wednesday Thursday Friday Saturday Sunday"""
)
"""Words before which a name stands by itself: no nouns, no adjectives; and verbs that often follow a name."""
_VERBAL = regex.compile(r"\p{Ll}(?:ed|ly|ing)$")
_NEXT_WORD = regex.compile(r"[^\S\n]+([\p{L}\p{N}][\p{L}\p{N}'’-]*)")
_LAST_WORD = regex.compile(r"([\p{L}'’.-]+)\s+$")
_ARTICLE = regex.compile(r"(?i)(?<!\w)(the|an?)\s+$")
_TAKES_THE = regex.compile(
    r"^(?:United|U\.?S|U\.?K|E\.?U|U\.?N)\b|\b(?:Union|States|Kingdom|Republic|Emirates|Nations|Netherlands|Philippines)$"
)
_CONSONANT = regex.compile(r"[^AEIOUaeiouÉÖ]|E[Uu]|U(?:[.SKN]|kr|ni|ga|ru)")
"""How a word begins that takes "a"."""


@dataclass(frozen=True)
class Renamed:
    """Sentences with words exchanged: how many mentions, and how many of them for a word that fits the place."""

    texts: list[str]
    mentions: int
    matched: int


@dataclass(frozen=True)
class Word:
    """An alias as it stands in a text: up to `end`, an s that belongs to it included; `form` is what the place
    needs, and `before_noun` whether it says something of the word after it."""

    alias: str
    form: str
    before_noun: bool
    end: int


def rename(
    texts: Sequence[str], conflict: Conflict, partners: Mapping[str, tuple[Side, Side]], use: ArticleUse
) -> Renamed:
    """`texts` with each mention of a side put as one of another; `partners` is (side, other side) by the side's
    key."""
    renamed, mentions, matched = [], 0, 0
    for text in texts:
        done, position = "", 0
        for mention in conflict.find_mentions(text):
            if mention.side not in partners:
                continue
            own, other = partners[mention.side]
            word = read_word(text, mention, own)
            new, fits = partner(word, own, other, conflict)
            takes_the = _takes_the(new, other, conflict, use)
            lead, new = _with_article(text[position : mention.start], new, word, takes_the)
            done += lead
            done += _in_case(new, text[mention.start : word.end], word.alias, starts=not regex.search(r"\w", done))
            position = word.end + _lost_possessive(text, word, new)
            mentions, matched = mentions + 1, matched + fits
        renamed.append(done + text[position:])
    return Renamed(renamed, mentions, matched)


def read_word(text: str, mention: Mention, side: Side) -> Word:
    """The alias behind a mention of `side`, and its place.

    A bare s after an adjective makes it a people ("Cubans"); after another word it is a possessive's.
    """
    written = text[mention.start : mention.end]
    alias = _by_look(side).get(_plain(written), written)
    form = alias_forms(side).get(alias, NAME)
    bare_s = text[mention.end : mention.end + 1] in ("s", "S") and form == ADJECTIVE
    rest = text[mention.end + bare_s :]
    following = _NEXT_WORD.match(rest)
    before_noun = following is not None and not _stands_alone_before(following.group(1))
    return Word(alias, PEOPLE if bare_s else form, before_noun and not bare_s, mention.end + bare_s)


def partner(word: Word, own: Side, other: Side, conflict: Conflict) -> tuple[str, bool]:
    """The word of `other` for `word` of `own`, and whether it can stand in the same place."""
    theirs = _by_form(other)
    place = max(0, _index(_by_form(own).get(word.form, []), word.alias))
    forms = [word.form]
    if word.before_noun and word.form in (ADJECTIVE, NAME):
        forms = [ADJECTIVE, NAME]
    for form in forms:
        if form in theirs:
            return theirs[form][place % len(theirs[form])], True
    if word.form in _WITH_NOUN and (partly := _partly(word, own, other, conflict)):
        return partly, True
    if same := theirs.get(_STAND_INS.get(word.form, "")):
        return same[place % len(same)], True
    return theirs.get(NAME, other.aliases)[0], False


@cache
def _by_look(side: Side) -> dict[str, str]:
    """The side's aliases by what is the same in any case and with or without accents."""
    return {_plain(alias): alias for alias in reversed(side.aliases)}


@cache
def _by_form(side: Side) -> dict[str, list[str]]:
    """The side's aliases by form, in order; a plural is made of an adjective that has none."""
    forms: dict[str, list[str]] = {}
    for alias, form in alias_forms(side).items():
        forms.setdefault(form, []).append(alias)
    made = [f"{alias}s" for alias in forms.get(ADJECTIVE, []) if alias.endswith(("an", "i"))]
    return {PEOPLE: made} | forms if made else forms


def _partly(word: Word, own: Side, other: Side, conflict: Conflict) -> str | None:
    """A longer word with the adjective or name of `own` in it exchanged; None if there is no such part, or what
    comes out is no mention of `other` alone."""
    for part in sorted(alias_forms(own), key=len, reverse=True):
        if part == word.alias or alias_forms(own)[part] not in (ADJECTIVE, NAME, PERSON):
            continue
        pattern = rf"(?<![\w]){regex.escape(part)}(?!\w)" if word.form == COMPOUND else rf"{regex.escape(part)}(?!\w)"
        found = regex.search(pattern, word.alias) if word.form == COMPOUND else regex.match(pattern, word.alias)
        if not found:
            continue
        before_noun = word.form != COMPOUND and not word.alias[found.end() :].startswith(("'", "’"))
        new, fits = partner(Word(part, alias_forms(own)[part], before_noun, 0), own, other, conflict)
        whole = word.alias[: found.start()] + new + word.alias[found.end() :]
        if fits and {mention.side for mention in conflict.find_mentions(whole)} == {other.key}:
            return whole
    return None


def article_use(articles: Sequence[LabelledArticle]) -> ArticleUse:
    """Which names and bodies stand after "the" in the texts, more often than not."""
    votes: Counter[tuple[str, str]] = Counter()
    for item in articles:
        sides = {side.key: side for side in item.conflict.sides}
        for sentence in item.article.sentences:
            for mention in item.conflict.find_mentions(sentence.text):
                word = read_word(sentence.text, mention, sides[mention.side])
                lead = sentence.text[: mention.start]
                if word.form in (NAME, BODY) and not word.before_noun and (_ARTICLE.search(lead) or _is_open(lead)):
                    found = _ARTICLE.search(lead)
                    votes[item.conflict.name, word.alias] += 1 if found and found.group(1).lower() == "the" else -1
    return {key: count > 0 for key, count in votes.items()}


def _has_article(alias: str) -> bool:
    return without_article(alias) != alias


def _takes_the(word: str, side: Side, conflict: Conflict, use: ArticleUse) -> bool | None:
    """Whether `word` stands after "the"; None where it may or may not, as plurals."""
    if _has_article(word):
        return False
    form = alias_forms(side).get(word)
    if form == NAME:
        return use.get((conflict.name, word), bool(_TAKES_THE.search(word)))
    if form == BODY:
        possessive = regex.search(r"['’]s ", word) is not None
        return use.get((conflict.name, word), " " in word and not possessive)
    if form == NOUN:
        return regex.search(r"['’]s ", word) is None
    return False if form in (PERSON, TITLED) else None


def _with_article(lead: str, new: str, word: Word, takes_the: bool | None) -> tuple[str, str]:
    """The text before a mention, and the new word, with the article that the new word needs."""
    found = _ARTICLE.search(lead)
    if found and _has_article(new):
        lead = lead[: found.start()]
    elif found and found.group(1).lower() != "the":
        fitting = "a" if _CONSONANT.match(new) else "an"
        start, end = found.span(1)
        lead = lead[:start] + (fitting.capitalize() if lead[start] == "A" else fitting) + lead[end:]
    elif found and takes_the is False and not word.before_noun:
        lead = lead[: found.start()]
    elif takes_the and not found and not word.before_noun and (_has_article(word.alias) or _is_open(lead)):
        new = f"the {new}"
    return lead, new


def _lost_possessive(text: str, word: Word, new: str) -> int:
    """1 for an s after a name ("Kosovos stickers") that would hide the new word from being found, else 0."""
    s_follows = regex.match(r"[sS](?!\w)", text[word.end :]) is not None
    return int(s_follows and not (new[-1].isalpha() and new[-1] not in "sS"))


def _is_open(lead: str) -> bool:
    """Whether a name may begin after `lead` with an article: no article, possessive or adjective stands there."""
    found = _LAST_WORD.search(lead)
    if not found:
        return True  # a sentence's start, a bracket or a comma
    last = found.group(1)
    return last.endswith(".") or (last.lower() not in _DETERMINERS and _stands_alone_before(last))


def _stands_alone_before(word: str) -> bool:
    """Whether a name beside `word` stands by itself."""
    return word in _FUNCTION_WORDS or word.lower() in _FUNCTION_WORDS or bool(_VERBAL.search(word))


def _in_case(new: str, old: str, alias: str, starts: bool) -> str:
    """`new` in capitals if the mention is, with a capital at a sentence's start."""
    if old.isupper() and not alias.isupper():
        return new.upper()
    return new[0].upper() + new[1:] if starts else new


def _index(words: Sequence[str], word: str) -> int:
    return words.index(word) if word in words else -1


def _plain(text: str) -> str:
    return regex.sub(r"\s+", " ", fold(text)).casefold()
