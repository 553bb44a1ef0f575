"""Training: labelled articles and a recipe in, a run folder with the best model out.

The transformers Trainer does the steps. Judging is ours: after each epoch the development articles go through the
very Predictor that users run, and the model with the best macro-F1 (mean over heads) is written to the run folder.
"""

import json
import logging
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from transformers import (
    PreTrainedTokenizerBase,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
    set_seed,
)

from ..model.checkpoint import WEIGHTS_FILES, begin_with, load_model, model_folder, new_model, save_model
from ..model.errors import InputError
from ..model.labels import Scheme
from ..model.network import SentenceLabeler
from ..model.predictor import Predictor
from ..model.windows import special_token_id
from .calibrate import fit_temperatures
from .card import model_card
from .corpus import LabelledArticle, labelled_heads
from .evaluation.evaluate import Say
from .evaluation.judged import judge_head, model_answers
from .evaluation.metrics import macro_f1, pooled_f1
from .recipe import Recipe, dump_recipe, recipe_articles, recipe_scheme, taught_articles
from .rows import EpochRows, GroupedByLength, collate_rows

logger = logging.getLogger(__name__)


def train(recipe: Recipe, output: Path, say: Say = lambda doing: None) -> dict[str, Any]:
    """Train by `recipe` into folder `output`, a complete model folder. Returns the metrics written there.

    The folder gets the best model so far whenever there is a better one, so that a run that dies leaves that.
    `say` is told, a hundred times in all, how far it is and what the loss was since the last time.
    Raises `InputError` if the recipe's encoder, files or labels cannot be used.
    """
    if recipe.start and model_folder(recipe.start).resolve() == output.resolve():
        raise InputError(f"start '{recipe.start}': is the folder to train into; give another output")
    set_seed(recipe.seed)
    model, tokenizer = new_model(
        recipe.encoder,
        scheme=recipe_scheme(recipe),
        stand_ins=recipe.stand_ins,
        pooling=recipe.pooling,
        pointer_size=recipe.pointer_size,
        dropout=recipe.dropout,
        lora=recipe.lora.model_dump() if recipe.lora else None,
        max_tokens=recipe.max_tokens,
        overlap=recipe.overlap,
    )
    if recipe.start:
        begin_with(model, recipe.start)
    predictor = Predictor(model, tokenizer, precision=recipe.precision)
    if predictor.bf16:
        round_frozen(model)
    training = recipe_articles(recipe, model.scheme, ["train"])
    development = recipe_articles(recipe, model.scheme, ["dev"])
    judged = labelled_heads(development, model.scheme)
    if not judged:
        raise InputError("the development articles have no labels at all; without them no epoch can be chosen")
    for head in model.scheme.heads:
        if head not in judged:
            logger.warning(
                "no development article has a label of '%s': the epoch is chosen without it, and its scores are not "
                "calibrated",
                head.name,
            )
    taught = taught_articles(recipe, model.scheme)
    learnt = {item.article.id for item in (*training, *taught)}
    if both := sum(item.article.id in learnt for item in development):
        logger.warning(
            "%d of %d development articles are trained on as well: figures on them flatter", both, len(development)
        )
    labels = _count_labels(training, taught, model.scheme)
    _tell_unheard(training, model.scheme)
    rows = EpochRows([*training, *taught], model, tokenizer, recipe.variety, recipe.seed)
    logger.info(
        "training on %d articles with %s, and %d that a teacher labelled, in %d windows, judging on %d articles",
        len(training),
        " and ".join(f"{count} labels of {name}" for name, count in labels.items()),
        len(taught),
        len(rows),
        len(development),
    )
    output.mkdir(parents=True, exist_ok=True)
    for stale in (*WEIGHTS_FILES, "metrics.json", "README.md"):  # never an old model under a new recipe
        (output / stale).unlink(missing_ok=True)
    (output / "recipe.yaml").write_text(dump_recipe(recipe), encoding="utf-8")
    pad_id = special_token_id(tokenizer, "pad", "eos")
    keep = KeepBest(model, tokenizer, output, recipe)
    with TemporaryDirectory() as scratch:
        trainer = _LabelerTrainer(
            model,
            predictor,
            rows,
            development,
            recipe,
            args=_arguments(recipe, scratch, predictor.bf16),
            eval_dataset=rows,  # the Trainer asks for one; `evaluate` below judges the development articles
            data_collator=lambda batch: collate_rows(batch, pad_id),
            callbacks=[keep, TellProgress(say)],
        )
        trainer.remove_callback(PrinterCallback)
        if recipe.start:  # which stays if no epoch is better
            trainer.evaluate()
        trainer.train()
    return _finish(recipe, output, development, keep.history)


def _count_labels(
    training: Sequence[LabelledArticle], taught: Sequence[LabelledArticle], scheme: Scheme
) -> dict[str, int]:
    """How many sentences of `training` have a label, by head, with a warning where only a teacher gave some.

    Raises `InputError` if a head has none at all.
    """
    counts = {}
    for name in scheme.names:
        counts[name], by_teacher = (
            sum(bool(item.chances(name, n)) for item in articles for n in range(len(item.article.sentences)))
            for articles in (training, taught)
        )
        if not counts[name] + by_teacher:
            raise InputError(
                f"the training articles have no label of '{name}' at all; give some, or leave it out of the scheme"
            )
        if not counts[name]:
            logger.warning("no training article has a label of '%s': it is learnt from a teacher alone", name)
    return counts


def _tell_unheard(articles: Sequence[LabelledArticle], scheme: Scheme) -> None:
    """Warn of labels that teach nothing, for a side can only be the voice where it is mentioned."""
    pointing = [head.name for head in scheme.heads if head.points]
    given = lost = 0
    for item in articles:
        mentioned = {side for s in item.article.sentences for side in item.conflict.count_mentions(s.text)}
        voices = [label for name in pointing for label in item.labels[name] if label in item.conflict.keys]
        given += len(voices)
        lost += sum(side not in mentioned for side in voices)
    if lost:
        logger.warning(
            "%d of %d labels that name a side teach nothing, for their article mentions it nowhere: `whosays corpus "
            "check` lists the aliases that are missing",
            lost,
            given,
        )


def judge(predictor: Predictor, articles: Sequence[LabelledArticle]) -> dict[str, float]:
    """Macro-F1 by head (`side_macro_f1`, …), F1 by class (`side_f1_none`, …) and the mean over heads (`macro_f1`).

    A head of which nothing was judged is left out.
    """
    answers = model_answers(predictor, articles)
    metrics: dict[str, float] = {}
    for head in predictor.scheme.heads:
        judged = judge_head(head, articles, answers)
        if not len(judged):
            continue
        by_class = pooled_f1(head, list(judged.gold), list(judged.predicted), list(judged.conflicts))
        metrics[f"{head.name}_macro_f1"] = macro_f1(by_class)
        metrics |= {f"{head.name}_f1_{label}": value for label, value in by_class.items()}
    metrics["macro_f1"] = float(np.mean([value for name, value in metrics.items() if name.endswith("_macro_f1")]))
    return metrics


class KeepBest(TrainerCallback):
    """Writes the model to the run folder whenever development macro-F1 rises; stops after `patience` epochs without."""

    def __init__(
        self, model: SentenceLabeler, tokenizer: PreTrainedTokenizerBase, folder: Path, recipe: Recipe
    ) -> None:
        self.model, self.tokenizer, self.folder, self.recipe = model, tokenizer, folder, recipe
        self.history: list[dict[str, float]] = []

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **kwargs: Any,
    ) -> None:
        """Called by the Trainer after each epoch; `metrics` is what `judge` returned, names prefixed "eval_"."""
        scores = [entry["macro_f1"] for entry in self.history]
        entry = {name.removeprefix("eval_"): value for name, value in kwargs["metrics"].items()}
        self.history.append(entry)
        judged = [head for head in self.model.scheme.names if f"{head}_macro_f1" in entry]
        logger.info(
            "%s: development macro-F1 %.3f (%s)",
            f"epoch {state.epoch:.0f}" if state.epoch else "before training",
            entry["macro_f1"],
            ", ".join(f"{head} {entry[f'{head}_macro_f1']:.3f}" for head in judged),
        )
        if all(_has_one_answer(entry, head) for head in judged):
            logger.warning(
                "it gives every sentence the same answer; if the next epoch does too, take an encoder_lr below %g",
                self.recipe.encoder_lr,
            )
        if not scores or entry["macro_f1"] > max(scores):
            save_model(self.model, self.tokenizer, self.folder)
        elif len(scores) - int(np.argmax(scores)) >= self.recipe.patience:
            control.should_training_stop = True


def _has_one_answer(metrics: Mapping[str, float], head: str) -> bool:
    """Whether, by their F1, all answers of a head were of one class although the truth has more."""
    by_class = [value for name, value in metrics.items() if name.startswith(f"{head}_f1_")]
    return len(by_class) > 1 and sum(value > 0 for value in by_class) <= 1


class TellProgress(TrainerCallback):
    """Tells how far a training is, and its loss, whenever the Trainer logs that."""

    def __init__(self, say: Say) -> None:
        self.say = say

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: Mapping[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        """Called by the Trainer; `logs` has "loss" unless they are about something else."""
        if logs and "loss" in logs:
            self.say(
                f"epoch {math.ceil(state.epoch or 0)} of {args.num_train_epochs:.0f}, "
                f"step {state.global_step} of {state.max_steps}: loss {logs['loss']:.3f}"
            )


class _LabelerTrainer(Trainer):
    """The Trainer with batches of equal length, two learning rates, and `judge` in place of its loop over tensors."""

    def __init__(
        self,
        labeler: SentenceLabeler,
        predictor: Predictor,
        rows: EpochRows,
        development: Sequence[LabelledArticle],
        recipe: Recipe,
        **kwargs: Any,
    ) -> None:
        super().__init__(model=labeler, train_dataset=rows, **kwargs)
        self.labeler, self.predictor, self.rows = labeler, predictor, rows
        self.development, self.recipe = development, recipe

    def _get_train_sampler(self, train_dataset: Any = None) -> GroupedByLength:
        return GroupedByLength(self.rows, self.args.train_batch_size)

    def create_optimizer(self, model: Any = None) -> torch.optim.Optimizer:
        """AdamW; the encoder has its own rate, and biases, norms and vectors have no weight decay."""
        groups: dict[tuple[bool, bool], list[torch.nn.Parameter]] = {}
        for name, parameter in self.labeler.named_parameters():
            if parameter.requires_grad:
                groups.setdefault((name.startswith("encoder."), parameter.ndim > 1), []).append(parameter)
        self.optimizer = torch.optim.AdamW(
            [
                {
                    "params": parameters,
                    "lr": self.recipe.encoder_lr if encoder else self.recipe.head_lr,
                    "weight_decay": self.recipe.weight_decay if matrix else 0.0,
                }
                for (encoder, matrix), parameters in groups.items()
            ]
        )
        return self.optimizer

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Judge the development articles, tell the log and the callbacks, and return the metrics."""
        metrics = {f"eval_{name}": value for name, value in judge(self.predictor, self.development).items()}
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics


def round_frozen(model: SentenceLabeler) -> None:
    """Keep the matrices that stay as they are in bfloat16.

    Autocast would round them to the same bits in every step, which takes 7 % of it: it keeps only what is trained.
    """
    for module in model.encoder.modules():
        if isinstance(module, torch.nn.Linear) and not module.weight.requires_grad:
            module.to(torch.bfloat16)


def _arguments(recipe: Recipe, scratch: str, bf16: bool) -> TrainingArguments:
    return TrainingArguments(
        output_dir=scratch,
        num_train_epochs=recipe.epochs,
        per_device_train_batch_size=recipe.batch_windows,
        lr_scheduler_type="linear",
        warmup_steps=recipe.warmup,
        eval_strategy="epoch",
        save_strategy="no",
        logging_strategy="steps",
        logging_steps=0.01,  # of all
        logging_nan_inf_filter=False,
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
        label_names=["labels"],
        dataloader_num_workers=0,
        dataloader_pin_memory=torch.cuda.is_available(),
        use_cpu=not torch.cuda.is_available(),  # where `Predictor` judges; bf16 on a CPU is refused without it
        bf16=bf16,  # as `Predictor` judges
        seed=recipe.seed,
    )


def _finish(
    recipe: Recipe, output: Path, development: Sequence[LabelledArticle], history: list[dict[str, float]]
) -> dict[str, Any]:
    """Calibrate the best model on the development articles and write metrics and model card beside it."""
    model, tokenizer = load_model(str(output.resolve()))
    predictor = Predictor(model, tokenizer, precision=recipe.precision)
    temperatures = fit_temperatures(predictor, development)
    model.config.temperatures = temperatures
    model.config.save_pretrained(output)
    best = max(history, key=lambda entry: entry["macro_f1"])
    metrics = {"development": best, "epochs": history, "temperatures": temperatures}
    (output / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")
    (output / "README.md").write_text(model_card(recipe, metrics, development), encoding="utf-8")
    return metrics
