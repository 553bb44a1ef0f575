"""Labelled articles: reading them with every label checked, and the splits by conflict."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..configs.reading import read_yaml
from ..model.article import Article
from ..model.errors import InputError
from ..model.files.reading import Reject, article_from_row, read_json_lines
from ..model.labels import Head, Scheme
from ..model.sides import Conflict, packaged_conflict

FOLDER = Path(__file__).parent / "corpus"
TAUGHT_FILE = FOLDER / "taught.jsonl.gz"
SPLITS_FILE = FOLDER / "splits.yaml"
SPLITS = ("train", "dev", "test")


@dataclass(frozen=True)
class LabelledArticle:
    """An article, its conflict, and for each head of a scheme a label a sentence, None where it was not judged.

    `taught` has, for articles that a model labelled, each class's probability a sentence; else it is empty.
    """

    article: Article
    conflict: Conflict
    labels: Mapping[str, tuple[str | None, ...]]
    taught: Mapping[str, tuple[Mapping[str, float], ...]] = field(default_factory=dict)

    def chances(self, head: str, sentence: int) -> Mapping[str, float]:
        """What training takes as the truth: a teacher's probabilities, else 1 for the label; empty if there is none."""
        if head in self.taught:
            return self.taught[head][sentence]
        label = self.labels[head][sentence]
        return {} if label is None else {label: 1.0}


def check_ids(articles: Iterable[LabelledArticle]) -> None:
    """Raise `InputError` if two articles share an id."""
    for id, count in Counter(item.article.id for item in articles).items():
        if count > 1:
            raise InputError(f"article '{id}' is in the data {count} times; give each article once, with its own id")


def labelled_heads(articles: Sequence[LabelledArticle], scheme: Scheme) -> list[Head]:
    """The heads that some sentence of `articles` has a label of."""
    return [head for head in scheme.heads if any(set(item.labels[head.name]) - {None} for item in articles)]


def corpus_files() -> list[str]:
    """The packaged corpus: JSON Lines of labelled articles."""
    return [str(path) for path in sorted(FOLDER.glob("*.jsonl"))]


def read_corpus(
    files: Iterable[str], scheme: Scheme, conflicts: Mapping[str, Conflict] | None = None
) -> list[LabelledArticle]:
    """The labelled articles of JSONL files. `conflicts` gives sides files by name beyond the packaged ones.

    Raises `InputError` with file, line, value and fix at the first line that is not a labelled article, has an
    unknown label, or names a conflict that nobody knows.
    """
    known = dict(conflicts or {})
    articles = []
    for name in files:
        if not Path(name).is_file():
            raise InputError(f"{name}: no such file")
        for line, row in read_json_lines(name):
            if isinstance(row, Reject):
                raise InputError(str(row))
            try:
                articles.append(labelled_article(row, scheme, known))
            except InputError as error:
                article = f", article '{row['id']}'" if row.get("id") else ""
                raise InputError(f"{name}, line {line}{article}: {error}") from None
    if not articles:
        raise InputError("no labelled articles in the data; give JSONL files as the README describes")
    return articles


def labelled_article(row: Mapping, scheme: Scheme, conflicts: dict[str, Conflict]) -> LabelledArticle:
    """One row of a labelled file, checked; conflicts loaded on the way are kept in `conflicts`."""
    sentences = row.get("sentences")
    if not isinstance(sentences, list) or not sentences:
        found = f"is {sentences!r:.40}" if sentences else "missing or empty"
        raise InputError(f"sentences: {found}; a labelled article has a list of {{text, side, stance}}")
    article = article_from_row(row, "")
    if not article.id or article.conflict is None:
        raise InputError("'id' and 'conflict' are both needed")
    if article.conflict not in conflicts:
        conflicts[article.conflict] = packaged_conflict(article.conflict)
    conflict = conflicts[article.conflict]
    labels, taught = {}, {}
    for head in scheme.heads:
        classes = head.classes(conflict.keys)
        values = tuple(s.get(head.name) if isinstance(s, Mapping) else None for s in row["sentences"])
        for number, value in enumerate(values, 1):
            if value is not None and value not in classes:
                raise InputError(
                    f"sentence {number}: {head.name} '{value}' is unknown; use one of: {', '.join(classes)}, or null"
                )
        labels[head.name] = values
        column = f"{head.name}_probabilities"
        given = [s.get(column) if isinstance(s, Mapping) else None for s in row["sentences"]]
        if any(given):
            taught[head.name] = tuple(_chances(value, column, n, classes) for n, value in enumerate(given, 1))
    return LabelledArticle(article, conflict, labels, taught)


def _chances(value: Any, column: str, number: int, classes: Sequence[str]) -> Mapping[str, float]:
    if (
        not isinstance(value, Mapping)
        or not set(value) <= set(classes)
        or not all(isinstance(p, int | float) and 0 <= p <= 1 for p in value.values())
        or not 0.98 <= sum(value.values()) <= 1.02  # what rounding leaves
    ):
        raise InputError(
            f"sentence {number}: {column} must give classes of {', '.join(classes)} "
            f"probabilities that add up to 1, in every sentence or none; got {value!r:.80}"
        )
    return value


def read_splits(path: Path = SPLITS_FILE) -> dict[str, str]:
    """Conflict name → "train", "dev" or "test". Raises `InputError` if a conflict stands in two of them."""
    found: dict[str, str] = {}
    for split, _, name in _listed(path):
        if name in found:
            raise InputError(f"{path}: conflict '{name}' is in both {found[name]} and {split}; keep one")
        found[name] = split
    return found


def read_kinds(path: Path = SPLITS_FILE) -> dict[str, str]:
    """Conflict name → "armed" or "unarmed", as the splits file lists it."""
    return {name: kind for _, kind, name in _listed(path)}


def _listed(path: Path) -> Iterator[tuple[str, str, str]]:
    """(split, kind, conflict) of every conflict in a splits file."""
    try:
        data = read_yaml(path)
    except ValueError as error:
        raise InputError(str(error)) from None
    for split in SPLITS:
        for kind, names in (data.get(split) or {}).items():
            yield from ((split, kind, name) for name in names)


def in_split(articles: Sequence[LabelledArticle], splits: Mapping[str, str], split: str) -> list[LabelledArticle]:
    """The articles whose conflict belongs to `split`."""
    return [item for item in articles if splits.get(item.conflict.name) == split]


def packaged_split(split: str, scheme: Scheme, conflicts: Mapping[str, Conflict]) -> list[LabelledArticle]:
    """The articles of one split of the packaged corpus."""
    return in_split(read_corpus(corpus_files(), scheme, conflicts), read_splits(), split)
