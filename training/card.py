"""The model card that goes into each run folder as README.md."""

from collections.abc import Mapping, Sequence
from typing import Any

from .corpus import LabelledArticle
from .recipe import Recipe, dump_recipe


def model_card(recipe: Recipe, metrics: Mapping[str, Any], development: Sequence[LabelledArticle]) -> str:
    """Markdown with the hub's metadata block: what the model does, how it was made, how good it was when judged."""
    best = metrics["development"]
    heads = [name.removesuffix("_macro_f1") for name in best if name.endswith("_macro_f1")]
    rows = [
        f"| {head} | {name.removeprefix(f'{head}_f1_')} | {value:.3f} |"
        for head in heads
        for name, value in best.items()
        if name.startswith(f"{head}_f1_")
    ]
    means = [f"| {head} | **macro** | **{best[f'{head}_macro_f1']:.3f}** |" for head in heads]
    conflicts = sorted({item.conflict.name for item in development})
    return f"""---
license: apache-2.0
language: en
library_name: whosays
tags: [news, attribution, stance, token-windows, pointer]
base_model: {recipe.encoder}
---

# Who says it, and with what stance

Labels every sentence of a news article about a conflict by reporting side and stance. Load it with
`whosays predict … --model FOLDER`, or `whosays.model.predictor.Predictor.load(FOLDER)`.

## How good it was on the development articles

{sum(len(item.article.sentences) for item in development)} sentences of {len(development)} articles; conflicts that it
was not trained on unless the recipe says otherwise: {", ".join(conflicts)}. The best epoch was chosen on these
very articles, so the figures lean to the kind side.

| head | class | F1 |
| --- | --- | --- |
{chr(10).join(rows + means)}

`side` as a class stands for all sides of all conflicts; only the right side counts as right.
Temperatures for calibration: {", ".join(f"{h} {t:.2f}" for h, t in metrics["temperatures"].items())}.

## Use

For reading news at scale: who is given the word, and in what tone. Not for judging what is true, and not for
judging people: a label says how a sentence is attributed, never whether it is right.

## Recipe

```yaml
{dump_recipe(recipe).rstrip()}
```
"""
