"""Where labelled articles come from, to judge on and to train baselines on."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ...model.checkpoint import model_folder
from ...model.errors import InputError
from ...model.labels import Scheme
from ...model.sides import load_conflicts
from ..corpus import SPLITS, LabelledArticle, packaged_split, read_corpus
from ..recipe import Recipe, load_recipe, recipe_articles, recipe_scheme, taught_articles


def gold_articles(data: Sequence[str], scheme: Scheme, sides: Sequence[Path]) -> list[LabelledArticle]:
    """The articles of `data`: JSONL files, or "train", "dev" or "test" for that split of the packaged corpus.

    `sides` are sides files of conflicts beyond the packaged ones. Raises `InputError` as `read_corpus` does.
    """
    conflicts = load_conflicts(sides)
    articles: list[LabelledArticle] = []
    for name in data:
        if name in SPLITS:
            articles += packaged_split(name, scheme, conflicts)
        else:
            articles += read_corpus([name], scheme, conflicts)
    return articles


@dataclass(frozen=True)
class RecipeData:
    """What a model learnt from, as far as it can be read, and what a reader must know of it.

    Baselines learn from `training`. `taught` a teacher labelled, or the model that training began with learnt from; by
    `development` an epoch was chosen.
    """

    training: list[LabelledArticle] = field(default_factory=list)
    taught: list[LabelledArticle] = field(default_factory=list)
    development: list[LabelledArticle] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def recipe_data(recipe_file: Path | None, scheme: Scheme) -> RecipeData:
    """The articles that a recipe names, and those that its start had learnt from; else the packaged corpus's train
    split alone, else none.
    """
    notes: list[str] = []
    if recipe_file is not None and recipe_file.is_file():
        try:
            recipe = load_recipe(str(recipe_file))
            own, before = _named(recipe, scheme), _before(recipe)
            return RecipeData(
                own.training,
                [*own.taught, *before.training, *before.taught],
                [*own.development, *before.development],
                [*own.notes, *before.notes],
            )
        except InputError as error:
            notes = [f"the recipe's data cannot be read ({error}); baselines learn from the packaged corpus"]
    try:
        return RecipeData(packaged_split("train", scheme, {}), notes=notes)
    except InputError as error:
        return RecipeData(notes=[*notes, f"no data for baselines to learn from ({error})"])


def _named(recipe: Recipe, scheme: Scheme) -> RecipeData:
    """The articles that a recipe names; without those that a teacher labelled all else can be judged."""
    training, development = (recipe_articles(recipe, scheme, [split]) for split in ("train", "dev"))
    try:
        return RecipeData(training, taught_articles(recipe, scheme), development)
    except InputError as error:
        note = f"what a teacher labelled for the model cannot be read ({error}); articles in it are not told"
        return RecipeData(training, [], development, [note])


def _before(recipe: Recipe) -> RecipeData:
    """What the model that training began with, if any, had learnt from."""
    if not recipe.start:
        return RecipeData()
    try:
        earlier = load_recipe(str(model_folder(recipe.start) / "recipe.yaml"))
        data = _named(earlier, recipe_scheme(earlier))
    except InputError as error:
        return RecipeData(notes=[f"what '{recipe.start}', the start of training, learnt from cannot be read ({error})"])
    if earlier.start:
        data.notes.append(
            f"'{recipe.start}', the start of training, went on from '{earlier.start}': what that learnt is not told"
        )
    return data
