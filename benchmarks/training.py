"""How fast the shipped recipes train on this machine: tokens a second, and the share of its matrix products' peak.

Run it with `make bench`, or `python benchmarks/training.py RECIPE`. Real training steps (forward, backward, AdamW) on
windows of the packaged corpus, padding not counted; the peak is measured in the same process between the steps. What a
step needs: the forward products, and as many again for the gradients of the activations in the layers that are adapted;
frozen weights have no gradients, those of an adapter are left out as small, and without one all weights have theirs.
"""

import sys
import time
from statistics import median

import torch
from speed import multiplications, peak
from transformers import set_seed
from whosays.model.checkpoint import new_model
from whosays.model.errors import InputError
from whosays.model.labels import DEFAULT_SCHEME
from whosays.model.memory import keep_freed_memory
from whosays.model.predictor import Predictor
from whosays.model.windows import special_token_id
from whosays.training.corpus import packaged_split
from whosays.training.fit import round_frozen
from whosays.training.recipe import load_recipe
from whosays.training.rows import collate_rows, training_rows

STEPS, WARM_UP = 12, 3


def measure(name: str) -> None:
    """Print the figures of one recipe."""
    recipe = load_recipe(name)
    set_seed(recipe.seed)
    lora = recipe.lora.model_dump() if recipe.lora else None
    model, tokenizer = new_model(recipe.encoder, pooling=recipe.pooling, dropout=recipe.dropout, lora=lora)
    bf16 = Predictor(model, tokenizer, precision=recipe.precision).bf16
    if bf16:
        round_frozen(model)
    dtype = torch.bfloat16 if bf16 else torch.float32
    items = packaged_split("train", DEFAULT_SCHEME, {})[: recipe.batch_windows * STEPS * 2]
    rows = sorted(training_rows(items, model, tokenizer), key=lambda row: len(row["input_ids"]))
    pad_id = special_token_id(tokenizer, "pad", "eos")
    model.train()
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-6)
    layers = model.encoder.config.num_hidden_layers
    share = 1 - recipe.lora.frozen / layers if recipe.lora else 2.0
    rates, shares = [], []
    for step in range(STEPS):
        batch = rows[step * recipe.batch_windows * 2 :][: recipe.batch_windows]
        lengths = [len(row["input_ids"]) for row in batch]
        start = time.perf_counter()
        with torch.autocast("cpu", dtype, enabled=bf16):
            loss = model(**collate_rows(batch, pad_id)).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        seconds = time.perf_counter() - start
        if step >= WARM_UP:
            needed = multiplications(model.encoder, lengths) * (1 + share)
            rates.append(sum(lengths) / seconds)
            shares.append(needed / seconds / peak(model.encoder, dtype))
    print(
        f"{name}: {median(rates):.0f} tokens/s, {median(shares):.0%} of the peak in {'bf16' if bf16 else 'fp32'} "
        f"({torch.get_num_threads()} threads, batches of {recipe.batch_windows} windows)"
    )


def main() -> None:
    """Measure the given recipes, or those that ship."""
    keep_freed_memory()  # as the command does
    for name in sys.argv[1:] or ["default", "accurate"]:
        try:
            measure(name)
        except InputError as error:
            print(f"{name}: not measured: {error}")


if __name__ == "__main__":
    main()
