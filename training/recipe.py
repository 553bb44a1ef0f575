"""A recipe: everything that decides how a model comes out, in one YAML file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from ..configs import packaged_names, packaged_path
from ..configs.reading import first_fault, first_problem, read_yaml
from ..model.errors import InputError
from ..model.labels import DEFAULT_SCHEME, Scheme
from ..model.sides import load_conflicts
from .corpus import TAUGHT_FILE, LabelledArticle, packaged_split, read_corpus
from .variety import Variety

PACKAGED = "packaged"
"""What stands for the package's own articles where a recipe lists files."""

Positive = Annotated[float, Field(gt=0)]


class Lora(BaseModel):
    """Low-rank adaptation of the encoder: rank r, alpha, which scales the change by alpha / r, and how many of the
    lowest layers are left as they are.
    """

    model_config = ConfigDict(extra="forbid")
    rank: int = Field(default=16, ge=1, le=256)
    alpha: int = Field(default=32, ge=1)
    frozen: int = Field(default=0, ge=0)


class Recipe(BaseModel):
    """One training run. Every field has a default; an unknown key or a value out of range is refused.

    `scheme` is `{head: {labels: [...], points: bool}}`, null for side and stance. `start` is a model, packaged or in a
    folder and built as the recipe says, whose weights training begins with, null for the encoder's alone. `train` and
    `dev` are JSONL files of labelled articles; "packaged" among them means that split of the packaged corpus, and so do
    empty lists. Mentions are read as one vector if `stand_ins` is 1, with more as one for each side of a window, of
    which the first come back where there are more sides, with 0 as their words. `taught` are articles that a teacher
    labelled, as `whosays distil` writes them, to learn from beside those; "packaged" means the file in the package.
    `variety` words the training articles anew each epoch (see `variety.varied`). `lora` null means full fine-tuning.
    Learning rates are AdamW's peaks: linear warm-up over `warmup` of the steps, then linear decay to 0.
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    scheme: dict[str, Any] | None = None
    encoder: str = "minilm"
    start: str | None = None
    stand_ins: int = Field(default=1, ge=0, le=8)
    pooling: Literal["mean", "attention"] = "mean"
    pointer_size: int = Field(default=128, ge=8, le=1024)
    lora: Lora | None = None
    dropout: float = Field(default=0.1, ge=0, lt=1)
    max_tokens: int = Field(default=512, ge=32)
    overlap: int = Field(default=128, ge=0)

    train: list[str] = []
    dev: list[str] = []
    taught: list[str] = []
    sides: list[str] = []
    variety: Variety = Variety()

    epochs: int = Field(default=8, ge=1, le=200)
    patience: int = Field(default=3, ge=1)
    batch_windows: int = Field(default=8, ge=1)
    encoder_lr: Positive = 2e-4
    head_lr: Positive = 1e-3
    weight_decay: float = Field(default=0.01, ge=0)
    warmup: float = Field(default=0.06, ge=0, lt=1)
    seed: int = Field(default=13, ge=0, lt=2**32)
    precision: Literal["auto", "fp32", "bf16"] = "auto"

    @field_validator("scheme")
    @classmethod
    def _is_scheme(cls, scheme: dict[str, Any] | None) -> dict[str, Any] | None:
        if scheme is not None:
            try:
                Scheme.from_dict(scheme)
            except InputError as error:
                raise ValueError(str(error).removeprefix("scheme: ")) from None
        return scheme

    @model_validator(mode="after")
    def _windows_can_move(self) -> "Recipe":
        if self.overlap >= self.max_tokens:
            raise ValueError(f"overlap must be below max_tokens, got {self.overlap} and {self.max_tokens}")
        if bool(self.train) != bool(self.dev):
            raise ValueError("train and dev go together: give both, or neither for the packaged corpus")
        return self


def load_recipe(name: str, changes: list[str] | None = None) -> Recipe:
    """The packaged recipe `name` or the one in that file, with "key=value" `changes` (values in YAML; `lora.rank=8`).

    Raises `InputError`, one line with the file or change, the field, the value and what is allowed.
    """
    path = packaged_path("recipes", name) or Path(name)
    if not path.is_file():
        raise InputError(f"recipe '{name}': no such file; give one, or one of: {', '.join(packaged_names('recipes'))}")
    try:
        data = read_yaml(path)
    except ValueError as error:
        raise InputError(str(error)) from None
    for change in changes or []:
        _apply(data, change)
    try:
        return Recipe.model_validate(data)
    except ValidationError as error:
        loc = first_fault(error)["loc"]
        guilty = {_key(change): f"--set '{change}'" for change in changes or [] if _is_about(change, loc)}
        # What is wrong between fields has no place: the file may be at fault as well as any change.
        where = [*guilty.values()] if loc and guilty else [f"recipe {path.name}", *guilty.values()]
        raise InputError(f"{' '.join(where)}: {first_problem(error, Recipe.model_fields)}") from None


def _key(change: str) -> str:
    return change.partition("=")[0]


def _is_about(change: str, loc: Sequence[str | int]) -> bool:
    """Whether a "key=value" change sets what is at `loc`, a part of it, or what it is a part of."""
    return all(part == str(place) for part, place in zip(_key(change).split("."), loc, strict=False))


def _apply(data: dict[str, Any], change: str) -> None:
    key, equals, value = change.partition("=")
    if not equals or not key:
        raise InputError(f"--set '{change}': write it as key=value")
    *parents, last = key.split(".")
    for parent in parents:
        if not isinstance(data.get(parent), dict):
            data[parent] = {}
        data = data[parent]
    try:
        data[last] = yaml.safe_load(value)
    except (yaml.YAMLError, ValueError):
        raise InputError(f"--set '{change}': '{value}' is not a YAML value") from None


def dump_recipe(recipe: Recipe) -> str:
    """The recipe as YAML, every field written out; `load_recipe` reads it back."""
    return yaml.safe_dump(recipe.model_dump(), sort_keys=False)


def recipe_scheme(recipe: Recipe) -> Scheme:
    """The heads that a recipe trains."""
    return DEFAULT_SCHEME if recipe.scheme is None else Scheme.from_dict(recipe.scheme)


def own_files(files: Sequence[str]) -> list[str]:
    """Those of the files that a recipe lists which are not the package's."""
    return [name for name in files if name != PACKAGED]


def taught_articles(recipe: Recipe, scheme: Scheme) -> list[LabelledArticle]:
    """The articles of a recipe that a teacher labelled."""
    files = [str(TAUGHT_FILE) if name == PACKAGED else name for name in recipe.taught]
    return read_corpus(files, scheme, load_conflicts(recipe.sides)) if files else []


def recipe_articles(recipe: Recipe, scheme: Scheme, splits: Sequence[str] = ("train",)) -> list[LabelledArticle]:
    """The articles of a recipe's `splits` ("train", "dev"): its own files, or the packaged corpus's."""
    conflicts = load_conflicts(recipe.sides)
    found = []
    for split in splits:
        for name in {"train": recipe.train, "dev": recipe.dev}[split] or [PACKAGED]:
            if name == PACKAGED:
                found += packaged_split(split, scheme, conflicts)
            else:
                found += read_corpus([name], scheme, conflicts)
    return found
