"""What it is worth to go on from `default`: labels of one's own, and few articles that have them.

`python benchmarks/start.py` merges the stances of the packaged development articles into three labels that no model
ships with, learns from two fifths of these articles, chooses the epoch on a fifth, and judges on the rest: macro-F1 of
a model that goes on from `default`, and of models that begin with the encoder alone. A quarter of an hour on two cores.
"""

import json
import random
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from ablation import packaged_rows
from whosays.model.memory import keep_freed_memory
from whosays.model.predictor import Predictor
from whosays.training.corpus import read_corpus
from whosays.training.fit import judge, train
from whosays.training.recipe import load_recipe, recipe_scheme

POSITIONS = {"affirm": "for", "deny": "against", "accuse": "against", "hedge": "open", "neutral": "open"}
SCHEME = {
    "side": {"labels": ["none", "other", "both"], "points": True},
    "position": {"labels": ["for", "against", "open"]},
}
LONG = ["epochs=16", "patience=5"]
VARIANTS = {
    "going on from `default`": ["start=default", "epochs=4", "encoder_lr=3.0e-4"],
    "the encoder alone": LONG,
    "the encoder alone, a stand-in for each side": [*LONG, "stand_ins=4"],
}


def write_parts(folder: Path) -> None:
    """The development articles, worded in `POSITIONS`, as train.jsonl, dev.jsonl and judged.jsonl."""
    rows = packaged_rows("dev")
    parts: dict[str, list[str]] = {"train": [], "dev": [], "judged": []}
    for conflict in sorted({row["conflict"] for row in rows}):
        own = [row for row in rows if row["conflict"] == conflict]
        random.Random(conflict).shuffle(own)
        for n, row in enumerate(own):
            for sentence in row["sentences"]:
                sentence["position"] = POSITIONS.get(sentence.pop("stance"))
            part = "train" if n < 0.4 * len(own) else "dev" if n < 0.6 * len(own) else "judged"
            parts[part].append(json.dumps(row, ensure_ascii=False) + "\n")
    for part, lines in parts.items():
        (folder / f"{part}.jsonl").write_text("".join(lines), encoding="utf-8")


def main() -> None:
    """Train each variant and print its figures."""
    keep_freed_memory()  # as the command does
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_parts(folder)
        own = [
            f"train=[{folder}/train.jsonl]",
            f"dev=[{folder}/dev.jsonl]",
            "taught=[]",
            f"scheme={json.dumps(SCHEME)}",
        ]
        print("| | side | position | seconds |\n| --- | --- | --- | --- |")
        for name, changes in VARIANTS.items():
            recipe = load_recipe("default", [*own, "variety={}", *changes])
            articles = read_corpus([str(folder / "judged.jsonl")], recipe_scheme(recipe))
            begun = time.perf_counter()
            train(recipe, folder / "run")
            seconds = time.perf_counter() - begun
            found = judge(Predictor.load(str(folder / "run")), articles)
            figures = " | ".join(f"{found[f'{head}_macro_f1']:.3f}" for head in SCHEME)
            print(f"| {name} | {figures} | {seconds:.0f} |", flush=True)


if __name__ == "__main__":
    main()
