"""Reading articles from files and writing labelled sentences: text, JSONL, CSV, Parquet.

A file that cannot be what it claims to be (missing, of an unknown kind, a table without its columns) is an
`InputError` before anything is read. A bad article inside a good file is a `Reject`, and the rest goes on.
"""

import csv
import glob
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, TextIO

import pyarrow as pa
import pyarrow.parquet as pq

from .article import Article, article_from_sentences, article_from_text
from .errors import InputError
from .predictor import Prediction

STDIN = "-"
READABLE = (".txt", ".jsonl", ".csv", ".parquet")
WRITABLE = (".jsonl", ".csv", ".parquet")
_FIELD_LIMIT = 10_000_000
_OWN_COLUMNS = ("id", "text", "sentences", "conflict")

csv.field_size_limit(_FIELD_LIMIT)


@dataclass(frozen=True)
class Reject:
    """An article that could not be read: its file, its line or row there (from 1; None for a whole file), and why."""

    file: str
    line: int | None
    reason: str

    def __str__(self) -> str:
        return f"{self.file}{f', line {self.line}' if self.line else ''}: {self.reason}"


def find_inputs(inputs: Iterable[str]) -> list[str]:
    """The files that `inputs` name (files, folders with all below them, globs, "-" for standard input), checked.

    Folders and globs give their readable files in sorted order. Raises `InputError` at what is missing, empty of
    readable files, of an unknown kind, or a table without a `text` or `sentences` column.
    """
    files: list[str] = []
    for given in inputs:
        path = Path(given)
        if given == STDIN:
            files.append(given)
        elif path.is_dir():
            found = sorted(str(p) for p in path.rglob("*") if p.suffix in READABLE and p.is_file())
            if not found:
                raise InputError(f"{given}: no {', '.join(READABLE)} file in this folder")
            files += found
        elif path.is_file():
            if path.suffix not in READABLE:
                raise InputError(f"{given}: unknown kind of file; give {', '.join(READABLE)}")
            files.append(given)
        else:
            found = sorted(
                name
                for name in glob.glob(given, recursive=True)  # noqa: PTH207 - an absolute pattern
                if Path(name).suffix in READABLE
            )
            if not found:
                raise InputError(f"{given}: no such file or folder")
            files += found
    for name in files:
        _check_columns(name)
    return files


def _check_columns(name: str) -> None:
    if name.endswith(".csv"):
        with _open_text(name) as file:
            try:
                columns = next(csv.reader(file), [])
            except UnicodeDecodeError:
                raise InputError(f"{name}: not UTF-8 text; convert it first") from None
            except csv.Error as error:
                raise InputError(f"{name}: cannot be read as CSV: {error}") from None
    elif name.endswith(".parquet"):
        try:
            columns = pq.read_schema(name).names
        except (pa.ArrowException, OSError) as error:
            raise InputError(f"{name}: cannot be read as Parquet: {str(error).splitlines()[0]}") from None
    else:
        return
    if not {"text", "sentences"} & set(columns):
        raise InputError(f"{name}: needs a column 'text' or 'sentences'; it has: {', '.join(columns) or 'none'}")


def read_articles(files: Iterable[str]) -> Iterator[Article | Reject]:
    """The articles of `files` in order, as a stream; `find_inputs` gives the files."""
    for name in files:
        if name == STDIN:
            yield from _read_stdin()
        elif name.endswith(".txt"):
            yield _read_text(name)
        else:
            for line, row in _READERS[Path(name).suffix](name):
                if isinstance(row, Reject):
                    yield row
                    continue
                try:
                    yield article_from_row(row, f"{Path(name).stem}-{line}")
                except InputError as error:
                    yield Reject(name, line, str(error))


def article_from_row(row: Mapping[str, Any], default_id: str) -> Article:
    """The article in a row with `text`, or with `sentences` (strings, or objects with `text`).

    `id` and `conflict` are optional; other columns go to `extra`. Raises `InputError` that names the field.
    """
    conflict = row.get("conflict") or None
    if conflict is not None and not isinstance(conflict, str):
        raise InputError(f"conflict: must be text, got {conflict!r:.60}")
    id = default_id if row.get("id") in (None, "") else str(row["id"])
    extra = {name: value for name, value in row.items() if name not in _OWN_COLUMNS}
    if row.get("sentences") is not None:
        texts = _sentence_texts(row["sentences"])
        _check_encodable(id, *texts)
        article = article_from_sentences(id, texts, conflict, extra)
    elif isinstance(row.get("text"), str):
        _check_encodable(id, row["text"])
        article = article_from_text(id, row["text"], conflict, extra)
    else:
        raise InputError("text: missing; a row needs 'text' or 'sentences'")
    if not article.sentences:
        raise InputError("text: empty; there is nothing to label")
    return article


def _check_encodable(*parts: str) -> None:
    try:
        "".join(parts).encode()
    except UnicodeEncodeError:
        raise InputError("text: has half of a surrogate pair, which UTF-8 cannot hold; mend the encoding") from None


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
        if not isinstance(text, str) or not text.strip():
            raise InputError(f"sentences: number {number} must be text or an object with 'text', got {item!r:.60}")
        texts.append(text)
    return texts


def _read_text(name: str) -> Article | Reject:
    try:
        text = Path(name).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        return Reject(name, None, f"not UTF-8 text (byte {error.start}); convert it first")
    except OSError as error:
        return Reject(name, None, f"cannot be read: {error.strerror}")
    return _whole(name, Path(name).stem, text)


def _whole(name: str, id: str, text: str) -> Article | Reject:
    article = article_from_text(id, text)
    return article if article.sentences else Reject(name, None, "empty; there is nothing to label")


def _read_stdin() -> Iterator[Article | Reject]:
    """Standard input: JSON Lines if its first line opens an object, else one article of plain text."""
    first = sys.stdin.buffer.readline().removeprefix(b"\xef\xbb\xbf")
    if not first.lstrip().startswith(b"{"):
        try:
            yield _whole(STDIN, "stdin", (first + sys.stdin.buffer.read()).decode("utf-8"))
        except UnicodeDecodeError as error:
            yield Reject(STDIN, None, f"not UTF-8 text (byte {error.start}); convert it first")
        return
    for line, row in _parse_lines(STDIN, chain([first], sys.stdin.buffer)):
        try:
            yield row if isinstance(row, Reject) else article_from_row(row, f"stdin-{line}")
        except InputError as error:
            yield Reject(STDIN, line, str(error))


Row = dict[str, Any]


def _parse_lines(name: str, lines: Iterable[str | bytes]) -> Iterator[tuple[int, Row | Reject]]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        if len(line) > _FIELD_LIMIT:
            yield number, Reject(name, number, f"longer than {_FIELD_LIMIT:,} bytes")
            continue
        try:
            row = json.loads(line)
        except UnicodeDecodeError:
            yield number, Reject(name, number, "not UTF-8 text")
        except (ValueError, RecursionError) as error:
            yield number, Reject(name, number, f"not valid JSON: {error}")
        else:
            yield number, row if isinstance(row, dict) else Reject(name, number, "must be a JSON object")


def read_json_lines(name: str) -> Iterator[tuple[int, Row | Reject]]:
    """(line number, object or reject) for every line of a JSONL file that is not blank."""
    with Path(name).open("rb") as file:
        yield from _parse_lines(name, file)


def _read_csv(name: str) -> Iterator[tuple[int, Row | Reject]]:
    with _open_text(name) as file:
        reader = csv.DictReader(file)
        while True:
            try:
                row = next(reader)
            except StopIteration:
                return
            except UnicodeDecodeError as error:  # decoding goes by blocks, so the rest of the file is lost too
                yield reader.line_num, Reject(name, reader.line_num, f"not UTF-8 text from here on ({error.reason})")
                return
            except csv.Error as error:
                yield reader.line_num, Reject(name, reader.line_num, str(error))
                continue
            extra = row.pop(None, None)  # type: ignore[call-overload]
            if extra is not None:
                yield reader.line_num, Reject(name, reader.line_num, "more fields than the header has")
            else:
                yield reader.line_num, {key: value for key, value in row.items() if value not in (None, "")}


def _read_parquet(name: str) -> Iterator[tuple[int, Row | Reject]]:
    number = 0
    try:
        for batch in pq.ParquetFile(name).iter_batches(batch_size=256):
            for row in batch.to_pylist():
                number += 1
                yield number, row
    except (pa.ArrowException, ValueError, OSError) as error:
        yield number + 1, Reject(name, number + 1, f"cannot be read from here on: {str(error).splitlines()[0]}")


_READERS: dict[str, Callable[[str], Iterator[tuple[int, Row | Reject]]]] = {
    ".jsonl": read_json_lines,
    ".csv": _read_csv,
    ".parquet": _read_parquet,
}


def _open_text(name: str) -> TextIO:
    return Path(name).open(encoding="utf-8-sig", newline="")


def check_output(path: Path, force: bool) -> None:
    """Raise `InputError` unless `path` ends as `WRITABLE` says, its folder exists, and it is new or `force`."""
    if path.suffix not in WRITABLE:
        raise InputError(f"{path}: unknown kind of output; end it in {', '.join(WRITABLE)}")
    if not path.parent.is_dir():
        raise InputError(f"{path}: the folder {path.parent} does not exist; make it first")
    if path.is_dir():
        raise InputError(f"{path}: is a folder; give a file")
    if path.exists() and not force:
        raise InputError(f"{path}: exists already; give --force to replace it")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path to write to beside `path`, which takes its name once the block ends well and goes away if it does not."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def write_rows(articles: Iterable[list[Prediction]], path: Path, probabilities: bool = False) -> int:
    """Write a row a sentence in the format of `path`'s ending; the file appears only whole. Returns the count."""
    rows = (prediction.row(probabilities) for article in articles for prediction in article)
    with replacing(path) as partial:
        return {".jsonl": _write_jsonl, ".csv": _write_csv, ".parquet": _write_parquet}[path.suffix](rows, partial)


def _write_jsonl(rows: Iterable[Row], path: Path) -> int:
    with path.open("w", encoding="utf-8") as file:
        return print_rows(rows, file)


def print_rows(rows: Iterable[Row], file: TextIO) -> int:
    """Write rows as JSON Lines to an open file. Returns how many there were."""
    count = 0
    for row in rows:
        file.write(json.dumps(row, ensure_ascii=False) + "\n")
        count += 1
    return count


def _flat(row: Row) -> Row:
    return {key: json.dumps(v, ensure_ascii=False) if isinstance(v, dict) else v for key, v in row.items()}


def _write_csv(rows: Iterable[Row], path: Path) -> int:
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = None
        for row in map(_flat, rows):
            if writer is None:
                writer = csv.DictWriter(file, list(row))
                writer.writeheader()
            writer.writerow(row)
            count += 1
    return count


_PARQUET_TYPES = {"index": pa.int32(), "start": pa.int64(), "end": pa.int64(), "truncated": pa.bool_()} | {
    "evidence_start": pa.int64(),
    "evidence_end": pa.int64(),
}


def _parquet_type(column: str) -> pa.DataType:
    if column.endswith(("_score", "_margin")):
        return pa.float64()
    # Classes differ between conflicts, so probabilities are a map and not a struct.
    return pa.map_(pa.string(), pa.float64()) if column.endswith("_probabilities") else pa.string()


def _write_parquet(rows: Iterable[Row], path: Path, batch_size: int = 10_000) -> int:
    stream = iter(rows)
    batch = list(islice(stream, batch_size))
    schema = pa.schema([(column, _PARQUET_TYPES.get(column, _parquet_type(column))) for column in (batch or [{}])[0]])
    count = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        while batch:
            items = [{k: list(v.items()) if isinstance(v, dict) else v for k, v in row.items()} for row in batch]
            writer.write_table(pa.Table.from_pylist(items, schema=schema))
            count += len(batch)
            batch = list(islice(stream, batch_size))
    return count
