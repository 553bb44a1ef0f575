"""What each choice in the default recipe is worth: the recipe with one thing changed, three seeds each.

`python benchmarks/ablation.py RESULTS.jsonl [--also DATA.jsonl SIDES.yaml]` trains every variant on the same tenth of
the packaged training articles for a few epochs and judges it on the packaged development articles, and on `--also`:
macro-F1, and the mean log loss of a sentence, which seeds move far less and so tells smaller effects apart. A run is a
line of RESULTS; runs that are there already are not made again, and the table at the end is of all of them. So small a
share tells large effects from none, in hours on two cores; it says nothing of how good the whole recipe is.
"""

import argparse
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log
from pathlib import Path
from statistics import mean, stdev
from tempfile import TemporaryDirectory
from typing import Any

from whosays.model.labels import DEFAULT_SCHEME
from whosays.model.memory import keep_freed_memory
from whosays.model.predictor import Predictor
from whosays.model.sides import load_conflicts
from whosays.training.corpus import LabelledArticle, corpus_files, read_corpus, read_splits
from whosays.training.evaluation.judged import judge_head, model_answers
from whosays.training.fit import judge, train
from whosays.training.recipe import load_recipe

SHARE, EPOCHS, SEEDS = 10, 3, (1, 2, 3)
FLOOR = 0.01
"""What a label costs that cannot be given: a side that the window never mentions has no probability at all."""
BASE = ["taught=[]", f"epochs={EPOCHS}"]
PLAIN = [f"variety.{kind}=0" for kind in ("source_last", "quotation_first", "lost_punctuation", "run_in")]


@dataclass(frozen=True)
class Variant:
    """What differs from the recipe: changed fields, articles of one part only, each sentence without its article."""

    changes: Sequence[str] = ()
    part: str = ""
    alone: bool = False


VARIANTS = {
    "the recipe": Variant(),
    "no variety": Variant(PLAIN),
    "variety: source last only": Variant([*PLAIN, "variety.source_last=0.3"]),
    "variety: quotation first only": Variant([*PLAIN, "variety.quotation_first=0.15"]),
    "variety: lost punctuation only": Variant([*PLAIN, "variety.lost_punctuation=0.15"]),
    "variety: run-in only": Variant([*PLAIN, "variety.run_in=0.15"]),
    "mentions with their words": Variant(["anonymous=false"]),
    "mean pooling": Variant(["pooling=mean"]),
    "each sentence alone": Variant(alone=True),
    "windows of 256 tokens": Variant(["max_tokens=256", "overlap=64"]),
    "full fine-tuning, rate 1e-4": Variant(["lora=null", "encoder_lr=1.0e-4"]),
    "full fine-tuning, rate 2e-4": Variant(["lora=null", "encoder_lr=2.0e-4"]),
    "LoRA of rank 8": Variant(["lora.rank=8", "lora.alpha=16"]),
    "three lower layers frozen": Variant(["lora.frozen=3"]),
    "half the learning rates": Variant(["encoder_lr=5.0e-4", "head_lr=2.5e-3"]),
    "twice the learning rates": Variant(["encoder_lr=2.0e-3", "head_lr=1.0e-2"]),
    "no dropout": Variant(["dropout=0"]),
    "real part only": Variant(part="real"),
    "written part only": Variant(part="written"),
}

Rows = list[dict[str, Any]]


def packaged_rows(split: str) -> Rows:
    """The articles of a split of the packaged corpus as its files have them."""
    splits = read_splits()
    rows = [json.loads(line) for name in corpus_files() for line in Path(name).read_text("utf-8").splitlines()]
    return [row for row in rows if splits[row["conflict"]] == split]


def alone(rows: Rows) -> Rows:
    """Each sentence as an article of its own."""
    return [
        {**row, "id": f"{row['id']}-{number}", "sentences": [sentence]}
        for row in rows
        for number, sentence in enumerate(row["sentences"])
    ]


def share(rows: Rows, part: str = "") -> Rows:
    """A fixed random share of the training articles; if of one part only, as many sentences, near enough, of that."""
    wanted = sum(len(row["sentences"]) for row in rows) / SHARE
    drawn = random.Random(0).sample(rows, len(rows))
    taken, sentences = [], 0
    for row in drawn:
        if sentences < wanted and (not part or row["part"] == part):
            taken.append(row)
            sentences += len(row["sentences"])
    return taken


def run(name: str, seed: int, also: Sequence[str]) -> dict[str, Any]:
    """Train the variant `name` with one seed; macro-F1 by head on the development articles, and on those of `also`."""
    variant = VARIANTS[name]
    data = {"train": share(packaged_rows("train"), variant.part), "dev": packaged_rows("dev")}
    with TemporaryDirectory() as scratch:
        changes = [*BASE, *variant.changes, f"seed={seed}"]
        for split, rows in data.items():
            file = Path(scratch, f"{split}.jsonl")
            rows = alone(rows) if variant.alone else rows
            file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
            changes.append(f"{split}=[{file}]")
        folder = Path(scratch, "run")
        found = train(load_recipe("default", changes), folder)["development"]
        predictor = Predictor.load(str(folder))
        losses = log_losses(predictor, read_corpus([str(Path(scratch, "dev.jsonl"))], DEFAULT_SCHEME, {}))
        result = {"variant": name, "seed": seed}
        for head in DEFAULT_SCHEME.names:
            result |= {head: found[f"{head}_macro_f1"], f"{head} loss": losses[head]}
        if also:
            articles = read_corpus([also[0]], DEFAULT_SCHEME, load_conflicts([also[1]]))
            result |= {"also": judge(predictor, articles)["side_macro_f1"]}
            result |= {"also loss": log_losses(predictor, articles)["side"]}
    return result


def log_losses(predictor: Predictor, articles: Sequence[LabelledArticle]) -> dict[str, float]:
    """By head the mean −log of the probability that the gold label got, in nats; below `FLOOR` it counts as that."""
    answers = model_answers(predictor, articles)
    losses = {}
    for head in predictor.scheme.heads:
        if len(judged := judge_head(head, articles, answers)):
            chances = zip(judged.gold, judged.probabilities or (), strict=True)
            losses[head.name] = mean(-log(max(by_class[gold], FLOOR)) for gold, by_class in chances)
    return losses


def table(results: Sequence[Mapping[str, Any]]) -> str:
    """Markdown: mean and standard deviation over the seeds."""
    figures = [name for name in results[0] if name not in ("variant", "seed")]
    lines = [f"| | {' | '.join(figures)} |", f"| --- |{' --- |' * len(figures)}"]
    for variant in VARIANTS:
        runs = [result for result in results if result["variant"] == variant]
        values = [[run[name] for run in runs] for name in figures]
        if len(runs) > 1:
            lines.append(f"| {variant} | {' | '.join(f'{mean(v):.3f} ± {stdev(v):.3f}' for v in values)} |")
    return "\n".join(lines)


def main() -> None:
    """Make the runs that RESULTS lacks, then print the table."""
    keep_freed_memory()  # as the command does
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("results", type=Path)
    parser.add_argument("--also", nargs=2, default=[], metavar=("DATA", "SIDES"))
    arguments = parser.parse_args()
    file: Path = arguments.results
    results = [json.loads(line) for line in file.read_text("utf-8").splitlines()] if file.exists() else []
    made = {(result["variant"], result["seed"]) for result in results}
    for seed in SEEDS:
        for variant in VARIANTS:
            if (variant, seed) not in made:
                results.append(run(variant, seed, arguments.also))
                with file.open("a", encoding="utf-8") as out:
                    out.write(json.dumps(results[-1]) + "\n")
    print(table(results))


if __name__ == "__main__":
    main()
