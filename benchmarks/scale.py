"""Memory and speed of `whosays predict` by the number of articles: memory must not grow with it.

    python benchmarks/scale.py [--model FOLDER] [COUNT …]

For each count (10,000 and 100,000 unless given) it writes so many short articles, made of the seed article's
sentences, labels them into a Parquet file in a process of its own, and prints that process's peak memory. The model is
a tiny random one unless another is given, so what it times is all the rest: reading, segmenting, tokenising, writing.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory

from tiny import write_tiny_encoder
from whosays.model.article import segment
from whosays.model.checkpoint import new_model, save_model

SEED = Path(__file__).parents[1] / "seeds"
COUNTS = (10_000, 100_000)
LENGTHS = (2, 3, 4)


def write_articles(path: Path, count: int) -> None:
    """So many articles of two to four sentences."""
    sentences = cycle(sentence.text for sentence in segment((SEED / "karabakh.txt").read_text(encoding="utf-8")))
    with path.open("w", encoding="utf-8") as file:
        for number, length in zip(range(count), cycle(LENGTHS), strict=False):
            text = " ".join(islice(sentences, length))
            file.write(json.dumps({"id": f"article-{number}", "text": text}, ensure_ascii=False) + "\n")


def tiny_model(folder: Path) -> Path:
    """A model over the tiny encoder that has learnt nothing."""
    encoder, model = folder / "encoder", folder / "model"
    write_tiny_encoder(encoder)
    save_model(*new_model(str(encoder)), model)
    return model


def label(source: Path, output: Path, model: str) -> tuple[float, float]:
    """Label a file; the seconds it took, and the process's peak memory in MB."""
    sides = ["--sides", str(SEED / "karabakh.yaml")]
    command = [sys.executable, "-m", "whosays.cli", "predict", str(source), "-o", str(output), "--model", model, *sides]
    start = time.monotonic()
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)
    if code := os.waitstatus_to_exitcode(status):
        sys.exit(f"whosays predict ended with exit code {code}")
    return time.monotonic() - start, usage.ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024)


def main() -> None:
    """Run every count, print peak memory and rate."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="a model folder or a packaged model's name")
    parser.add_argument("counts", nargs="*", type=int, metavar="COUNT")
    given = parser.parse_args()
    first = None
    with TemporaryDirectory() as name:
        folder = Path(name)
        model = given.model or str(tiny_model(folder))
        for count in given.counts or COUNTS:
            source = folder / f"{count}.jsonl"
            write_articles(source, count)
            seconds, peak = label(source, folder / f"{count}.parquet", model)
            first = first or peak
            print(
                f"{count:>9,} articles: {seconds:7.1f} s, {count / seconds:7.1f} articles/s, "
                f"peak memory {peak:6.0f} MB ({peak / first:.2f} times the first)",
                flush=True,
            )


if __name__ == "__main__":
    main()
