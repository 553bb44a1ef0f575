"""What a run has to do: nothing yet done, an interrupted run to go on with, or a finished one whose input has grown.

Rows that are written never change. So inputs that were read must be as they were, and whatever else decides the rows
must be as it was; what differs is said, and the user chooses.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from ..errors import InputError
from ..files.reading import Position
from ..files.sources import STDIN, Source, fingerprint
from ..files.writing import replacing, sync
from .folder import Place, check_free, clear, mend
from .manifest import MANIFEST, Input, RunState, append, differences, is_published, read_manifest


def earlier_run(place: Place, sources: Sequence[Source], force: bool) -> RunState | None:
    """The run that stands at `place`, if it can be gone on with; None if there is none or it is to be replaced.

    Raises `InputError` if something stands there that is not to be replaced without `force`.
    """
    try:
        state = read_manifest(place.folder / MANIFEST)
        if state is None and place.file and is_published(place.file, place.manifest):
            state = read_manifest(place.manifest)
    except InputError:
        if not force:
            raise
        return None
    if state is None:
        check_free(place, force)
    elif force and is_done(place, state):
        return None
    elif any(source.path == STDIN for source in sources):  # it cannot be read twice, nor compared
        taken = place.file.exists() if place.file else state.finished
        if taken and not force:
            raise InputError(f"{place.output}: exists already; give --force to replace it")
        if not (force or any(item.path == STDIN for item in state.inputs)):
            raise InputError(
                f"{place.output}: an earlier run here was not over standard input and can still go on; "
                "give --force to start anew, or another output"
            )
        return None
    elif place.file and place.file.exists() and not (state.finished or force):
        raise InputError(f"{place.file}: exists already; give --force to replace it")
    return state


def is_done(place: Place, state: RunState) -> bool:
    """Whether a run has nothing left to do: all its parts are there, and the single file if there is to be one."""
    return state.finished and (place.file is None or state.published is not None)


def take_up(
    place: Place, earlier: RunState | None, given: Sequence[Source], settings: Mapping[str, Any], force: bool
) -> tuple[RunState, list[Source]]:
    """Begin a run or go on with an earlier one: where it stands, and its inputs in the order in which they are read.

    Its folder and manifest are as they have to be when this returns. Raises `InputError` if the earlier run had other
    settings, or inputs that have changed, unless `force`: then it begins anew.
    """
    sources = _in_order(given, earlier.inputs) if earlier else list(given)
    inputs = [Input(source.path, source.short, *_identity(source)) for source in sources]
    if earlier:
        changes = [*_input_changes(earlier.inputs, inputs), *differences(earlier.run, settings)]
        if earlier.published is not None:
            new = (item.path for item in inputs[len(earlier.inputs) :])
            changes += [f"input {path} is new, and only an output that is a folder can grow" for path in new]
        if not changes:
            try:
                return _go_on(place, earlier, inputs), sources
            except InputError:  # what it left is no longer whole
                if not force:
                    raise
        elif not force:
            more = f" (and {len(changes) - 1} more)" if changes[1:] else ""
            raise InputError(
                f"{place.output}: an earlier run here was another one: {changes[0]}{more}; "
                "make it as it was, give --force to start anew, or another output"
            )
        return take_up(place, None, given, settings, force)
    clear(place)
    # It appears only whole: a manifest without its first line would be nobody's.
    with replacing(place.folder / MANIFEST) as partial:
        append(partial, [{"run": settings}, *({"input": asdict(item)} for item in inputs)])
    sync(place.folder.absolute().parent)
    return RunState(settings, tuple(inputs)), sources


def _go_on(place: Place, earlier: RunState, inputs: Sequence[Input]) -> RunState:
    if earlier.published is not None:
        clear(place)
        return earlier
    mend(place, earlier)
    new = inputs[len(earlier.inputs) :]
    if new:
        append(place.folder / MANIFEST, ({"input": asdict(item)} for item in new))
        if earlier.finished:  # all that was known is read: no need to look where it ends
            earlier = replace(earlier, finished=False, end=Position(len(earlier.inputs), 0))
    return replace(earlier, inputs=tuple(inputs), files={})


def _in_order(given: Sequence[Source], known: Sequence[Input]) -> list[Source]:
    """The sources that an earlier run read, in its order and by the names they had then, then the others.

    Ids are made of those names, and the same file may be reached by another: as `news/day1/a.txt` in `news`, where
    it was `a.txt` in `news/day1`.
    """
    places = {item.path: number for number, item in enumerate(known)}
    named = (
        replace(source, short=known[places[source.path]].short) if source.path in places else source for source in given
    )
    return sorted(named, key=lambda source: places.get(source.path, len(places)))


def _identity(source: Source) -> tuple[int | None, str | None]:
    return (None, None) if source.path == STDIN else fingerprint(source.path)


def _input_changes(known: Sequence[Input], found: Sequence[Input]) -> list[str]:
    now = {item.path: item for item in found}
    changes = []
    for item in known:
        other = now.get(item.path)
        if other is None:
            changes.append(f"input {item.path} was read, and is not given or not there now")
        elif other != item:
            size = f"{item.bytes} bytes, is {other.bytes}" if item.bytes != other.bytes else "as long, but not the same"
            changes.append(f"input {item.path} has changed: it was {size}")
    return changes
