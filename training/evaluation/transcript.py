"""Everything that systems said about some articles: all that a report is computed from, without any model."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...model.files.writing import print_rows, replacing
from ...model.labels import Scheme
from ..corpus import LabelledArticle
from .baselines import BASELINES
from .judged import Answers
from .nameswap import NAMES_SWAPPED
from .predictions import prediction_rows, read_predictions
from .probes import PROBES

_KINDS = {"baselines": BASELINES, "probes": (*PROBES, NAMES_SWAPPED)}


@dataclass(frozen=True)
class Transcript:
    """The system's answers, those of each baseline, and those that a model gave under each probe, by key.

    Without a model there are no probes.
    """

    answers: Answers
    baselines: Mapping[str, Answers]
    probes: Mapping[str, Answers]


def join(transcripts: Sequence[Transcript]) -> Transcript:
    """The transcripts of different articles as one, in order; all have the same probes.

    A baseline is kept where every part has it, for those heads that it answers in every part.
    """
    baselines = [name for name in BASELINES if all(name in part.baselines for part in transcripts)]
    return Transcript(
        _chain(part.answers for part in transcripts),
        {name: _chain(_same_heads([part.baselines[name] for part in transcripts])) for name in baselines},
        {name: _chain(part.probes[name] for part in transcripts) for name in transcripts[0].probes},
    )


def _same_heads(parts: Sequence[Answers]) -> list[Answers]:
    """The answers for those heads that all parts have some for."""
    heads = set.intersection(*(set(part[0][0].labels) for part in parts))
    return [[[answer.only(heads) for answer in rows] for rows in part] for part in parts]


def _chain(parts: Iterable[Answers]) -> Answers:
    return [rows for part in parts for rows in part]


def write_transcript(transcript: Transcript, folder: Path, articles: Sequence[LabelledArticle], scheme: Scheme) -> None:
    """Write a predictions file a system: system.jsonl, and one of each baseline and probe in folders of theirs."""
    files = {folder / "system.jsonl": transcript.answers}
    for kind in _KINDS:
        files |= {folder / kind / f"{name}.jsonl": rows for name, rows in getattr(transcript, kind).items()}
    for path, answers in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as partial, partial.open("w", encoding="utf-8") as file:
            print_rows(prediction_rows(articles, answers, scheme), file)


def read_transcript(folder: Path, articles: Sequence[LabelledArticle], scheme: Scheme) -> Transcript:
    """What `write_transcript` wrote. Raises `InputError` as `read_predictions` does."""
    parts = {
        kind: {
            name: read_predictions(path, articles, scheme)
            for name in names
            if (path := folder / kind / f"{name}.jsonl").is_file()
        }
        for kind, names in _KINDS.items()
    }
    return Transcript(read_predictions(folder / "system.jsonl", articles, scheme), parts["baselines"], parts["probes"])
