"""What each choice in the default recipe is worth: the recipe with one thing changed, three seeds each.

`python benchmarks/ablation.py RESULTS.jsonl [--also DATA.jsonl SIDES.yaml]` trains every variant on the same tenth of
the packaged training articles for a few epochs and judges it on the packaged development articles, and on `--also`:
macro-F1, and the mean log loss of a sentence, which seeds move far less and so tells smaller effects apart. A run is a
line of RESULTS; runs that are there already are not made again. To standard output goes the table of all of them, which
a model's card takes from `ablation.md` in its folder. So small a share tells large effects from none, in hours on two
cores; it says nothing of how good the whole recipe is.
"""

import argparse
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from math import log
from pathlib import Path
from statistics import mean, stdev
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor
from whosays.model import network
from whosays.model.labels import DEFAULT_SCHEME
from whosays.model.memory import keep_freed_memory
from whosays.model.network import SentenceLabeler
from whosays.model.predictor import Predictor
from whosays.model.sides import Conflict, load_conflicts, packaged_conflict
from whosays.training.corpus import corpus_files, read_corpus, read_splits
from whosays.training.evaluation.judged import Judged, judge_head, model_answers
from whosays.training.evaluation.metrics import macro_f1, pooled_f1
from whosays.training.fit import train
from whosays.training.recipe import load_recipe

SHARE, EPOCHS, SEEDS = 10, 3, (1, 2, 3)
FLOOR = 0.01
"""What a label costs that cannot be given: a side that the window never mentions has no probability at all."""
SMOOTHING = 0.1
BASE = ["taught=[]", f"epochs={EPOCHS}"]
PLAIN = [f"variety.{kind}=0" for kind in ("source_last", "quotation_first", "lost_punctuation", "run_in")]

Row = dict[str, Any]


def as_it_is(row: Row, conflict: Conflict) -> list[Row]:
    """The article unchanged."""
    return [row]


def alone(row: Row, conflict: Conflict) -> list[Row]:
    """Each sentence as an article of its own."""
    return [{**row, "id": f"{row['id']}-{n}", "sentences": [sentence]} for n, sentence in enumerate(row["sentences"])]


def smoothed(row: Row, conflict: Conflict) -> list[Row]:
    """Labels as probabilities, a tenth of each shared out among all classes of its head."""
    sentences = []
    for sentence in row["sentences"]:
        soft = {}
        for head in DEFAULT_SCHEME.heads:
            gold, classes = sentence[head.name], head.classes(conflict.keys)
            chances = dict.fromkeys(classes, SMOOTHING / len(classes))
            soft[f"{head.name}_probabilities"] = chances | {gold: chances[gold] + 1 - SMOOTHING}
        sentences.append({**sentence, **soft})
    return [{**row, "sentences": sentences}]


@contextmanager
def no_distance() -> Iterator[None]:
    """Mentions near and far are one to the pointer."""
    with patch.object(network, "MAX_DISTANCE", 0):
        yield


@contextmanager
def class_weights() -> Iterator[None]:
    """Rare labels weigh more, by the inverse root of how often they are given; all sides are one label."""
    weights, sentences = {}, [sentence for row in packaged_rows("train") for sentence in row["sentences"]]
    for head in DEFAULT_SCHEME.heads:
        gold = [sentence.get(head.name) for sentence in sentences]
        counts = Counter("a side" if g not in head.labels else g for g in gold if g is not None)
        weights[head.name] = {name: (sum(counts.values()) / len(counts) / n) ** 0.5 for name, n in counts.items()}
    plain = SentenceLabeler._loss

    def weighted(self: SentenceLabeler, logits: dict[str, Tensor], labels: dict[str, Tensor]) -> Tensor:
        scaled = {}
        for name, target in labels.items():
            fixed = [weights[name][label] for label in self.scheme[name].labels]
            sides = [weights[name].get("a side", 1.0)] * (target.shape[-1] - len(fixed))
            scaled[name] = target * torch.tensor([*fixed, *sides])
        return plain(self, logits, scaled)

    with patch.object(SentenceLabeler, "_loss", weighted):
        yield


@dataclass(frozen=True)
class Variant:
    """What differs from the recipe.

    `changes` are fields of the recipe, `part` takes articles of one part of the corpus only, `times` as many articles.
    `worded` makes of an article what is trained on, and, if `judged_so`, what is judged; `code` changes the network.
    """

    changes: Sequence[str] = ()
    part: str = ""
    times: float = 1
    worded: Callable[[Row, Conflict], list[Row]] = as_it_is
    judged_so: bool = True
    code: Callable[[], AbstractContextManager[None]] = nullcontext


VARIANTS = {
    "the recipe": Variant(),
    "no variety": Variant(PLAIN),
    "no variety, a stand-in for each side": Variant([*PLAIN, "stand_ins=8"]),
    "a stand-in for each side": Variant(["stand_ins=8"]),
    "mentions with their words": Variant(["stand_ins=0"]),
    "each sentence alone": Variant(worded=alone),
    "mean pooling": Variant(["pooling=mean"]),
    "full fine-tuning, rate 1e-4": Variant(["lora=null", "encoder_lr=1.0e-4"]),
    "the pointer without distance": Variant(code=no_distance),
    "windows of 256 tokens": Variant(["max_tokens=256", "overlap=64"]),
    "half as many articles": Variant(times=0.5),
    "LoRA of rank 8": Variant(["lora.rank=8", "lora.alpha=16"]),
    "class weights": Variant(code=class_weights),
    "label smoothing": Variant(worded=smoothed, judged_so=False),
    "real part only": Variant(part="real"),
    "written part only": Variant(part="written"),
    "variety: source last only": Variant([*PLAIN, "variety.source_last=0.3"]),
    "variety: quotation first only": Variant([*PLAIN, "variety.quotation_first=0.15"]),
    "variety: lost punctuation only": Variant([*PLAIN, "variety.lost_punctuation=0.15"]),
    "variety: run-in only": Variant([*PLAIN, "variety.run_in=0.15"]),
    "half the learning rates": Variant(["encoder_lr=5.0e-4", "head_lr=2.5e-3"]),
    "twice the learning rates": Variant(["encoder_lr=2.0e-3", "head_lr=1.0e-2"]),
    "three lower layers frozen": Variant(["lora.frozen=3"]),
    "no dropout": Variant(["dropout=0"]),
    "full fine-tuning, rate 2e-4": Variant(["lora=null", "encoder_lr=2.0e-4"]),
    "twice as many articles": Variant(times=2),
}


def packaged_rows(split: str) -> list[Row]:
    """The articles of a split of the packaged corpus as its files have them."""
    splits = read_splits()
    rows = [json.loads(line) for name in corpus_files() for line in Path(name).read_text("utf-8").splitlines()]
    return [row for row in rows if splits[row["conflict"]] == split]


def share(rows: Sequence[Row], times: float, part: str) -> list[Row]:
    """A fixed random share of the training articles; if of one part only, as many sentences, near enough, of that."""
    wanted = sum(len(row["sentences"]) for row in rows) / SHARE * times
    drawn = random.Random(0).sample(rows, len(rows))
    taken, sentences = [], 0
    for row in drawn:
        if sentences < wanted and (not part or row["part"] == part):
            taken.append(row)
            sentences += len(row["sentences"])
    return taken


def run(name: str, seed: int, also: Sequence[str]) -> dict[str, Any]:
    """Train the variant `name` with one seed: macro-F1 and log loss by head on the development articles.

    The same of the side on the articles of `also`, a file and its sides file.
    """
    variant = VARIANTS[name]
    others = load_conflicts(also[1:])
    data = {"train": share(packaged_rows("train"), variant.times, variant.part), "dev": packaged_rows("dev")}
    if also:
        data["also"] = [json.loads(line) for line in Path(also[0]).read_text("utf-8").splitlines()]
    result: dict[str, Any] = {"variant": name, "seed": seed}
    with TemporaryDirectory() as scratch, variant.code():
        files = {split: Path(scratch, f"{split}.jsonl") for split in data}
        for split, rows in data.items():
            worded = variant.worded if split == "train" or variant.judged_so else as_it_is
            known = (others.get(row["conflict"]) or packaged_conflict(row["conflict"]) for row in rows)
            made = [new for row, conflict in zip(rows, known, strict=True) for new in worded(row, conflict)]
            files[split].write_text("".join(json.dumps(row) + "\n" for row in made), encoding="utf-8")
        sets = [f"train=[{files['train']}]", f"dev=[{files['dev']}]", f"seed={seed}"]
        train(load_recipe("default", [*BASE, *variant.changes, *sets]), Path(scratch, "run"))
        predictor = Predictor.load(str(Path(scratch, "run")))
        for split in ("dev", "also")[: len(data) - 1]:
            articles = read_corpus([str(files[split])], predictor.scheme, dict(others))
            answers = model_answers(predictor, articles)
            for head in predictor.scheme.heads:
                if len(judged := judge_head(head, articles, answers)):
                    figure = head.name if split == "dev" else split
                    result |= {figure: judged_f1(judged), f"{figure} loss": log_loss(judged)}
    return result


def judged_f1(judged: Judged) -> float:
    """Macro-F1, the sides of all conflicts one class."""
    return macro_f1(pooled_f1(judged.head, list(judged.gold), list(judged.predicted), list(judged.conflicts)))


def log_loss(judged: Judged) -> float:
    """The mean −log of the probability that the gold label got, in nats; below `FLOOR` it counts as that."""
    chances = zip(judged.gold, judged.probabilities or (), strict=True)
    return mean(-log(max(by_class[gold], FLOOR)) for gold, by_class in chances)


def report(results: Sequence[Mapping[str, Any]]) -> str:
    """Markdown: what was done, and of every variant that has all its seeds mean and standard deviation."""
    figures = [name for name in results[0] if name not in ("variant", "seed")]
    lines = [
        f"The recipe with one thing changed at a time, learning from one in {SHARE} of the packaged training sentences",
        f"for {EPOCHS} epochs: macro-F1 and mean log loss (nats a sentence) on the development articles, mean and",
        f"standard deviation of {len(SEEDS)} seeds. `also` is the side on other news, of no war.",
        "So small a share tells large effects from none, and says nothing of how good the whole recipe is.",
        "",
        f"| | {' | '.join(figures)} |",
        f"| --- |{' --- |' * len(figures)}",
    ]
    for variant in VARIANTS:
        runs = [result for result in results if result["variant"] == variant]
        values = [[run[name] for run in runs] for name in figures]
        if len(runs) == len(SEEDS):
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
    for variant in VARIANTS:
        for seed in SEEDS:
            if (variant, seed) not in made:
                results.append(run(variant, seed, arguments.also))
                with file.open("a", encoding="utf-8") as out:
                    out.write(json.dumps(results[-1]) + "\n")
    print(report(results))


if __name__ == "__main__":
    main()
