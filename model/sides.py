"""The sides of a conflict, and where an article mentions them.

A sides file names a conflict and its parties with the words that reporting uses for each. The network never
sees a side as a class; it sees the mentions found here and points at them.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import regex
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..configs import packaged_names, packaged_path
from ..configs.reading import first_problem, read_yaml
from .article import is_utf8
from .errors import InputError
from .labels import RESERVED_VOICES

APOSTROPHES = "'’‘ʼ´`′"
HYPHENS = "-‐‑‒–"
_SOFT_HYPHEN = "\u00ad"
_INVISIBLE = f"{_SOFT_HYPHEN}\u200b\u200c\u200d\u2060\ufeff"
"""What web pages and PDF files leave inside words, and readers do not see."""
_UNPLAIN = regex.compile(rf"[\p{{M}}{_INVISIBLE}]")


@dataclass(frozen=True)
class Mention:
    """One occurrence of an alias of side `side`, at characters `start` to `end` (exclusive) of some text."""

    side: str
    start: int
    end: int


@dataclass(frozen=True)
class Side:
    """One party: `key` names it in labels, `name` in tables, `aliases` are its words in the text."""

    key: str
    name: str
    aliases: tuple[str, ...]


def fold(text: str) -> str:
    """`text` without diacritics, character for character, so that positions stay valid ("Erdoğan" → "Erdogan").

    Footnote figures, which Python takes for parts of a word, become spaces, and the apostrophe that it takes for a
    letter becomes the plain one.
    """
    return text if text.isascii() else "".join(map(_base, text))


@cache
def _base(character: str) -> str:
    """The letter under a character's diacritics; a character that is no letter with marks (한) stays as it is."""
    if unicodedata.category(character) == "No":  # ¹ ② ½
        return " "
    if character in APOSTROPHES:
        return "'"
    first, *marks = unicodedata.normalize("NFD", character)
    return first if all(unicodedata.combining(mark) for mark in marks) else character


def alias_key(alias: str) -> str:
    """What is equal for aliases that match the same text: case, diacritics, apostrophes, hyphens and spaces ignored."""
    folded = _without_marks(" ".join(alias.split())).casefold()
    return folded.translate(dict.fromkeys(map(ord, APOSTROPHES), "'") | dict.fromkeys(map(ord, HYPHENS), "-"))


def _without_marks(alias: str) -> str:
    """`alias` without diacritics, those that no letter composes with among them (Ọ̀yọ́), and without what cannot be seen;
    vowel signs stay (मोदी).
    """
    folded = fold(unicodedata.normalize("NFC", alias))
    return "".join(c for c in folded if not unicodedata.combining(c) and c not in _INVISIBLE)


def _any_case(character: str) -> str:
    """Pattern of one character in either case, or of its variants if it is an apostrophe or a hyphen."""
    variants = next((group for group in (APOSTROPHES, HYPHENS) if character in group), character + character.upper())
    return f"[{re.escape(variants)}]"


def _alias_pattern(alias: str, marks: str, unseen: str, ahead: str) -> str:
    """Regular expression of one alias in text that `fold` returned.

    `marks` is the pattern of combining marks after a letter and `unseen` that of what may stand between characters,
    which are skipped; `ahead` is that of the rest of a word, which must not follow.

    A lower-case letter matches either case, a capital only a capital ("rebels" finds "Rebels", "Rice" never
    "rice"); a space matches any white space, a line break included; apostrophes and hyphens match their variants.
    A capitalised alias, or one whose last word is, may be followed by a bare s, which scraping leaves of a possessive
    ("Syrias government", "al-Qaidas fighters"); the s stays outside the mention.
    """
    parts = []
    plain = _without_marks(alias)
    for character in plain:
        if character.isspace():
            parts.append(r"\s+")
        elif character in APOSTROPHES:
            parts.append(f"[{APOSTROPHES}]")
        elif character in HYPHENS:
            parts.append(f"[{HYPHENS}]")
        elif character.islower() and len(character.upper()) == 1:
            parts.append(f"[{character}{character.upper()}]{marks}")
        else:
            parts.append(re.escape(character) + (marks if _takes_marks(character) else ""))
    end = f"(?!{ahead})"
    is_name = plain[0].isupper() or re.split(rf"[{HYPHENS}\s]", plain)[-1][:1].isupper()
    may_have_s = is_name and plain[-1].isalpha() and plain[-1] not in "sS"
    return unseen.join(parts) + (f"(?=[sS]?{end})" if may_have_s else end)


def _takes_marks(character: str) -> bool:
    """Whether combining marks may follow: a letter, or a vowel sign, which some scripts write as a mark too."""
    return unicodedata.category(character)[0] in "LM"


@dataclass(frozen=True)
class Conflict:
    """A name and two or more sides.

    Sides are kept sorted by key: nothing downstream can depend on their order in a file, so reordering a file
    cannot change an answer, not even in the last bit. Raises `InputError` when there are fewer than two sides,
    when a key is a reserved voice or given twice, or when two sides claim an alias.
    """

    name: str
    sides: tuple[Side, ...]

    def __post_init__(self) -> None:
        if not is_utf8("".join([self.name, *(word for side in self.sides for word in (side.key, side.name))])):
            raise InputError(f"conflict {self.name!r:.80}: a name in it is not UTF-8 text; mend the encoding")
        where = f"conflict '{self.name}'"
        if len(self.sides) < 2:
            raise InputError(f"{where}: needs two sides or more, got {len(self.sides)}; add the other party")
        owners: dict[str, Side] = {}
        keys = [side.key for side in self.sides]
        for side in self.sides:
            if side.key in RESERVED_VOICES or not side.key.strip():
                raise InputError(
                    f"{where}: '{side.key}' cannot be a side's key; '{', '.join(RESERVED_VOICES)}' are taken"
                )
            if keys.count(side.key) > 1:
                raise InputError(f"{where}: side '{side.key}' is given twice; give each side its own key")
            if not side.aliases:
                raise InputError(f"{where}: side '{side.key}' has no aliases; list the words that name it")
            for alias in side.aliases:
                if not _without_marks(alias).strip():
                    raise InputError(f"{where}: side '{side.key}' has an empty alias; remove it")
                owner = owners.setdefault(alias_key(alias), side)
                if owner.key != side.key:
                    raise InputError(
                        f"{where}: alias '{alias}' is claimed by both '{owner.key}' and '{side.key}'; leave it to one"
                    )
        object.__setattr__(self, "sides", tuple(sorted(self.sides, key=lambda side: side.key)))

    @property
    def keys(self) -> tuple[str, ...]:
        """The sides' keys, sorted."""
        return tuple(side.key for side in self.sides)

    @cached_property
    def _owners(self) -> dict[str, str]:
        """The side of each of the patterns' named groups."""
        return {f"a{number}": side for number, (_, side) in enumerate(self._aliases)}

    @cached_property
    def _aliases(self) -> list[tuple[str, str]]:
        """Each alias and its side, the longest first."""
        return sorted(
            {(" ".join(alias.split()), side.key) for side in self.sides for alias in side.aliases},
            key=lambda pair: (-len(pair[0]), pair),
        )

    @cached_property
    def _plain(self) -> re.Pattern[str]:
        """Finds aliases in text without combining marks and invisible characters: nearly all, and ten times as fast as
        `_unplain`.
        """
        return re.compile(self._pattern("", "", r"[^\W_]", r"[^\W_]"))

    @cached_property
    def _unplain(self) -> "regex.Pattern[str]":
        word, soft = r"[\p{L}\p{M}\p{Nd}\p{Nl}]", f"{_SOFT_HYPHEN}*"
        # A soft hyphen joins what stands on either side; the others may stand for a space.
        return regex.compile(
            self._pattern(r"(?:(?!\p{ccc=0})\p{M})*+", f"[{_INVISIBLE}]*+", f"{word}{soft}", f"{soft}{word}")
        )

    def _pattern(self, marks: str, unseen: str, behind: str, ahead: str) -> str:
        """One alternation of all aliases; `behind` and `ahead` are what may not stand on either side of one.

        Aliases stand in one branch per first letter behind a look-ahead for it, so that a word is tried against few.
        """
        branches: dict[str, list[str]] = {}
        for number, (alias, _) in enumerate(self._aliases):
            first = _without_marks(alias)[0].lower()
            branches.setdefault(first, []).append(f"(?P<a{number}>{_alias_pattern(alias, marks, unseen, ahead)})")
        body = "|".join(f"(?={_any_case(first)})(?:{'|'.join(found)})" for first, found in sorted(branches.items()))
        return f"(?<!{behind})(?:{body})"

    def find_mentions(self, text: str) -> tuple[Mention, ...]:
        """The sides' mentions in `text`, in order: whole words, of aliases that overlap the longest."""
        folded = fold(text)
        pattern = self._unplain if not folded.isascii() and _UNPLAIN.search(folded) else self._plain
        return tuple(
            Mention(self._owners[str(match.lastgroup)], match.start(), match.end())
            for match in _longest_matches(pattern, folded)
        )

    def count_mentions(self, text: str) -> Counter[str]:
        """How often each side is mentioned in `text`, by key; sides that are not have no entry."""
        return Counter(mention.side for mention in self.find_mentions(text))


def _longest_matches(pattern: Any, text: str) -> Iterator[Any]:
    """Matches from left to right; where a longer one begins inside a match, it takes its place."""
    match = pattern.search(text)
    while match:
        inside = range(match.start() + 1, match.end())
        words = (at for at in inside if text[at].isalnum() and not text[at - 1].isalnum())
        longer = next((m for at in words if (m := pattern.match(text, at)) and len(m[0]) > len(match[0])), None)
        if longer:
            match = longer
        else:
            yield match
            match = pattern.search(text, match.end())


class _SideEntry(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    name: str
    aliases: list[str] = Field(min_length=1)


class _SidesFile(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    conflict: str
    sides: dict[str, _SideEntry]


def conflict_from_dict(data: Mapping[str, Any], where: str) -> Conflict:
    """A conflict from the content of a sides file; `where` names that file in errors, which are `InputError`."""
    try:
        parsed = _SidesFile.model_validate(data)
        return Conflict(
            parsed.conflict,
            tuple(Side(key, side.name, tuple(side.aliases)) for key, side in parsed.sides.items()),
        )
    except ValidationError as error:
        raise InputError(f"{where}: {first_problem(error)}") from None
    except InputError as error:
        raise InputError(f"{where}: {error}") from None


def load_conflict(path: str | Path) -> Conflict:
    """The conflict in a sides file. Raises `InputError`, one line that names the file, the field and the fix."""
    try:
        data = read_yaml(Path(path))
    except ValueError as error:
        raise InputError(str(error)) from None
    return conflict_from_dict(data, str(path))


def load_conflicts(paths: Iterable[str | Path]) -> dict[str, Conflict]:
    """The conflicts in sides files, by name. Raises `InputError` as `load_conflict` does, and if two files give other
    sides to the same conflict.
    """
    found: dict[str, Conflict] = {}
    files: dict[str, str | Path] = {}
    for path in paths:
        conflict = load_conflict(path)
        if found.setdefault(conflict.name, conflict) != conflict:
            raise InputError(
                f"{path}: gives conflict '{conflict.name}' other sides than {files[conflict.name]}; name it otherwise"
            )
        files.setdefault(conflict.name, path)
    return found


def packaged_conflict(name: str) -> Conflict:
    """The conflict called `name` that ships with the package. Raises `InputError` if there is none."""
    path = packaged_path("conflicts", name)
    if path is None:
        known = packaged_names("conflicts")
        close = [other for other in known if name.lower() in other or other.startswith(name[:4].lower())]
        hint = f"did you mean {', '.join(close)}?" if close else "`whosays conflicts` lists those that ship."
        raise InputError(f"unknown conflict {name!r:.80}: {hint} For another, give --sides FILE (in a recipe, `sides`)")
    return load_conflict(path)


def parse_side(option: str) -> Side:
    """A side from the command line's "Name=alias,alias"; the name counts as an alias too. Raises `InputError`."""
    name, equals, rest = option.partition("=")
    aliases = [alias.strip() for alias in rest.split(",") if alias.strip()]
    if not equals or not name.strip() or not aliases:
        raise InputError(f"--side '{option}': write it as \"Name=alias,alias\"")
    return Side(name.strip(), name.strip(), tuple(dict.fromkeys([name.strip(), *aliases])))
