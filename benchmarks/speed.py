"""Labelling news from file to file beside a sentence classifier in a pipeline, in one process on one machine.

Run it with `make bench`, or `python benchmarks/speed.py FILE.jsonl` on labelled articles of your own. A pipeline labels
each sentence with the two before and after it, as sentence classifiers in context are commonly run: one at a time, 32
at a time as they come, and 32 at a time sorted by length. Ours reads a JSONL file of whole texts and writes labelled
rows, segmentation, tokenising and all. Both have the same encoder, number format and threads, and they take turns; the
figures are medians of three rounds, and ratios are what carries over to other machines.

The share of peak counts the multiplications that the encoder needs for our real tokens, padding not among them, and
holds them against what the machine reaches in plain matrix products of the encoder's own shapes.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer, pipeline
from transformers.utils.logging import set_verbosity_error
from whosays.model.batch.local import local_engine
from whosays.model.batch.run import label_files
from whosays.model.encoders import encoder_source
from whosays.model.errors import InputError
from whosays.model.labels import DEFAULT_SCHEME
from whosays.model.memory import keep_freed_memory
from whosays.model.predictor import Predictor, has_bf16
from whosays.training.corpus import LabelledArticle, packaged_split, read_corpus

# The larger encoder takes eight times as long a sentence, so it gets fewer.
MODELS = {"default": ("minilm", 1_000), "accurate": ("mpnet", 100)}
ROUNDS = 3


def articles(files: list[str], sentences: int) -> list[LabelledArticle]:
    """About `sentences` sentences of whole articles: the given files', or real ones of the packaged dev split."""
    found = read_corpus(files, DEFAULT_SCHEME) if files else packaged_split("dev", DEFAULT_SCHEME, {})
    chosen, count = [], 0
    for item in found:
        if count < sentences and (files or item.article.extra.get("part") == "real"):
            chosen.append(item)
            count += len(item.article.sentences)
    return chosen


def in_context(items: list[LabelledArticle]) -> list[str]:
    """Each sentence with its two neighbours on either side."""
    texts = []
    for item in items:
        sentences = [sentence.text for sentence in item.article.sentences]
        texts += [" ".join(sentences[max(0, n - 2) : n + 3]) for n in range(len(sentences))]
    return texts


def timed(run: Callable[[], Any]) -> float:
    """Seconds that `run` takes."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def multiplications(encoder: Any, lengths: list[int]) -> float:
    """Floating-point operations of the encoder's matrix products over sequences of these lengths."""
    c = encoder.config
    per_token = c.num_hidden_layers * (8 * c.hidden_size**2 + 4 * c.hidden_size * c.intermediate_size)
    attention = c.num_hidden_layers * 4 * c.hidden_size
    return float(sum(n * per_token + n * n * attention for n in lengths))


def peak(encoder: Any, dtype: torch.dtype) -> float:
    """Floating-point operations per second that the best of the encoder's own products keeps up, of 2,048 tokens each.

    Kept up for half a second, as a run has to: the best of single products is a burst that no work of any length sees.
    """
    wide, narrow = encoder.config.intermediate_size, encoder.config.hidden_size
    rates = []
    for rows, columns in ((narrow, narrow), (narrow, wide), (wide, narrow)):
        a, b = torch.randn(2048, rows).to(dtype), torch.randn(rows, columns).to(dtype)
        out = a @ b
        start, count = time.perf_counter(), 0
        while (seconds := time.perf_counter() - start) < 0.5:
            torch.mm(a, b, out=out)
            count += 1
        rates.append(count * 2.0 * 2048 * rows * columns / seconds)
    return max(rates)


def compare(model: str, items: list[LabelledArticle], precision: str, folder: Path) -> None:
    """Time both with one model in one number format; print rates, ratios and where our time goes."""
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    source = encoder_source(MODELS[model][0])
    texts = in_context(items)
    ordered = sorted(texts, key=len)
    classifier = AutoModelForSequenceClassification.from_pretrained(source, num_labels=5)
    classify = pipeline("text-classification", model=classifier, tokenizer=AutoTokenizer.from_pretrained(source))
    news = folder / "news.jsonl"
    rows = [{"id": i.article.id, "text": i.article.text, "conflict": i.conflict.name} for i in items]
    news.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    engine = local_engine(model, precision, 0.0)  # type: ignore[arg-type]

    def piped(given: list[str], batch: int) -> None:
        with torch.autocast("cpu", dtype, enabled=precision == "bf16"):
            classify(given, batch_size=batch, truncation=True)

    def ours() -> None:
        label_files([str(news)], folder / "out.jsonl", force=True, start_engine=lambda *_: engine)

    ways = {
        "pipeline, batch 1": lambda: piped(texts, 1),
        "pipeline, batch 32": lambda: piped(texts, 32),
        "pipeline, batch 32, sorted": lambda: piped(ordered, 32),
        "whosays": ours,
    }
    for warm_up in (ours, lambda: piped(texts[:64], 32)):
        warm_up()
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    peaks = []
    predictor = Predictor.load(model, precision)  # type: ignore[arg-type]
    for _ in range(ROUNDS):
        for name, run in ways.items():
            seconds[name].append(timed(run))
        peaks.append(peak(predictor.model.encoder, dtype))
    print(f"\n{model}, {precision}: {len(texts)} sentences of {len(items)} articles, {torch.get_num_threads()} threads")
    for name, values in seconds.items():
        ratio = median(value / mine for value, mine in zip(values, seconds["whosays"], strict=True))
        print(f"  {name}: {len(texts) / median(values):.0f} sentences/s; whosays takes 1/{ratio:.1f} of its time")
    _stages(predictor, items, median(seconds["whosays"]), median(peaks))


def _stages(predictor: Predictor, items: list[LabelledArticle], whole: float, best: float) -> None:
    """Where the time of a run goes, each stage alone; reading and preparing run beside the network in a real one."""
    jobs = [(item.article, item.conflict) for item in items]
    prepared = predictor.prepare(jobs)
    lengths = [len(window.ids) for window in prepared.windows]
    needed = multiplications(predictor.model.encoder, lengths)
    prepare = median(timed(lambda: predictor.prepare(jobs)) for _ in range(ROUNDS))
    network = median(timed(lambda: predictor.run(prepared)) for _ in range(ROUNDS))
    labelled = median(timed(lambda: predictor.label_prepared(prepared)) for _ in range(ROUNDS))
    print(
        f"  {sum(lengths)} tokens; {needed / whole / 1e9:.0f} of {best / 1e9:.0f} GFLOP/s, {needed / whole / best:.0%}"
    )
    print(
        f"  file to file {whole:.2f} s; network {network:.2f} s ({needed / network / best:.0%} of peak), "
        f"tokens and windows {prepare:.2f} s, labels {max(0.0, labelled - network):.2f} s, "
        f"reading, segmenting and writing the rest"
    )


def agreement(model: str, items: list[LabelledArticle]) -> None:
    """Print on how many labels bf16 and fp32 agree."""
    jobs = [(item.article, item.conflict) for item in items]
    one, two = (list(Predictor.load(model, precision).label_all(jobs)) for precision in ("fp32", "bf16"))
    pairs = [
        (a.labels[head], b.labels[head])
        for rows, others in zip(one, two, strict=True)
        for a, b in zip(rows, others, strict=True)
        for head in a.labels
    ]
    print(f"  bf16 agrees with fp32 on {sum(a == b for a, b in pairs) / len(pairs):.2%} of {len(pairs)} labels")


def start_up(folder: Path) -> None:
    """Print how long a new process takes to its first label, beside one that only imports the libraries."""
    article = folder / "article.txt"
    article.write_text("Kyiv said the bridge had fallen. Moscow denied it.\n", encoding="utf-8")
    label = ["-m", "whosays.cli", "predict", str(article), "--side", "Kyiv=Ukraine", "--side", "Moscow=Russia"]
    ways = {"import torch, transformers": ["-c", "import torch, transformers"], "whosays predict": label}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, args in ways.items():
            command = [sys.executable, *args]
            seconds[name].append(timed(lambda c=command: subprocess.run(c, check=True, capture_output=True)))
    print("\nstart-up: " + ", ".join(f"{name} {median(values):.1f} s" for name, values in seconds.items()))


def main() -> None:
    """Run all of it on the given files, or on the packaged dev split."""
    set_verbosity_error()
    keep_freed_memory()  # as the command does, for both ways
    with TemporaryDirectory() as scratch:
        for model, (_, sentences) in MODELS.items():
            try:
                items = articles(sys.argv[1:], sentences)
            except InputError as error:
                sys.exit(f"speed: {error}")
            try:
                for precision in ("fp32", "bf16") if has_bf16() else ("fp32",):
                    compare(model, items, precision, Path(scratch))
            except InputError as error:
                print(f"\n{model}: not measured: {error}")
                continue
            # Autocast to bf16 runs on any CPU, only not fast.
            agreement(model, items)
        start_up(Path(scratch))


if __name__ == "__main__":
    main()
