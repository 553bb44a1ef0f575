"""Writing rows to files: JSONL, CSV and Parquet. A file appears only whole, and what has appeared is on the disk."""

import csv
import io
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import pyarrow as pa
import pyarrow.parquet as pq

from ..errors import InputError

FORMATS = ("jsonl", "csv", "parquet")
_ROW_GROUP = 20_000
_ROW_GROUP_BYTES = 64_000_000
"""A row group of Parquet is closed at so many rows, or about so much text if that comes first."""

Row = dict[str, Any]


def check_parent(path: Path) -> None:
    """Raise `InputError` if the folder that `path` is to stand in does not exist."""
    if not path.absolute().parent.is_dir():
        raise InputError(f"{path}: the folder {path.parent} does not exist; make it first")


def partial_name(name: str) -> str:
    """What a file of this name is called until it is whole."""
    return f".{name}.partial"


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path to write to beside `path`, which takes its name once the block ends well and goes away if it does not.

    File and name are on the disk when this returns: a crash later cannot take them back.
    """
    partial = path.with_name(partial_name(path.name))
    try:
        yield partial
        sync(partial)
        partial.replace(path)
        sync(path.parent)
    finally:
        partial.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file; it appears only whole."""
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")


def sync(path: Path) -> None:
    """Wait until a file's content, or a folder's list of names, is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_rows(rows: Iterable[Row], path: Path, format: str, schema: pa.Schema) -> int:
    """Write rows in one of `FORMATS`; the file appears only whole. Returns how many there were.

    `schema` names the columns, in order. CSV and Parquet hold what a string column has that is no text as JSON.
    """
    with replacing(path) as partial:
        if format == "parquet":
            return _write_parquet(rows, partial, schema)
        with partial.open("w", encoding="utf-8", newline="") as file:
            return print_rows(rows, file) if format == "jsonl" else _write_csv(rows, file, schema)


def join_files(parts: Iterable[Path], path: Path, format: str, schema: pa.Schema) -> None:
    """One file out of several that `write_rows` wrote; it appears only whole. Memory stays bounded."""
    with replacing(path) as partial:
        if format == "parquet":
            with pq.ParquetWriter(partial, schema, compression="zstd") as writer:
                for table in _row_groups(parts):
                    writer.write_table(table)
            return
        header = io.StringIO(newline="")
        if format == "csv":
            _write_csv([], header, schema)
        with partial.open("wb") as joined:
            joined.write(header.getvalue().encode())
            for part in parts:
                with part.open("rb") as file:
                    file.seek(len(header.getvalue().encode()))
                    shutil.copyfileobj(file, joined, 1 << 20)


def _row_groups(parts: Iterable[Path]) -> Iterator[pa.Table]:
    waiting: list[pa.Table] = []
    for part in parts:
        with pq.ParquetFile(part) as file:
            for group in range(file.num_row_groups):
                waiting.append(file.read_row_group(group))
                if (
                    sum(table.num_rows for table in waiting) >= _ROW_GROUP
                    or sum(table.nbytes for table in waiting) >= _ROW_GROUP_BYTES
                ):
                    yield pa.concat_tables(waiting)
                    waiting = []
    if waiting:
        yield pa.concat_tables(waiting)


def print_rows(rows: Iterable[Row], file: TextIO) -> int:
    """Write rows as JSON Lines to an open file. Returns how many there were."""
    count = 0
    for row in rows:
        file.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")
        count += 1
    return count


def _write_csv(rows: Iterable[Row], file: TextIO, schema: pa.Schema) -> int:
    writer = csv.DictWriter(file, schema.names)
    writer.writeheader()
    texts = _text_columns(schema)
    maps = [field.name for field in schema if pa.types.is_map(field.type)]
    count = 0
    for row in rows:
        writer.writerow(_as_text(row, texts) | {name: json.dumps(row[name], ensure_ascii=False) for name in maps})
        count += 1
    return count


def _write_parquet(rows: Iterable[Row], path: Path, schema: pa.Schema) -> int:
    texts = _text_columns(schema)
    maps = [field.name for field in schema if pa.types.is_map(field.type)]
    count, size, batch = 0, 0, []
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for row in rows:
            item = _as_text(row, texts) | {name: list(row[name].items()) for name in maps}
            batch.append(item)
            count += 1
            size += sum(len(item[name] or "") for name in texts)
            if len(batch) == _ROW_GROUP or size >= _ROW_GROUP_BYTES:
                writer.write_table(pa.Table.from_pylist(batch, schema=schema))
                size, batch = 0, []
        if batch:
            writer.write_table(pa.Table.from_pylist(batch, schema=schema))
    return count


def _text_columns(schema: pa.Schema) -> list[str]:
    return [field.name for field in schema if pa.types.is_string(field.type)]


def _as_text(row: Row, columns: Sequence[str]) -> Row:
    """`row`, what is no text in these columns as JSON (dates in ISO 8601)."""
    changed = {}
    for name in columns:
        value = row[name]
        if value is not None and not isinstance(value, str):
            text = json.dumps(value, ensure_ascii=False, default=str)
            changed[name] = json.loads(text) if isinstance(json.loads(text), str) else text
    return row | changed
