"""A trained model in another form: whole (merged), or as ONNX. Both are model folders that load by `--model`."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from filelock import FileLock, Timeout

from .article import article_from_sentences
from .checkpoint import WEIGHTS_FILES, is_configured, load_model, model_folder, save_model
from .errors import InputError, WorkError
from .onnx import ONNX_FILE, OnnxLabeler, write_onnx
from .predictor import Job, Predictor
from .sides import Conflict

Form = Literal["merged", "onnx"]

TOLERANCE = 1e-4
"""The largest difference of a probability between a model and its export; sums in another order make about 1e-5."""
_CARRIED = ("recipe.yaml", "metrics.json", "README.md")
_SCRATCH = ".whosays-export"


@dataclass(frozen=True)
class Parity:
    """How near an export is to its model on so many sentences.

    `deviation` is the largest difference of a probability, over all sentences, heads and classes, and `agreement`
    the share of equal labels over sentences and heads.
    """

    sentences: int
    deviation: float
    agreement: float


def export_model(
    name: str, output: Path, form: Form, jobs: Sequence[Job], say: Callable[[str], None] = lambda doing: None
) -> Parity:
    """Write model `name` to folder `output` in another form, and return how near the two are on `jobs`.

    "merged" is all weights in one file, an adapter merged into its encoder, so that nobody needs the encoder's
    package; "onnx" is the network as ONNX. Tokenizer, recipe, metrics and model card come along. What is compared is
    what loads from the disk, in float32, on each article and on all articles of a conflict as one, since windows of
    full length must be right too. The files appear in `output` when all is well, weights last; an older model there
    is replaced.

    Raises `InputError` if the model cannot be loaded or is ONNX already, as `check_places` does, if there are no
    `jobs` (those on conflicts with a side called as a label are passed over), or if another export is writing to
    `output`; `WorkError` if the encoder has no ONNX form or a probability differs by more than `TOLERANCE`.
    """
    source = check_places(name, output)
    if not jobs:
        raise InputError("no articles to compare the export with its model on")
    say("loading")
    model, tokenizer = load_model(name)
    if isinstance(model, OnnxLabeler):
        raise InputError(f"model '{name}': is ONNX already; export the model that it was made from")
    # Articles on conflicts one of whose sides has the name of a label of the model's cannot be labelled by it.
    own = {label for head in model.scheme.heads if head.points for label in head.labels}
    jobs = [(article, conflict) for article, conflict in jobs if own.isdisjoint(conflict.keys)]
    if not jobs:
        raise InputError(f"model '{name}': no articles to compare an export on that have no side called as its labels")
    with _scratch(output) as made:
        say(f"writing {form}")
        # `load_model` has merged the adapter.
        model.config.lora = None
        if form == "merged":
            save_model(model, tokenizer, made)
        else:
            model.config.save_pretrained(made)
            tokenizer.save_pretrained(made)
            write_onnx(model, made / ONNX_FILE)
        for extra in _CARRIED:
            if (source / extra).is_file():
                shutil.copyfile(source / extra, made / extra)
        say("comparing")
        own, exported = Predictor(model, tokenizer, precision="fp32"), Predictor.load(str(made), "fp32")
        found = compare(own, exported, [*jobs, *_joined(jobs)])
        if not found.deviation <= TOLERANCE:
            raise WorkError(
                f"{output}: not written; the export's probabilities differ from the model's by up to "
                f"{found.deviation:.1e}, which is more than {TOLERANCE:.0e}"
            )
        _move(made, made.parent)
    return found


def check_places(name: str, output: Path) -> Path:
    """The folder of model `name`, once it is sure that an export of it may go to `output`.

    Raises `InputError` if there is no such model, or `output` is its folder, a file, or a folder that holds anything
    but a model, whole or not: a project's README.md is not a model card that the export's may replace.
    """
    source = model_folder(name)
    if output.resolve() == source.resolve():
        raise InputError(f"{output}: is the folder of the model itself; write the export elsewhere")
    if output.exists() and not output.is_dir():
        raise InputError(f"{output}: is a file; give a folder")
    if not is_free(output) and not is_configured(output):
        raise InputError(f"{output}: is not empty and holds no model; give a new or empty folder")
    return source


def is_free(folder: Path) -> bool:
    """Whether a folder is missing or empty, but for what exports have in it that were killed or are not done yet."""
    return not folder.is_dir() or all(file.name.startswith(_SCRATCH) for file in folder.iterdir())


def compare(one: Predictor, other: Predictor, jobs: Sequence[Job]) -> Parity:
    """How near the answers of two models of one scheme are; `jobs` must hold one article at least."""
    sentences = equal = labels = 0
    deviation = 0.0
    for rows, others in zip(one.label_all(jobs), other.label_all(jobs), strict=True):
        sentences += len(rows)
        for a, b in zip(rows, others, strict=True):
            labels += len(a.labels)
            equal += sum(label == b.labels[head] for head, label in a.labels.items())
            for head, values in a.probabilities.items():
                for label, value in values.items():
                    difference = abs(value - b.probabilities[head][label])
                    # Written so that what is not a number stays, which no tolerance lets through.
                    deviation = deviation if difference <= deviation else difference
    return Parity(sentences, deviation, equal / labels)


def _joined(jobs: Sequence[Job]) -> Iterator[Job]:
    """All articles of each conflict as one."""
    texts: dict[Conflict, list[str]] = {}
    for article, conflict in jobs:
        texts.setdefault(conflict, []).extend(sentence.text for sentence in article.sentences)
    for conflict, sentences in texts.items():
        yield article_from_sentences(f"all on {conflict.name}", sentences), conflict


@contextmanager
def _scratch(output: Path) -> Iterator[Path]:
    """A folder to make an export in, inside the one it is for: what is made elsewhere may be on another filesystem.

    What exports that were killed have left there goes; so does a new `output` that nothing was moved into. Raises
    `InputError` if another export has the folder.
    """
    folder, new = output.resolve(), not output.exists()
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / f"{_SCRATCH}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise InputError(f"{output}: another export is writing it; wait for that one to end") from None
    try:
        for left in folder.glob(f"{_SCRATCH}-*"):
            shutil.rmtree(left, ignore_errors=True)
        with TemporaryDirectory(prefix=f"{_SCRATCH}-", dir=folder) as made:
            yield Path(made)
    finally:
        Path(lock.lock_file).unlink(missing_ok=True)
        if new:
            with suppress(OSError):  # there is an export in it
                folder.rmdir()
        lock.release()


def _move(made: Path, folder: Path) -> None:
    """Old weights go first and the new ones come last, so a folder with weights is whole and of one model.

    config.json comes first, by which a folder is known for a model's, if this is interrupted.
    """
    for stale in (*WEIGHTS_FILES, *_CARRIED):
        (folder / stale).unlink(missing_ok=True)
    last = [made / file for file in reversed(WEIGHTS_FILES) if (made / file).is_file()]
    for file in (made / "config.json", *(set(made.iterdir()) - {made / "config.json", *last}), *last):
        file.replace(folder / file.name)
