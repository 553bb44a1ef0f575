"""Reading articles from files, as a stream: text, JSONL, CSV, Parquet and saved datasets.

A bad article inside a good file is a `Reject`, and the rest goes on. A row of text, JSONL or CSV is given up
where it gets longer than `ROW_LIMIT`, so memory stays bounded whatever such a file contains. Parquet and saved
datasets come `_TABLE_BATCH` rows at a time, whole however long: what is too long is rejected once it is in memory.
"""

import csv
import json
import math
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import IO, Any, AnyStr, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from ..article import Article, article_from_sentences, article_from_text, is_blank, is_utf8
from ..errors import InputError, WorkError
from .sources import DATASET, STDIN, Source, kind, open_bytes, open_text, source_ids

ROW_LIMIT = 10_000_000
"""Characters (bytes in JSONL) of the longest row, text file or field that is read."""
_ORIGINAL_LIMIT = 10_000
_TABLE_BATCH = 64
_DEEPEST = 100
_OBJECT = re.compile(rb"""\s*\{\s*(["}]|$)""")
_ARRAY = re.compile(rb"""\s*\[\s*([{"\]]|$)""")
"""How JSON begins, and a text that stands in brackets does not."""
OWN_COLUMNS = ("id", "text", "sentences", "conflict")
"""What an article is read from; a row's other columns are extra."""

csv.field_size_limit(2 * ROW_LIMIT)

Row = dict[str, Any]


@dataclass(frozen=True)
class Reject:
    """An article that could not be used: its file, its line or row there (from 1; None for a whole file), and why.

    `original` is the row as it stood in the file, cut if `cut`; None for a whole file.
    """

    file: str
    line: int | None
    reason: str
    original: str | None = None
    cut: bool = False

    def __str__(self) -> str:
        return f"{self.file}{f', line {self.line}' if self.line else ''}: {self.reason}"


class Position(NamedTuple):
    """A place in a stream of sources: everything up to this line of this source has been read."""

    source: int = 0
    line: int = 0


START = Position()


class Item(NamedTuple):
    """What stands at a position: an article or a reject, and the raw row (None for a whole file)."""

    position: Position
    content: Article | Reject
    raw: Any


def reject(file: str, line: int | None, reason: str, raw: Any = None) -> Reject:
    """A `Reject` whose original is `raw`: bytes or text as they stood in a file, or the values of a table's row."""
    if raw is None:
        return Reject(file, line, reason)
    if isinstance(raw, bytes):
        text = raw[: 4 * _ORIGINAL_LIMIT + 4].decode("utf-8", "backslashreplace")
    elif isinstance(raw, str):
        text = raw
    else:
        text = json.dumps({key: _shortened(value) for key, value in raw.items()}, ensure_ascii=False, default=str)
    return Reject(file, line, reason, text[:_ORIGINAL_LIMIT], len(text) > _ORIGINAL_LIMIT)


def _shortened(value: Any) -> Any:
    return value[: _ORIGINAL_LIMIT + 1] if isinstance(value, str) else value


def read_articles(sources: Sequence[Source]) -> Iterator[Article | Reject]:
    """The articles of `sources` in order, as a stream; `find_inputs` gives the sources."""
    return (item.content for item in read_items(sources))


def read_items(sources: Sequence[Source], keep: Sequence[str] = (), after: Position = START) -> Iterator[Item]:
    """Everything in `sources` after a position, in order. Articles have the columns `keep` as `extra`, if there."""
    for number, (source, id) in enumerate(zip(sources, source_ids(sources), strict=True)):
        if number < after.source:
            continue
        done = after.line if number == after.source else 0
        for line, content, raw in _read_source(source.path, id, done, keep):
            yield Item(Position(number, line), content, raw)


def _read_source(path: str, id: str, after: int, keep: Sequence[str]) -> Iterator[tuple[int, Article | Reject, Any]]:
    found = kind(path)
    if found == ".txt":
        if after == 0:
            yield 1, _read_text(path, id), None
        return
    if found == STDIN:
        if sys.stdin is None:
            raise InputError("standard input is closed; give it a text or JSON Lines, or name files")
        lines = _bounded_lines(sys.stdin.buffer)
        opening = _opening(lines)
        if _ARRAY.match(opening[-1]):
            raise InputError("standard input is a JSON array; give one object a line, as `jq -c '.[]'` writes them")
        if not _OBJECT.match(opening[-1]):
            begun = b"".join(opening)
            rest = sys.stdin.buffer.read(max(0, ROW_LIMIT + 1 - len(begun)))
            yield 1, _text_article(STDIN, id, begun + rest), None
            return
        rows = _parse_lines(STDIN, chain(opening, lines), after)
    else:
        rows = _READERS[str(found)](path, after, (*OWN_COLUMNS, *keep))
    for line, row, raw in rows:
        if line <= after:  # a reader may give again what is done, and says again where a file breaks off
            continue
        if isinstance(row, Reject):
            yield line, row, raw
            continue
        try:
            chosen = {name: value for name, value in row.items() if name in OWN_COLUMNS or name in keep}
            yield line, article_from_row(chosen, f"{id}-{line}"), raw
        except InputError as error:
            yield line, reject(path, line, str(error), raw), raw


def article_from_row(row: Mapping[str, Any], default_id: str) -> Article:
    """The article in a row with `sentences` (strings, or objects with `text`), or, without any, with `text`.

    `id` and `conflict` are optional; other columns go to `extra`. Raises `InputError` that names the field.
    """
    row = {name: _storable(name, value) for name, value in row.items()}
    conflict = row.get("conflict") or None
    if conflict is not None and not isinstance(conflict, str):
        raise InputError(f"conflict: must be text, got {conflict!r:.60}")
    id = row.get("id")
    id = default_id if id in (None, "") else str(id)
    extra = {name: value for name, value in row.items() if name not in OWN_COLUMNS}
    _check_encodable("id", id)
    for name, value in extra.items():
        _check_encodable(name, json.dumps(value, ensure_ascii=False, default=str))
    text, sentences = row.get("text"), row.get("sentences")
    if sentences not in (None, "") and (texts := _sentence_texts(sentences)):
        _check_text(" ".join(texts))
        article = article_from_sentences(id, texts, conflict, extra)
    elif isinstance(text, str):
        _check_text(text)
        article = article_from_text(id, text, conflict, extra)
    elif text is not None:
        raise InputError(f"text: must be text, got {text!r:.60}")
    elif sentences is not None:
        raise InputError("sentences: empty; there is nothing to label")
    else:
        raise InputError("text: missing; a row needs 'text' or 'sentences'")
    if is_blank(article.text):
        raise InputError("text: empty; there is nothing to label")
    return article


def _storable(column: str, value: Any, depth: int = 0) -> Any:
    """`value` with None for the numbers that JSON has none for, and bytes, as which some tables keep text, as text.

    Raises `InputError` if it is nested too deeply, or bytes are not UTF-8.
    """
    if depth > _DEEPEST:
        raise InputError(f"{column}: is nested more than {_DEEPEST} levels deep")
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise InputError(f"{column}: is bytes that are not UTF-8 text, {value!r:.60}") from None
    if isinstance(value, list | tuple):
        return [_storable(column, item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {name: _storable(column, item, depth + 1) for name, item in value.items()}
    return value


def _check_text(text: str) -> None:
    if len(text) > ROW_LIMIT:
        raise InputError(f"text: longer than {ROW_LIMIT:,} characters")
    _check_encodable("text", text)


def _check_encodable(field: str, text: str) -> None:
    if not is_utf8(text):
        raise InputError(f"{field}: has half of a surrogate pair, which UTF-8 cannot hold; mend the encoding")


def _sentence_texts(value: Any) -> list[str]:
    if isinstance(value, str):  # a CSV cell
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise InputError("sentences: must be a list; in CSV, a JSON list") from None
    if not isinstance(value, list):
        raise InputError(f"sentences: must be a list, got {value!r:.60}")
    texts = []
    for number, item in enumerate(value, 1):
        text = item.get("text") if isinstance(item, Mapping) else item
        if not isinstance(text, str) or is_blank(text):
            raise InputError(f"sentences: number {number} must be text or an object with 'text', got {item!r:.60}")
        texts.append(text)
    return texts


def _read_text(path: str, id: str) -> Article | Reject:
    with _opened(path, open_bytes) as file:
        try:
            content = file.read(ROW_LIMIT + 1)
        except OSError as error:  # its compression breaks off
            return Reject(path, None, f"cannot be read: {_first_line(error)}")
    return _text_article(path, id, content)


def _text_article(path: str, id: str, content: bytes) -> Article | Reject:
    if len(content) > ROW_LIMIT:
        return Reject(path, None, f"longer than {ROW_LIMIT:,} bytes; split it into articles")
    try:
        article = article_from_text(id, content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        return Reject(path, None, f"not UTF-8 text (byte {error.start}); convert it first")
    return Reject(path, None, "empty; there is nothing to label") if is_blank(article.text) else article


Rows = Iterator[tuple[int, Row | Reject, Any]]
"""(line, the row there or why there is none, the row as it stood) of a file.

Where a file cannot be read on, the line is its last one, so that a run that goes on after it finds nothing more.
"""


def read_json_lines(name: str) -> Iterator[tuple[int, Row | Reject]]:
    """(line number, object or reject) for every line of a JSONL file that is not blank."""
    return ((line, row) for line, row, _ in _read_jsonl(name, 0))


def _opened(name: str, opening: Callable[[str], IO[AnyStr]]) -> IO[AnyStr]:
    """An open file. Raises `WorkError` if it cannot be opened, which was seen to be possible before."""
    try:
        return opening(name)
    except OSError as error:
        raise WorkError(f"{name}: cannot be read: {_first_line(error)}") from None


def _read_jsonl(name: str, after: int, columns: Sequence[str] = ()) -> Rows:
    with _opened(name, open_bytes) as file:
        yield from _parse_lines(name, _bounded_lines(file), after)


def _bounded_lines(file: IO[bytes]) -> Iterator[bytes]:
    """The lines of a file; one longer than `ROW_LIMIT` comes cut, one byte too long, and its rest is skipped."""
    while line := file.readline(ROW_LIMIT + 1):
        yield line
        while len(line) > ROW_LIMIT and not line.endswith(b"\n"):
            line = file.readline(ROW_LIMIT + 1)


def _opening(lines: Iterator[bytes]) -> list[bytes]:
    """The lines up to the first that is not blank, or to `ROW_LIMIT`; one at least, and no byte order mark."""
    found = [next(lines, b"").removeprefix(b"\xef\xbb\xbf")]
    length = len(found[0])
    while not found[-1].strip() and length <= ROW_LIMIT and (line := next(lines, b"")):
        found.append(line)
        length += len(line)
    return found


def _parse_lines(name: str, lines: Iterable[bytes], after: int) -> Rows:
    number = 0
    try:
        for number, line in enumerate(lines, 1):
            if number <= after or not line.strip():
                continue
            row: Any = None
            reason = None
            if len(line) > ROW_LIMIT:
                reason = f"longer than {ROW_LIMIT:,} bytes"
            else:
                try:
                    row = json.loads(line)
                    reason = None if isinstance(row, dict) else "must be a JSON object"
                except UnicodeDecodeError:
                    reason = "not UTF-8 text"
                except (ValueError, RecursionError) as error:
                    reason = f"not valid JSON: {error}"
            yield number, reject(name, number, reason, line) if reason else row, line
    except OSError as error:
        yield number + 1, _broken_off(name, number + 1, error), None


def _broken_off(name: str, line: int, error: Exception) -> Reject:
    return Reject(name, line, f"cannot be read from here on: {_first_line(error)}")


def _first_line(error: Exception) -> str:
    return (str(getattr(error, "strerror", None) or error).strip() or type(error).__name__).splitlines()[0]


class _Records:
    """The lines of a CSV file for `csv.reader`, which record by record remembers what it has given.

    A record is ended early by `_TooLong`: then its rest is passed over, up to the line where its quotes are closed.
    """

    def __init__(self, file: IO[str]) -> None:
        self.file = file
        self.line = 0
        self.begin()

    def begin(self) -> None:
        """Forget the last record: the next line begins one."""
        self.first, self.length, self.quotes, self.raw = self.line + 1, 0, 0, ""

    def __iter__(self) -> "_Records":
        return self

    def __next__(self) -> str:
        line = self._read()
        if not line:
            raise StopIteration
        self.line += 1
        if len(self.raw) <= _ORIGINAL_LIMIT:
            self.raw += line[: _ORIGINAL_LIMIT + 1]
        if self.length > ROW_LIMIT:
            self._skip(line)
            raise _TooLong
        return line

    def _read(self) -> str:
        line = self.file.readline(ROW_LIMIT + 1)
        self.length += len(line)
        self.quotes += line.count('"')
        return line

    def _skip(self, line: str) -> None:
        while line and (self.quotes % 2 or not line.endswith(("\n", "\r"))):
            ended = line.endswith(("\n", "\r"))
            line = self._read()
            self.line += bool(ended and line)


class _TooLong(Exception):
    pass


def _read_csv(name: str, after: int, columns: Sequence[str] = ()) -> Rows:
    with _opened(name, open_text) as file:
        lines = _Records(file)
        # Taken as it comes, text behind a closing quotation mark may hide that several rows became one.
        reader = csv.reader(lines, strict=True)
        header: list[str] | None = None
        try:
            while True:
                lines.begin()
                reason = None
                try:
                    fields = next(reader)
                except StopIteration:
                    return
                except _TooLong:
                    fields, reason = [], f"longer than {ROW_LIMIT:,} characters; is a quotation mark never closed?"
                except csv.Error as error:
                    fields, reason = (
                        [],
                        f"a quotation mark is not closed, not doubled, or not at the end ({error})",
                    )
                if header is None:
                    header = fields
                    continue
                if lines.first <= after or not (fields or reason):
                    continue
                if reason is None and len(fields) > len(header):
                    reason = "more fields than the header has"
                elif reason is None and not is_utf8("".join(fields)):
                    reason = "not UTF-8 text"
                row = {key: value for key, value in zip(header, fields, strict=False) if value}
                yield lines.first, reject(name, lines.first, reason, lines.raw) if reason else row, lines.raw
        except OSError as error:
            yield lines.line + 1, _broken_off(name, lines.line + 1, error), None


# What a damaged table raises, and a row with text that is not UTF-8 or a date that Python cannot hold.
_UNREADABLE = (pa.ArrowException, ValueError, OSError, OverflowError)


def _read_parquet(name: str, after: int, columns: Sequence[str]) -> Rows:
    number = total = 0
    try:
        with _opened(name, open_bytes) as raw, pq.ParquetFile(raw, buffer_size=1 << 20) as file:
            wanted = [column for column in file.schema_arrow.names if column in columns]
            total = file.metadata.num_rows
            for group in range(file.num_row_groups):
                rows = file.metadata.row_group(group).num_rows
                if number + rows <= after:
                    number += rows
                    continue
                for batch in file.iter_batches(_TABLE_BATCH, row_groups=[group], columns=wanted):
                    yield from _table_rows(name, number, batch)
                    number += batch.num_rows
    except _UNREADABLE as error:
        yield max(number + 1, total), _broken_off(name, number + 1, error), None


def _read_dataset(name: str, after: int, columns: Sequence[str]) -> Rows:
    from datasets import Dataset, load_from_disk

    number = total = 0
    try:
        data = load_from_disk(name, keep_in_memory=False)
        assert isinstance(data, Dataset)
        data = data.select_columns([column for column in data.column_names if column in columns])
        total = len(data)
        arrow: Any = data.with_format("arrow")
        # Batches are the same wherever reading begins.
        for number in range(after // _TABLE_BATCH * _TABLE_BATCH, total, _TABLE_BATCH):
            yield from _table_rows(name, number, arrow[number : number + _TABLE_BATCH])
    except _UNREADABLE as error:
        yield max(number + 1, total), _broken_off(name, number + 1, error), None


def _table_rows(name: str, number: int, table: pa.Table | pa.RecordBatch) -> Rows:
    """The rows of a table, of which `number` are before it; only what cannot be read in it is rejected."""
    try:
        rows: list[Any] = table.to_pylist()
    except _UNREADABLE:
        rows = [_table_row(table.slice(index, 1)) for index in range(table.num_rows)]
    for line, row in enumerate(rows, number + 1):
        yield line, reject(name, line, f"cannot be read: {row}") if isinstance(row, str) else row, row


def _table_row(table: pa.Table | pa.RecordBatch) -> Row | str:
    """The one row of a table, or why it cannot be read."""
    try:
        return table.to_pylist()[0]
    except _UNREADABLE as error:
        return _first_line(error)


_READERS: dict[str, Callable[[str, int, Sequence[str]], Rows]] = {
    ".jsonl": _read_jsonl,
    ".csv": _read_csv,
    ".parquet": _read_parquet,
    DATASET: _read_dataset,
}
