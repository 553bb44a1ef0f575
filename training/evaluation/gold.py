"""Where labelled articles come from, to judge on and to train baselines on."""

from collections.abc import Sequence
from pathlib import Path

from ...model.checkpoint import model_folder
from ...model.errors import InputError
from ...model.labels import Scheme
from ...model.sides import load_conflict
from ..corpus import SPLITS, LabelledArticle, packaged_split, read_corpus
from ..recipe import load_recipe, recipe_articles


def gold_articles(data: Sequence[str], scheme: Scheme, sides: Sequence[Path]) -> list[LabelledArticle]:
    """The articles of `data`: JSONL files, or "train", "dev" or "test" for that split of the packaged corpus.

    `sides` are sides files of conflicts beyond the packaged ones. Raises `InputError` as `read_corpus` does.
    """
    conflicts = {conflict.name: conflict for conflict in map(load_conflict, sides)}
    articles: list[LabelledArticle] = []
    for name in data:
        if name in SPLITS:
            articles += packaged_split(name, scheme, conflicts)
        else:
            articles += read_corpus([name], scheme, conflicts)
    return articles


def baseline_training(model: str | None, scheme: Scheme) -> tuple[list[LabelledArticle], list[str]]:
    """Articles for baselines to learn from, and what a reader must know of them.

    They are those that the model's recipe names, else the packaged corpus's train split. Empty if neither can
    be read.
    """
    notes = []
    recipe_file = model_folder(model) / "recipe.yaml" if model else None
    if recipe_file is not None and recipe_file.is_file():
        try:
            return recipe_articles(load_recipe(str(recipe_file)), scheme), []
        except InputError as error:
            notes.append(f"training data cannot be read ({error}); baselines learn from the packaged corpus")
    try:
        return packaged_split("train", scheme, {}), notes
    except InputError as error:
        return [], [*notes, f"no data for baselines to learn from ({error}); only the rules are reported"]
