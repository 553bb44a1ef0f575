"""Sentences per second of `Predictor` beside a per-sentence pipeline, on the same text and encoder, in one process.

Run it with `make bench`, or `python benchmarks/speed.py FILE.jsonl` on articles of your own. The pipeline labels each
sentence with two sentences of context on either side, in batches of 32 in the order they come, which is how sentence
classifiers in context are commonly run. The two take turns; the figures are medians of three rounds each, and the
ratio is what carries over between machines.
"""

import sys
import time
from statistics import median

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer, pipeline
from whosays.model.encoders import encoder_source
from whosays.model.labels import DEFAULT_SCHEME
from whosays.model.predictor import Predictor
from whosays.training.corpus import corpus_files, in_split, read_corpus, read_splits

SENTENCES = 1_200
ROUNDS = 3


def articles(files: list[str]) -> list:
    """About `SENTENCES` sentences of whole labelled articles: the given files', or the packaged development split's."""
    if files:
        found = read_corpus(files, DEFAULT_SCHEME)
    else:
        found = in_split(read_corpus(corpus_files(), DEFAULT_SCHEME), read_splits(), "dev")
    chosen, count = [], 0
    for item in found:
        if count >= SENTENCES:
            break
        chosen.append((item.article, item.conflict))
        count += len(item.article.sentences)
    return chosen


def in_context(jobs: list) -> list[str]:
    """Each sentence with its two neighbours on either side."""
    texts = []
    for article, _ in jobs:
        sentences = [sentence.text for sentence in article.sentences]
        texts += [" ".join(sentences[max(0, n - 2) : n + 3]) for n in range(len(sentences))]
    return texts


def main() -> None:
    """Time both, print rates and ratio."""
    jobs = articles(sys.argv[1:])
    texts = in_context(jobs)
    predictor = Predictor.load("default", precision="fp32")
    source = encoder_source("minilm")
    tokenizer = AutoTokenizer.from_pretrained(source)
    sentence_model = AutoModelForSequenceClassification.from_pretrained(source, num_labels=5)
    classify = pipeline("text-classification", model=sentence_model, tokenizer=tokenizer, batch_size=32)
    ways = {
        "windows": lambda: list(predictor.label_all(jobs)),
        "pipeline, batch 32": lambda: classify(texts, truncation=True),
    }
    for run in ways.values():  # warm up
        run()
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, run in ways.items():
            start = time.perf_counter()
            run()
            rates[name].append(len(texts) / (time.perf_counter() - start))
    print(f"{len(texts)} sentences of {len(jobs)} articles, {torch.get_num_threads()} threads, float32")
    for name, values in rates.items():
        print(f"{name}: {median(values):.0f} sentences/s")
    print(f"ratio: {median(a / b for a, b in zip(*rates.values(), strict=True)):.1f}")


if __name__ == "__main__":
    main()
