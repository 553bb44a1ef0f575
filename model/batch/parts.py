"""The unit of work of a run: a part, a fixed number of articles that are labelled and written together.

Scores shift in the last bits with the shape of a batch. Batches are formed inside a part only, and what is in a part
depends on the input alone, so a part's rows do not depend on where a run was interrupted or who computed them.

An *engine* turns parts into labelled parts. It is told the model and asked for a stream; reading, the manifest and
writing do not know where the work is done.
"""

import queue
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from ..article import Article
from ..checkpoint import model_sha256
from ..errors import InputError
from ..files.reading import Item, Position, Reject, reject
from ..files.sources import Source
from ..predictor import Job, Precision, Prediction, Predictor
from ..sides import Conflict, packaged_conflict

PART_ITEMS = 128
"""Articles and rejects in a part. A run that is told to stop finishes one, so it must not take minutes."""
PART_CHARACTERS = 2_000_000
"""Text, kept columns included, after which a part is closed: it bounds its memory when articles are long."""
_AHEAD = 2

T = TypeVar("T")


@dataclass(frozen=True)
class Part:
    """Articles to label, what was rejected among them, and the position in the input where the part ends."""

    number: int
    jobs: list[Job]
    rejects: list[Reject]
    end: Position


@dataclass(frozen=True)
class LabelledPart:
    """A part, and the labelled sentences of each of its articles."""

    part: Part
    articles: list[list[Prediction]]


@dataclass(frozen=True)
class Engine:
    """A model at work somewhere.

    `run` takes parts and gives them back labelled, in the same order, as a stream. `heads` are the model's heads in
    order, `settings` what its answers depend on, as JSON types: model, weights, number format, token budget.
    """

    heads: tuple[str, ...]
    settings: Mapping[str, Any]
    run: Callable[[Iterable[Part]], Generator[LabelledPart]]


StartEngine = Callable[[str, Precision, float], Engine]
"""How an engine is started: model, precision, and the score under which a label is left empty."""


def engine_settings(model: str, predictor: Predictor) -> dict[str, Any]:
    """The settings of an engine that has this predictor at work; which engine that is makes no difference to labels."""
    return {
        "model": Path(model).absolute().name,
        "model_sha256": model_sha256(model),
        "precision": "bf16" if predictor.bf16 else "fp32",
        "token_budget": predictor.token_budget,
    }


def cut_parts(
    items: Iterable[Item],
    sources: list[Source],
    conflict: Conflict | None,
    first: int = 0,
    size: int = PART_ITEMS,
    check: Callable[[Job], Any] = lambda job: None,
) -> Iterator[Part]:
    """Items in parts of `size`, numbered from `first`; what has no conflict, or `check` raises `InputError` at, is
    rejected.

    `conflict` is for articles that name none or name this one; any other is a packaged one. Raises `InputError` if
    part 0 has no article, and one that names no conflict was rejected: then it was forgotten.
    """
    known: dict[str | None, Conflict] = {None: conflict, conflict.name: conflict} if conflict else {}
    jobs: list[Job] = []
    rejects: list[Reject] = []
    unnamed: Reject | None = None
    characters, end = 0, Position()
    for item in items:
        end = item.position
        if isinstance(item.content, Reject):
            rejects.append(item.content)
        else:
            try:
                job = (item.content, _find_conflict(item.content, known))
                check(job)
                jobs.append(job)
                characters += len(item.content.text) + sum(len(str(value)) for value in item.content.extra.values())
            except InputError as error:
                line = None if item.raw is None else end.line
                rejects.append(reject(sources[end.source].path, line, str(error), item.raw))
                if item.content.conflict is None:
                    unnamed = unnamed or rejects[-1]
        if len(jobs) + len(rejects) == size or characters >= PART_CHARACTERS:
            yield _part(first, jobs, rejects, end, unnamed)
            first, jobs, rejects, characters = first + 1, [], [], 0
    if jobs or rejects:
        yield _part(first, jobs, rejects, end, unnamed)


def _part(number: int, jobs: list[Job], rejects: list[Reject], end: Position, unnamed: Reject | None) -> Part:
    """A part; `unnamed` is the first article that was rejected because it names no conflict."""
    if number == 0 and unnamed and not jobs:
        more = f" (and {len(rejects) - 1} more)" if rejects[1:] else ""
        raise InputError(f"{unnamed}{more}")
    return Part(number, jobs, rejects, end)


def _find_conflict(article: Article, known: dict[str | None, Conflict]) -> Conflict:
    name = article.conflict
    if name not in known:
        if name is None:
            raise InputError(
                f"article {article.id!r:.80} names no conflict; say which with --conflict NAME, --sides FILE or "
                '--side "Name=alias,alias" given twice or more'
            )
        try:
            known[name] = packaged_conflict(name)
        except InputError as error:
            other = f"; the sides given are those of '{known[None].name}'" if None in known else ""
            raise InputError(f"{error}{other}") from None
    return known[name]


def ahead(items: Iterable[T], depth: int = _AHEAD) -> Iterator[T]:
    """The same items, made in a thread up to `depth` before they are asked for; errors there are raised here."""
    waiting: queue.Queue[tuple[bool, Any]] = queue.Queue(depth)
    closed = threading.Event()

    def put(more: bool, content: Any) -> None:
        while not closed.is_set():
            try:
                return waiting.put((more, content), timeout=0.1)
            except queue.Full:
                continue

    def produce() -> None:
        try:
            for item in items:
                put(True, item)
                if closed.is_set():
                    return
        except BaseException as error:
            put(False, error)
        else:
            put(False, None)

    # A daemon: it may be waiting on standard input when the process wants to end.
    thread = threading.Thread(target=produce, name="whosays-ahead", daemon=True)
    thread.start()
    try:
        while True:
            more, content = waiting.get()
            if more:
                yield content
            elif content is None:
                return
            else:
                raise content
    finally:
        closed.set()
        # A thread that is inside a library when the interpreter ends aborts the process.
        thread.join(timeout=5)
