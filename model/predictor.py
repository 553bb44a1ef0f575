"""Articles in, labelled sentences out."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from threading import Barrier
from typing import Any, Literal

import numpy as np
import torch
from scipy.special import softmax
from transformers import PreTrainedTokenizerBase

from .article import Article
from .checkpoint import load_model
from .errors import InputError, WorkError
from .network import SentenceLabeler
from .onnx import OnnxLabeler
from .sides import Conflict, Mention
from .windows import Window, article_windows, collate, special_token_id, token_batches

Precision = Literal["auto", "fp32", "bf16"]
Job = tuple[Article, Conflict]
_Output = tuple[dict[str, np.ndarray], np.ndarray]
"""What the network says of B windows: logits [B, S, classes] by head, and the pointer's scores [B, S, M]."""

TOKEN_BUDGET = 1024
"""Tokens in one forward pass on a CPU, padding included: what keeps a layer's activations in its cache."""
_GPU_TOKEN_BUDGET = 65_536
_GPU_BYTES_PER_TOKEN = 256 * 1024
_GPU_STEP = 4096
CHUNK = 128
"""Articles that are windowed and batched together."""


@dataclass(frozen=True)
class ArticleScores:
    """What the network says of one article of n sentences, before calibration.

    `logits[head]` is [n, classes], float32, the classes as in `Head.classes`. `evidence[i][k]` is the mention of
    side k that sentence i points at most, None if its window has none. `truncated[i]`: sentence i lost its end.
    """

    logits: dict[str, np.ndarray]
    evidence: list[list[Mention | None]]
    truncated: list[bool]


@dataclass(frozen=True)
class Prepared:
    """Articles as the network reads them: their windows, and which sentences of each article were cut."""

    jobs: Sequence[Job]
    windows: list[Window]
    truncated: list[list[bool]]


@dataclass(frozen=True)
class Prediction:
    """One labelled sentence: its label, score (a probability) and every class's probability, by head.

    A label is None where its score is below the confidence asked for. `evidence` is the mention that the pointer
    chose, positions counted in the article; None unless the voice is a side.
    """

    article_id: str
    index: int
    start: int
    end: int
    text: str
    labels: dict[str, str | None]
    scores: dict[str, float]
    probabilities: dict[str, dict[str, float]]
    evidence: Mention | None
    evidence_text: str | None
    truncated: bool

    def row(self, probabilities: bool = False) -> dict[str, Any]:
        """The output row as plain types; with `probabilities`, those too, and by how much the best leads the second."""
        row: dict[str, Any] = {
            "article_id": self.article_id,
            "index": self.index,
            "start": self.start,
            "end": self.end,
            "text": self.text,
        }
        for head, label in self.labels.items():
            row |= {head: label, f"{head}_score": self.scores[head]}
        row |= {
            "evidence": self.evidence_text,
            "evidence_start": self.evidence.start if self.evidence else None,
            "evidence_end": self.evidence.end if self.evidence else None,
            "truncated": self.truncated,
        }
        if probabilities:
            for head, values in self.probabilities.items():
                first, second = sorted(values.values(), reverse=True)[:2]
                row |= {f"{head}_probabilities": values, f"{head}_margin": first - second}
        return row


class Predictor:
    """A model ready to label articles on one device, "cpu" or "cuda:0" and so on; by default a GPU if there is one.

    `precision` is the number format of the encoder: "auto" takes bfloat16 where the processor computes in it
    (AVX512-BF16, AMX, a GPU of that kind), float32 elsewhere. What runs on a GPU was never tried on a real one.
    On a CPU every core computes a batch of its own, so that none waits for another after each product, and the bits
    of a score do not depend on how many there are.
    Raises `InputError` at "bf16" for an ONNX model.
    """

    def __init__(
        self,
        model: SentenceLabeler | OnnxLabeler,
        tokenizer: PreTrainedTokenizerBase,
        *,
        precision: Precision = "auto",
        device: str | None = None,
    ) -> None:
        onnx = isinstance(model, OnnxLabeler)  # computes in float32 on the CPU, whatever the machine has
        if onnx and precision == "bf16":
            raise InputError("precision bf16: an ONNX model computes in float32; use auto or fp32")
        self.device = torch.device("cpu" if onnx else device or _best_device())
        self.model = model
        model.to(self.device)  # pyright: ignore[reportArgumentType] - transformers wraps nn.Module.to
        self.tokenizer = tokenizer
        self.pad_id = special_token_id(tokenizer, "pad", "eos")
        self.scheme = model.scheme
        self.bf16 = not onnx and (precision == "bf16" or (precision == "auto" and has_bf16(self.device)))
        self.token_budget = token_budget(self.device)
        # ONNX Runtime and a GPU divide a batch themselves.
        own = self.device.type == "cpu" and not onnx
        self._map: Callable[..., Iterator[_Output]] = _map_by_core if own else map

    @classmethod
    def load(cls, name: str = "default", precision: Precision = "auto", device: str | None = None) -> "Predictor":
        """The packaged model `name` or the one in folder `name`. Raises `InputError` as `load_model` does."""
        model, tokenizer = load_model(name)
        return cls(model, tokenizer, precision=precision, device=device)

    def label(self, article: Article, conflict: Conflict, min_confidence: float = 0.0) -> list[Prediction]:
        """The sentences of one article, in order."""
        return self.label_prepared(self.prepare([(article, conflict)]), min_confidence)[0]

    def label_all(self, jobs: Iterable[Job], min_confidence: float = 0.0) -> Iterator[list[Prediction]]:
        """The sentences of each article, in the order of the articles; memory stays bounded."""
        stream = iter(jobs)
        while chunk := list(islice(stream, CHUNK)):
            yield from self.label_prepared(self.prepare(chunk), min_confidence)

    def score(self, jobs: Sequence[Job]) -> list[ArticleScores]:
        """What the network says of each article, before calibration. Raises `InputError` at an empty article."""
        return self.run(self.prepare(jobs))

    def prepare(self, jobs: Sequence[Job]) -> Prepared:
        """Articles tokenised and laid in windows, which needs no network: it may run beside `run`, in a thread.

        Raises `InputError` at an empty article.
        """
        config = self.model.config
        windows, truncated = article_windows(
            jobs, self.tokenizer, max_tokens=config.max_tokens, overlap=config.overlap, anonymous=config.anonymous
        )
        return Prepared(jobs, windows, truncated)

    def run(self, prepared: Prepared) -> list[ArticleScores]:
        """What the network says of each prepared article, before calibration.

        Raises `WorkError` if a GPU has not the memory for it.
        """
        windows, results = prepared.windows, self._blank(prepared)
        self.model.eval()
        batches = list(token_batches([len(window.ids) for window in windows], self.token_budget))
        outputs = self._map(partial(self._compute, windows), batches)
        for batch, (logits, pointer) in zip(batches, outputs, strict=True):
            for row, window in enumerate(windows[i] for i in batch):
                best = _best_mentions(window, pointer[row])
                for slot in window.read:
                    result, n = results[window.article], window.sentences[slot]
                    result.evidence[n] = best[slot]
                    for head, values in logits.items():
                        result.logits[head][n] = values[row, slot, : result.logits[head].shape[1]]
        return results

    @torch.inference_mode()
    def _compute(self, windows: Sequence[Window], batch: Sequence[int]) -> _Output:
        """The network's answers for some of the windows."""
        try:
            tensors = collate([windows[i] for i in batch], self.pad_id)
            with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.bf16):
                output = self.model(**{name: self._moved(tensor) for name, tensor in tensors.items()})
            logits = {head: values.float().cpu().numpy() for head, values in output.logits.items()}
            return logits, output.pointer.float().cpu().numpy()
        except torch.OutOfMemoryError as error:
            raise WorkError(
                f"{self.device}: no memory left for {self.token_budget} tokens at once; "
                "is another program using this GPU? Stop it, or choose another by CUDA_VISIBLE_DEVICES"
            ) from error

    def _moved(self, tensor: torch.Tensor) -> torch.Tensor:
        """The tensor on this device; from pinned memory a GPU fetches it while the next one is on its way."""
        if self.device.type == "cuda":
            tensor = tensor.pin_memory()
        return tensor.to(self.device, non_blocking=True)

    def label_prepared(self, prepared: Prepared, min_confidence: float = 0.0) -> list[list[Prediction]]:
        """The labelled sentences of each prepared article."""
        scores = self.run(prepared)
        return [self._decode(job, found, min_confidence) for job, found in zip(prepared.jobs, scores, strict=True)]

    def _blank(self, prepared: Prepared) -> list[ArticleScores]:
        return [
            ArticleScores(
                {
                    head.name: np.zeros((len(cut), len(head.classes(conflict.keys))), np.float32)
                    for head in self.scheme.heads
                },
                [[] for _ in cut],
                cut,
            )
            for (_, conflict), cut in zip(prepared.jobs, prepared.truncated, strict=True)
        ]

    def _decode(self, job: Job, scores: ArticleScores, min_confidence: float) -> list[Prediction]:
        article, conflict = job
        temperatures = self.model.config.temperatures
        chances = {
            name: softmax(values.astype(np.float64) / temperatures.get(name, 1.0), axis=-1)
            for name, values in scores.logits.items()
        }
        predictions = []
        for n, sentence in enumerate(article.sentences):
            labels: dict[str, str | None] = {}
            best_scores: dict[str, float] = {}
            probabilities: dict[str, dict[str, float]] = {}
            evidence = None
            for head in self.scheme.heads:
                classes = head.classes(conflict.keys)
                values = chances[head.name][n]
                best = int(values.argmax())
                best_scores[head.name] = float(values[best])
                probabilities[head.name] = {name: float(p) for name, p in zip(classes, values, strict=True)}
                labels[head.name] = classes[best] if values[best] >= min_confidence else None
                if head.points and best >= len(head.labels) and labels[head.name] is not None:
                    evidence = scores.evidence[n][best - len(head.labels)]
            predictions.append(
                Prediction(
                    article.id,
                    n,
                    sentence.start,
                    sentence.end,
                    sentence.text,
                    labels,
                    best_scores,
                    probabilities,
                    evidence,
                    article.text[evidence.start : evidence.end] if evidence else None,
                    scores.truncated[n],
                )
            )
        return predictions


def token_budget(device: torch.device) -> int:
    """Tokens in one forward pass on a device, padding included.

    On a GPU, half of its memory over what a token takes at most in the larger packaged encoder, with a factor of two
    to spare (12 heads' scores for 512 others, and the widest layer, in float32), in steps of `_GPU_STEP`. It
    depends on the card and not on what is free of it: a run that is taken up again forms the same batches.
    """
    if device.type != "cuda":
        return TOKEN_BUDGET
    fitting = torch.cuda.get_device_properties(device).total_memory // 2 // _GPU_BYTES_PER_TOKEN
    return min(_GPU_TOKEN_BUDGET, max(1, fitting // _GPU_STEP) * _GPU_STEP)


def _map_by_core(compute: Callable[[list[int]], _Output], batches: Sequence[list[int]]) -> Iterator[_Output]:
    """`map`, on as many threads as torch would use for one product, each of which computes by itself.

    They are made for each run, at the cost of less than a millisecond: a process that is forked has none of the old.
    """
    if not batches:
        return
    cores = torch.get_num_threads()
    count = min(cores, len(batches))
    started = Barrier(count + 1)

    def alone() -> None:
        torch.set_num_threads(1)
        torch.get_num_threads()  # a thread's first look makes its number its own; later it would see the one set below
        started.wait()

    threads = ThreadPoolExecutor(count, "whosays-core", alone)
    try:
        outputs = threads.map(compute, batches)
        started.wait()
        torch.set_num_threads(cores)  # threads to come, which are not ours, take what was set last
        yield from outputs
    finally:
        started.abort()  # nobody waits for a thread that could not be started
        threads.shutdown(cancel_futures=True)


def _best_device() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"


def has_bf16(device: torch.device | None = None) -> bool:
    """Whether a device computes in bfloat16 in hardware; by default this machine's GPU, or else its CPU."""
    device = device or torch.device(_best_device())
    if device.type == "cuda":
        with torch.cuda.device(device):
            return torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


def _best_mentions(window: Window, pointer: np.ndarray) -> list[list[Mention | None]]:
    """For each slot and side, the mention with the highest score; pointer is [S, M], padding beyond the window's."""
    sides = np.array([mention.side for mention in window.mentions], dtype=int)
    best: list[list[Mention | None]] = [[None] * window.side_count for _ in window.sentences]
    for side in np.unique(sides):
        columns = np.flatnonzero(sides == side)
        chosen = columns[pointer[: len(best)][:, columns].argmax(axis=1)]
        for slot, column in enumerate(chosen):
            best[slot][side] = window.mentions[column].mention
    return best
