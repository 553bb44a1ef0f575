"""The model card that goes into each model folder as README.md, with the hub's metadata block."""

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from ..model.checkpoint import PACKAGED as PACKAGED_MODELS
from ..model.checkpoint import model_folder, model_sha256
from ..model.encoders import BUILT_IN, hub_name
from ..model.errors import InputError
from ..model.files.writing import write_text
from ..model.predictor import Predictor
from .corpus import LabelledArticle
from .evaluation.compare import load_scored
from .evaluation.report import cell, num, title_of
from .recipe import PACKAGED, Recipe, dump_recipe, load_recipe, own_files, recipe_articles, recipe_scheme

CARD_FILE = "README.md"
ABLATION_FILE = "ablation.md"
"""Text in a model's folder on what the choices in its recipe are worth, which its card repeats."""
_EXAMPLES = 8
_TIMED = 200
"""Sentences that a card's speed is measured on, at least."""


def model_card(
    recipe: Recipe,
    metrics: Mapping[str, Any],
    development: Sequence[LabelledArticle],
    report: Mapping[str, Any] | None = None,
    speed: str = "",
    ablation: str = "",
) -> str:
    """Markdown: what the model does, how it was made, how good it was, where it fails, what it must not be used for.

    `metrics` are those of its training, `report` the content of an evaluation's report.json, `speed` what
    `labelling_speed` measured, `ablation` what is known of the worth of its recipe's choices.
    """
    sections = [
        _head(recipe),
        *(_judged(report) if report else []),
        *([f"## Speed\n\n{speed}"] if speed else []),
        _development(metrics, development),
        _data(recipe),
        f"## Recipe\n\n```yaml\n{dump_recipe(recipe).rstrip()}\n```",
        *([f"## What its choices are worth\n\n{ablation.strip()}"] if ablation else []),
    ]
    return "\n\n".join(sections) + "\n"


def write_card(model: str, report_folder: Path) -> Path:
    """Write the card of a model anew, with the figures of a report about it and its speed here. Returns where it is.

    Raises `InputError` if the model or the report cannot be used, or the report is about another model.
    """
    folder, report = model_folder(model), load_scored(report_folder).content
    if "model_sha256" not in report:
        raise InputError(f"{report_folder}: does not say which model it is about; run `whosays evaluate` again")
    if report["model_sha256"] != model_sha256(model):
        raise InputError(
            f"{report_folder}: is about '{report['system']}', not '{model}' as it is now; evaluate this model first"
        )
    recipe = load_recipe(str(folder / "recipe.yaml"))
    try:
        metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
        missing = {"development", "epochs", "temperatures"} - set(metrics)
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{folder}/metrics.json: cannot be read: {error}") from None
    if missing:
        raise InputError(f"{folder}/metrics.json: has no '{min(missing)}'; take the one that training wrote")
    scheme = recipe_scheme(recipe)
    development = recipe_articles(recipe, scheme, ["dev"])
    speed = labelling_speed(Predictor.load(model), development)
    tried = folder / ABLATION_FILE
    ablation = tried.read_text(encoding="utf-8") if tried.is_file() else ""
    card = model_card(recipe, metrics, development, report, speed, ablation)
    write_text(folder / CARD_FILE, card)
    return folder / CARD_FILE


def labelling_speed(predictor: Predictor, articles: Sequence[LabelledArticle]) -> str:
    """A sentence that says how fast the model labels on this machine: some of `articles`, segmented and in memory."""
    jobs, sentences = [], 0
    for item in articles:
        if sentences < _TIMED:
            jobs.append((item.article, item.conflict))
            sentences += len(item.article.sentences)
    list(predictor.label_all(jobs[:1]))  # what is only slow the first time
    start = time.perf_counter()
    list(predictor.label_all(jobs))
    seconds = time.perf_counter() - start
    if predictor.device.type == "cpu":
        machine = f"{torch.get_num_threads()} cores with {torch.backends.cpu.get_cpu_capability()}"
    else:
        machine = torch.cuda.get_device_name(predictor.device)
    precision = "bf16" if predictor.bf16 else "fp32"
    return (
        f"{sentences / seconds:.0f} sentences a second on {machine}, in {precision}: {len(jobs)} articles from memory."
    )


def _head(recipe: Recipe) -> str:
    base = hub_name(recipe.encoder)
    # What somebody else's articles and encoder allow, and in which language they are, only they can say.
    begun = [recipe.start] if recipe.start and recipe.start not in {m.name for m in PACKAGED_MODELS.iterdir()} else []
    ours = recipe.encoder in BUILT_IN and not own_files([*recipe.train, *recipe.taught, *begun])
    own = "license: apache-2.0\nlanguage: en\n" if ours else ""
    return f"""---
{own}library_name: whosays
pipeline_tag: token-classification
tags: [news, attribution, stance]
{f"base_model: {base}" if base else ""}
---

# Who says it, and with what stance

Labels every sentence of a news article about a conflict by {_listed(recipe_scheme(recipe).names)}. Load it with
`whosays predict … --model FOLDER`, or `whosays.model.predictor.Predictor.load(FOLDER)`.

For reading news at scale: who is given the word, and in what tone. Not for judging what is true, and not for
judging people: a label says how a sentence is attributed, never whether it is right.""".replace("\n\n---", "\n---", 1)


def _listed(heads: Sequence[str]) -> str:
    """The heads' names in a sentence."""
    names = ["reporting side" if head == "side" else head for head in heads]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _judged(report: Mapping[str, Any]) -> list[str]:
    data, heads = report["data"], report["heads"]
    systems = {"this model": heads} | report["baselines"]
    macro = _table(
        ["macro-F1", *map(cell, heads)],
        (
            [cell(title_of(name)), *(_figure(found[h]["macro_f1"]) if h in found else "–" for h in heads)]
            for name, found in systems.items()
        ),
    )
    classes = _table(
        ["head", "class", "F1", "precision", "recall", "sentences"],
        (
            [cell(h), cell(label), *(_figure(row[name]) for name in ("f1", "precision", "recall")), str(row["support"])]
            for h in heads
            for label, row in heads[h]["by_class"].items()
        ),
    )
    sides = " `side` as a class stands for all\nsides of all conflicts; only the right side counts as right."
    good = f"""## How good it is

{len(data["conflicts"])} conflicts, {data["articles"]} articles, {data["sentences"]} sentences:
{", ".join(data["conflicts"])}. In brackets 95 % intervals from resampled articles.{sides if _points(report) else ""}

{macro}

{classes}"""
    notes = "\n".join(f"- {note}" for note in report["notes"])
    return [f"{good}\n\n{notes}".rstrip(), *_doubt(heads), *_fair(report), _failures(report["errors"])]


def _points(report: Mapping[str, Any]) -> bool:
    """Whether one of the heads that were judged points at sides."""
    return any(report["scheme"][head]["points"] for head in report["heads"])


def _doubt(heads: Mapping[str, Any]) -> list[str]:
    if not all(row["calibration"] and row["risk_coverage"] for row in heads.values()):
        return []
    errors = "; ".join(f"{h} {_figure(row['calibration']['ece'])}" for h, row in heads.items())
    kept = _table(
        ["sentences kept", *(f"{cell(h)} macro-F1 (score at least)" for h in heads)],
        (
            [f"{rows[0]['coverage']:.0%}", *(f"{num(row['macro_f1'])} ({row['threshold']:.2f})" for row in rows)]
            for rows in zip(*(row["risk_coverage"]["kept"] for row in heads.values()), strict=True)
        ),
    )
    return [f"## Its doubts\n\nExpected calibration error: {errors}. If only the surest sentences are kept:\n\n{kept}"]


def _fair(report: Mapping[str, Any]) -> list[str]:
    if not report["name_swap"]:
        return []
    swap = report["name_swap"]
    moved = "; ".join(f"{h} {_figure(value)}" for h, value in swap["heads"].items())
    probes = _table(
        ["probe", *(f"{cell(h)} macro-F1" for h in report["heads"])],
        (
            [probe["title"], *(_figure(probe["heads"][h]["macro_f1"]) for h in report["heads"])]
            for probe in report["probes"].values()
        ),
    )
    order, expected = "", "Each sentence alone shows what the article around it gives."
    if _points(report):
        between = "".join(_between(row["between_sides"]) for row in report["heads"].values())
        order = f""" The order of the sides changes
nothing, since no weight belongs to a side.{between}"""
        expected = (
            "Without sides, or with each side's words given to another, its sides should fall far; each sentence alone "
            "shows what\nthe article around it gives."
        )
    return [
        f"""## Is it fair, and does it read?

Sentences whose label does not follow when two sides exchange their names: {moved}.{order}

{expected}

{probes}"""
    ]


def _between(sides: Mapping[str, Any] | None) -> str:
    if not sides:
        return ""
    return f""" The side that each conflict hears most is found with F1 {_figure(sides["most_heard"]["f1"])},
all others with {_figure(sides["others"]["f1"])}: a gap of {_figure(sides["gap"])}."""


def _failures(errors: Mapping[str, Any]) -> str:
    """The confusions of each head with the example that the model was surest of."""
    each = _EXAMPLES // max(1, len(errors))
    lines = [
        f"- {head}, {row['gold']} taken for {row['predicted']} ({row['count']} sentences): "
        f"“{cell(row['examples'][0]['text'])}” ({row['examples'][0]['conflict']})"
        for head, rows in errors.items()
        for row in rows[:each]
    ]
    return "## Where it fails\n\nThe commonest confusions, each with the sentence it was surest of:\n\n" + "\n".join(
        lines
    )


def _development(metrics: Mapping[str, Any], development: Sequence[LabelledArticle]) -> str:
    best = metrics["development"]
    heads = [name.removesuffix("_macro_f1") for name in best if name.endswith("_macro_f1")]
    rows = [
        [cell(head), cell(name.removeprefix(f"{head}_f1_")), f"{value:.3f}"]
        for head in heads
        for name, value in best.items()
        if name.startswith(f"{head}_f1_")
    ]
    means = [[cell(head), "**macro**", f"**{best[f'{head}_macro_f1']:.3f}**"] for head in heads]
    conflicts = ", ".join(sorted({item.conflict.name for item in development}))
    begun = [entry for entry in metrics["epochs"] if entry.get("epoch") == 0]
    before = f"before training {begun[0]['macro_f1']:.3f}, " if begun else ""
    by_epoch = ", ".join(f"{entry['macro_f1']:.3f}" for entry in metrics["epochs"][len(begun) :])
    calibrated = ", ".join(f"{head} {value:.2f}" for head, value in metrics["temperatures"].items())
    return f"""## On the development articles

{sum(len(item.article.sentences) for item in development)} sentences of {len(development)} articles on {conflicts}.
The best epoch was chosen on these very articles, so the figures lean to the kind side.

{_table(["head", "class", "F1"], [*rows, *means])}

Macro-F1 {before}by epoch: {by_epoch}.
Temperatures for calibration, of the heads that these articles label: {calibrated or "none"}."""


def _data(recipe: Recipe) -> str:
    own, taught = own_files(recipe.train), own_files(recipe.taught)
    packaged = not recipe.train or PACKAGED in recipe.train
    parts = [
        *(["the training conflicts of the packaged corpus"] if packaged else []),
        *([f"the files {', '.join(own)}"] if own else []),
        *(["articles that larger models labelled (`taught`)"] if PACKAGED in recipe.taught else []),
        *([f"the files {', '.join(taught)}, which a model labelled (`taught`)"] if taught else []),
    ]
    learnt = " and ".join(parts)
    begun = f" It began with the weights of the model `{recipe.start}`." if recipe.start else ""
    corpus = """ The packaged corpus is news of
one broadcaster, 2004–2010, a few statements of two governments, and prose written for it, in English, labelled by
language models after a guideline; its datasheet says how far to trust it."""
    return f"## What it learnt from\n\n{learnt[0].upper()}{learnt[1:]}.{begun}{corpus if packaged else ''}"


def _table(columns: Sequence[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _figure(value: Mapping[str, float | None]) -> str:
    if value["value"] is None:
        return "–"
    ends = "" if value["low"] is None else f" [{value['low']:.3f}, {value['high']:.3f}]"
    return f"{value['value']:.3f}{ends}"
