"""A run: articles of any number of files labelled into a file or folder, exactly once.

Whenever a run is stopped, started again with the same arguments it goes on at the first part that its manifest does
not list, and ends with the same bytes as if it had never been stopped. A finished run over a folder that has grown
since labels what is new.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa

from ..errors import InputError, WorkError
from ..files.reading import OWN_COLUMNS, read_items
from ..files.sources import DATASET, STDIN, Source, columns_of, find_inputs, kind
from ..predictor import Precision
from ..sides import Conflict
from .folder import Place, is_output, locked, publish, run_place, write_part
from .layout import CONFLICT, SENTENCES, Layout, kept_value
from .local import local_engine
from .manifest import MANIFEST, VERSION, Input, RunState, after_part, append
from .parts import PART_CHARACTERS, PART_ITEMS, Engine, LabelledPart, Part, StartEngine, cut_parts
from .plan import earlier_run, is_done, take_up

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Summary:
    """What a run has done in all, those before it in the same place included.

    `resumed` counts the parts that were there when it started, `unmentioned` the articles in which no side is
    mentioned; `rejects_file` is None if nothing was rejected; `finished` is false if it was told to stop, `idle` is
    true if there was nothing left to do.
    """

    output: Path
    rejects_file: Path | None
    parts: int
    resumed: int
    articles: int
    rows: int
    unmentioned: int
    rejects: int
    finished: bool
    idle: bool = False


def label_files(
    inputs: str | Path | Iterable[str | Path],
    output: str | Path,
    *,
    model: str = "default",
    conflict: Conflict | None = None,
    precision: Precision = "auto",
    min_confidence: float = 0.0,
    layout: Layout = SENTENCES,
    format: str | None = None,
    partition_by: str | None = None,
    force: bool = False,
    strict: bool = False,
    stop: Callable[[], bool] = lambda: False,
    tell: Callable[[Part, Summary], None] = lambda part, summary: None,
    start_engine: StartEngine = local_engine,
    part_items: int = PART_ITEMS,
) -> Summary:
    """Label articles in files, folders or globs into a file (.jsonl, .csv, .parquet) or a folder of parts.

    `conflict` is for articles that name none. `format` and `partition_by` are for folders, see `Place`. `stop` is
    asked after every part; `tell` hears of every part when it is written, and what is done by then. Standard input
    ("-") cannot be read twice, so a run over it starts from the beginning.

    What cannot be used is a reject, even if it is all of the input. Raises `InputError` if the input, the output or
    an option cannot be used, there is no article in the input, `conflict` was forgotten, or an earlier run in the
    same place had other inputs, model or settings (`force` starts anew then, and replaces what is finished);
    `WorkError` if writing fails, an input changes meanwhile, or, if `strict`, at the first reject, those of the run so
    far among them. What was whole stays, and the same call goes on from there.
    """
    output, inputs = Path(output), _names(inputs)
    place = run_place(output, format, partition_by)
    if place.file and place.file.exists() and any(_is_same(name, place.file) for name in inputs):
        raise InputError(f"{output}: is among the inputs; write the output elsewhere")
    own = [place.folder, *([place.file, place.rejects, place.manifest] if place.file else [])]
    given = find_inputs(inputs, own, is_output)
    _check_confidence(min_confidence)
    columns = sorted({*layout.keep, *([] if partition_by is None else [partition_by])} - {CONFLICT})
    unsure = _check_columns(columns, given)

    def parts_from(sources: list[Source], state: RunState) -> Iterator[Part]:
        items = read_items(sources, columns, state.end)
        parts = cut_parts(items, sources, conflict, state.parts, part_items, place.partition)
        return parts if state.parts else _begun(parts, unsure)

    with locked(place):
        earlier = earlier_run(place, given, force)
        # That there is nothing to label, or no conflict, shows before a model is loaded.
        parts = parts_from(given, RunState({})) if earlier is None else None
        engine = start_engine(model, precision, min_confidence)
        settings = {
            "version": VERSION,
            "whosays": version("whosays"),
            **engine.settings,
            "conflict": _content(conflict),
            "min_confidence": min_confidence,
            "by": layout.by,
            "probabilities": layout.probabilities,
            "keep": list(layout.keep),
            "format": place.format,
            "partition_by": partition_by,
            "part_items": part_items,
            "part_characters": PART_CHARACTERS,
        }
        schema = _schema(layout, engine, settings)
        if place.format == "parquet" and partition_by in schema.names:
            raise InputError(
                f"column '{partition_by}' to partition by: the output has a column of that name too, and tables are "
                "not read with both; do not keep it, or rename it in the input"
            )
        state, sources = take_up(place, earlier, given, settings, force)
        resumed, idle = state.parts, is_done(place, state)
        if strict and state.rejects:
            raise WorkError(f"{output}: {state.rejects} articles were rejected already (--strict stops at the first)")
        try:
            if not state.finished:
                parts = parts or parts_from(sources, state)
                with closing(engine.run(parts)) as labelled:
                    for done in labelled:
                        if strict and done.part.rejects:
                            raise WorkError(f"{done.part.rejects[0]} (--strict stops here)")
                        record = write_part(place, state, done, layout, schema)
                        append(place.folder / MANIFEST, [{"part": record}])
                        state = after_part(state, record)
                        tell(done.part, _summary(place, state, resumed))
                        if stop():
                            return _summary(place, state, resumed)
                _check_unchanged(state.inputs)
                totals = {"inputs": len(state.inputs), "parts": state.parts, "articles": state.articles}
                append(place.folder / MANIFEST, [{"finished": totals | {"rows": state.rows, "rejects": state.rejects}}])
            if state.published is None:
                publish(place, state, schema)
        except OSError as error:
            reason = (error.strerror or str(error)).splitlines()[0]
            raise WorkError(
                f"{output}: {reason}; {state.articles} articles in {state.parts} parts are safe, {going_on(inputs)}"
            ) from error
        return replace(_summary(place, state, resumed), finished=True, idle=idle)


def going_on(inputs: Iterable[str]) -> str:
    """What becomes of a run over these inputs that has ended early, as the end of a message."""
    if STDIN in inputs:
        return "but the same command begins anew: standard input cannot be read twice"
    return "and the same command goes on from there"


def _names(inputs: str | Path | Iterable[str | Path]) -> list[str]:
    """Inputs as `find_inputs` wants them; a single one need not be a list."""
    return [str(inputs)] if isinstance(inputs, str | Path) else [str(name) for name in inputs]


def label_stream(
    inputs: str | Path | Iterable[str | Path],
    *,
    model: str = "default",
    conflict: Conflict | None = None,
    precision: Precision = "auto",
    min_confidence: float = 0.0,
    layout: Layout = SENTENCES,
    keep: Iterable[str] = (),
    start_engine: StartEngine = local_engine,
) -> Iterator[LabelledPart]:
    """The same labels as `label_files` writes, as a stream of parts.

    `layout` is what the rows are to be: its columns are checked, and articles keep them; `keep` names columns that
    articles keep besides, where they have them. Raises `InputError` at once if the input, the model or a column
    cannot be used, there is no article in the input or `conflict` was forgotten.
    """
    sources = find_inputs(_names(inputs), is_output=is_output)
    _check_confidence(min_confidence)
    columns = [name for name in layout.keep if name != CONFLICT]
    unsure = _check_columns(columns, sources)
    parts = _begun(cut_parts(read_items(sources, [*columns, *keep]), sources, conflict), unsure)
    engine = start_engine(model, precision, min_confidence)
    layout.schema(engine.heads)  # for what it raises
    return engine.run(parts)


def _check_confidence(least: float) -> None:
    if not 0 <= least <= 1:  # nor is what is no number at all
        raise InputError(f"min_confidence must be a probability from 0 to 1, got {least}")


def _check_columns(names: Iterable[str], sources: Iterable[Source]) -> list[str]:
    """Those columns that no table has, but rows of JSON may have.

    Raises `InputError` if a column cannot follow into the output, or no input has it; a text has none.
    """
    unsure = []
    inputs = [source.path for source in sources if kind(source.path) != ".txt"]
    for name in names:
        if not name:
            raise InputError("a column to keep or to partition by has no name; write it out, or leave the option away")
        if name in OWN_COLUMNS:
            raise InputError(f"column '{name}': is what articles are read from, so it cannot follow into the output")
        if any(name in (columns or ()) for columns in map(columns_of, inputs)):
            continue
        if not any(columns is None for columns in map(columns_of, inputs)):
            raise InputError(f"column '{name}': none of the inputs has it")
        unsure.append(name)
    return unsure


def _begun(parts: Iterator[Part], unsure: Sequence[str]) -> Iterator[Part]:
    """The same parts, with a warning of the columns that no article of the first has, of those that it is not sure are
    anywhere. Raises `InputError` if there is none.
    """
    first = next(parts, None)
    if first is None:
        raise InputError("there is no article in the input; give files that have some")
    for name in unsure:
        if first.jobs and all(kept_value(job, name) is None for job in first.jobs):
            logger.warning("column '%s': none of the first %d articles has it; is it spelt so?", name, len(first.jobs))
    return chain([first], parts)


def _content(conflict: Conflict | None) -> dict[str, Any] | None:
    if conflict is None:
        return None
    sides = {side.key: {"name": side.name, "aliases": list(side.aliases)} for side in conflict.sides}
    return {"name": conflict.name, "sides": sides}


def _schema(layout: Layout, engine: Engine, settings: dict[str, Any]) -> pa.Schema:
    """The output's columns; Parquet files carry what made them as metadata, `whosays.model_sha256` and so on."""
    made = {name: value for name, value in settings.items() if name in {"whosays", *engine.settings}}
    return layout.schema(engine.heads).with_metadata(
        {f"whosays.{name}".replace("whosays.whosays", "whosays.version"): str(value) for name, value in made.items()}
    )


def _is_same(path: str, other: Path) -> bool:
    return path != STDIN and Path(path).exists() and other.samefile(path)


def _check_unchanged(inputs: Iterable[Input]) -> None:
    for item in inputs:
        path = Path(item.path)
        if item.bytes is None or kind(item.path) == DATASET:
            continue
        if not path.is_file() or path.stat().st_size != item.bytes:
            raise WorkError(f"{item.path}: changed while it was read; let it be finished, then start anew with --force")


def _summary(place: Place, state: RunState, resumed: int) -> Summary:
    return Summary(
        place.output,
        place.rejects if state.rejects else None,
        state.parts,
        resumed,
        state.articles,
        state.rows,
        state.unmentioned,
        state.rejects,
        finished=False,
    )
