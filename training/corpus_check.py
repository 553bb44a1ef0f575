"""What can be wrong with a labelled corpus, found by reading it: schema, labels, mentions, duplicates, split leaks."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ..model.errors import InputError
from ..model.files.reading import Reject, read_json_lines
from ..model.labels import DEFAULT_SCHEME, Scheme
from ..model.sides import Conflict, alias_key
from .corpus import LabelledArticle, labelled_article
from .near_duplicates import NearDuplicates


@dataclass(frozen=True)
class Finding:
    """One fault: file, line (from 1), article and what is wrong. A note is worth a look; anything else is an error.

    The article is empty where the line cannot be read or has no id.
    """

    file: str
    line: int
    article: str
    message: str
    note: bool = False

    def __str__(self) -> str:
        article = f", article '{self.article}'" if self.article else ""
        return f"{self.file}, line {self.line}{article}: {self.message}"


@dataclass(frozen=True)
class _Placed:
    file: str
    line: int
    item: LabelledArticle

    @cached_property
    def mentions(self) -> list[tuple[str, str]]:
        """(side, its words in the text) of every mention in the article."""
        return [
            (mention.side, sentence.text[mention.start : mention.end])
            for sentence in self.item.article.sentences
            for mention in self.item.conflict.find_mentions(sentence.text)
        ]

    def finding(self, message: str, note: bool = False) -> Finding:
        return Finding(self.file, self.line, self.item.article.id, message, note)


def check_corpus(
    files: Iterable[str],
    splits: Mapping[str, str],
    conflicts: Mapping[str, Conflict] | None = None,
    scheme: Scheme = DEFAULT_SCHEME,
    taught: Iterable[str] = (),
) -> list[Finding]:
    """Every finding in JSONL files of labelled articles; `splits` maps conflicts to splits, empty for none.

    Of `taught`, files that a teacher labelled, only what cannot be read: such news may repeat itself.
    """
    findings: list[Finding] = []
    placed: list[_Placed] = []
    known = dict(conflicts or {})
    for name in files:
        for item in _read(name, scheme, known):
            if isinstance(item, Finding):
                findings.append(item)
                continue
            place, sentences = item
            placed.append(place)
            findings += [place.finding(missing, note=True) for missing in _missing_keys(sentences, scheme)]
    for name in taught:
        findings += [item for item in _read(name, scheme, known) if isinstance(item, Finding)]
    findings += _repeated_ids(placed)
    for place in placed:
        findings += _article_findings(place, scheme)
    findings += _silent_aliases(placed)
    findings += _near_duplicates(placed, splits)
    if splits:
        findings += _split_findings(placed, splits)
    return findings


def _read(
    name: str, scheme: Scheme, conflicts: dict[str, Conflict]
) -> Iterator[Finding | tuple[_Placed, Sequence[Any]]]:
    """Each article of a file with its sentences as they stand there, or why there is none."""
    if not Path(name).is_file():
        raise InputError(f"{name}: no such file")
    empty = True
    for line, row in read_json_lines(name):
        empty = False
        if isinstance(row, Reject):
            yield Finding(name, line, "", row.reason)
            continue
        try:
            yield _Placed(name, line, labelled_article(row, scheme, conflicts)), row["sentences"]
        except InputError as error:
            yield Finding(name, line, str(row.get("id") or ""), str(error))
    if empty:
        yield Finding(name, 1, "", "there is no article in the file")


def _missing_keys(sentences: Sequence[Any], scheme: Scheme) -> Iterator[str]:
    """For each head the first sentence without a key of its name, which may be misspelt; null is a label not given."""
    for head in scheme.heads:
        for number, sentence in enumerate(sentences, 1):
            if not isinstance(sentence, Mapping) or head.name not in sentence:
                has = ", ".join(sentence) if isinstance(sentence, Mapping) else "text alone"
                yield f"sentence {number} has no '{head.name}' (it has: {has}); write null if it was not decided"
                break


def _repeated_ids(placed: Sequence[_Placed]) -> Iterator[Finding]:
    first: dict[str, _Placed] = {}
    for place in placed:
        other = first.setdefault(place.item.article.id, place)
        if other is not place:
            yield place.finding(f"the id stands already at {other.file}, line {other.line}")


def _article_findings(place: _Placed, scheme: Scheme) -> Iterator[Finding]:
    article, conflict = place.item.article, place.item.conflict
    mentioned = {side for side, _ in place.mentions}
    for number, sentence in enumerate(article.sentences, 1):
        if sentence.text != sentence.text.strip() or "\n" in sentence.text:
            yield place.finding(f"sentence {number} has white space around it or a line break in it")
    for head in scheme.heads:
        if head.points:
            voices = {label for label in place.item.labels[head.name] if label in conflict.keys}
            for voice in sorted(voices - mentioned):
                yield place.finding(f"{head.name} '{voice}' speaks, but none of its aliases occurs; add the alias")


def _silent_aliases(placed: Sequence[_Placed]) -> Iterator[Finding]:
    """Aliases that never match are a note a side: a sides file should know more words than its articles use."""
    places: dict[str, list[_Placed]] = defaultdict(list)
    for place in placed:
        places[place.item.conflict.name].append(place)
    for here in places.values():
        conflict = here[0].item.conflict
        heard = {alias_key(words) for place in here for _, words in place.mentions}
        for side in conflict.sides:
            silent = [alias for alias in side.aliases if alias_key(alias) not in heard]
            if silent:
                yield here[0].finding(
                    f"conflict '{conflict.name}', side '{side.key}': {len(silent)} of {len(side.aliases)} aliases "
                    f"never match: {', '.join(silent)}",
                    note=True,
                )


def _near_duplicates(placed: Sequence[_Placed], splits: Mapping[str, str]) -> Iterator[Finding]:
    """Sentences that nearly repeat one of another article.

    Of all that a sentence repeats, the first of another split is named, or else the first.
    """
    index = NearDuplicates()
    kept: list[tuple[_Placed, int]] = []
    for place in placed:
        mine = splits.get(place.item.conflict.name)
        for number, sentence in enumerate(place.item.article.sentences, 1):
            repeated = [
                (splits.get(other.item.conflict.name), other, at)
                for other, at in map(kept.__getitem__, index.add(sentence.text))
                if other.item.article.id != place.item.article.id
            ]
            if repeated:  # one finding a sentence
                theirs, other, at = min(repeated, key=lambda found: found[0] == mine)
                leak = f" across the splits {theirs} and {mine}" if mine != theirs else ""
                yield place.finding(
                    f"sentence {number} nearly repeats{leak} sentence {at} of article '{other.item.article.id}'"
                )
            kept.append((place, number))


def _split_findings(placed: Sequence[_Placed], splits: Mapping[str, str]) -> Iterator[Finding]:
    """Conflicts in no split, and source texts (an id up to its first dot) whose articles stand in two splits."""
    seen: dict[str, tuple[str, _Placed]] = {}
    for place in placed:
        split = splits.get(place.item.conflict.name)
        if split is None:
            yield place.finding(f"conflict '{place.item.conflict.name}' is in no split; add it to splits.yaml")
            continue
        text = place.item.article.id.partition(".")[0]
        other_split, other = seen.setdefault(text, (split, place))
        if other_split != split:
            yield place.finding(f"its text is in {split}, and as article '{other.item.article.id}' in {other_split}")
