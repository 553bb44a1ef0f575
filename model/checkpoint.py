"""Model folders: the one place that knows their layout.

A folder holds `config.json`, `model.safetensors` (all weights, or only the adapter and the heads when the encoder
is adapted by LoRA) or `model.onnx`, the tokenizer's files, and what training adds: recipe, metrics, model card.
Nothing is pickled.
"""

import hashlib
import json
import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModel, AutoTokenizer, PreTrainedTokenizerBase

from .encoders import BUILT_IN, encoder_sha256, encoder_source, is_joined
from .errors import InputError, WorkError
from .labels import DEFAULT_SCHEME, Scheme
from .network import SentenceLabeler, SentenceLabelerConfig
from .onnx import ONNX_DATA, ONNX_FILE, OnnxLabeler

PACKAGED = Path(__file__).parent / "packaged"
_WEIGHTS = "model.safetensors"
_TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")
WEIGHTS_FILES = (_WEIGHTS, ONNX_FILE, ONNX_DATA)
"""Every file that can hold a model's weights; who replaces a model removes these of the old one first."""
STAND_INS = ("country", "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "theta", "omega")
"""The words whose vectors the stand-ins begin with: the first where one stands for all, the others else."""
_FEWEST_TOKENS = 100
_LAYER = re.compile(r"\.(\d+)\.")  # the number of its layer in a module's name

logger = logging.getLogger(__name__)


def new_model(
    encoder: str,
    *,
    scheme: Scheme = DEFAULT_SCHEME,
    stand_ins: int = 1,
    pooling: str = "mean",
    pointer_size: int = 128,
    dropout: float = 0.1,
    lora: Mapping[str, int] | None = None,
    max_tokens: int = 512,
    overlap: int = 128,
) -> tuple[SentenceLabeler, PreTrainedTokenizerBase]:
    """An untrained model over a pretrained encoder, and the encoder's tokenizer.

    `lora` is `{"rank": r, "alpha": a}` to adapt the encoder (Hu et al. 2021) and leave its own weights as they are;
    with `"frozen": n` its n lowest layers are not adapted, which spares their part of the backward pass.
    Raises `InputError` if there is no such encoder, it cannot read `max_tokens` tokens or its tokenizer is of no use
    here, and `WorkError` as `encoder_source` does.
    """
    source = encoder_source(encoder)
    encoder_config = _read_encoder_config(encoder, source)
    if getattr(encoder_config, "is_encoder_decoder", False):
        raise InputError(f"encoder '{encoder}': has a decoder too; take an encoder of BERT's kind")
    if encoder not in BUILT_IN and Path(encoder).is_dir():
        encoder = str(Path(encoder).resolve())  # an adapter needs it wherever one stands
    # Without attention dropout, PyTorch takes its fused attention in training too: about twice as fast.
    if hasattr(encoder_config, "attention_probs_dropout_prob"):
        encoder_config.attention_probs_dropout_prob = 0.0
    config = SentenceLabelerConfig(
        encoder=encoder,
        encoder_config=encoder_config.to_diff_dict() | {"model_type": encoder_config.model_type},
        scheme=scheme.to_dict(),
        stand_ins=stand_ins,
        pooling=pooling,
        pointer_size=pointer_size,
        dropout=dropout,
        lora=dict(lora) if lora else None,
        max_tokens=max_tokens,
        overlap=overlap,
    )
    # Made whole and then given its encoder: a recipe reproduces its model by the random numbers that this draws.
    model = SentenceLabeler(config)
    readable = getattr(encoder_config, "max_position_embeddings", max_tokens) - _first_position(model.encoder)
    if max_tokens > readable:
        raise InputError(f"max_tokens: {max_tokens} is more than the {readable} that encoder '{encoder}' can read")
    model.encoder = _load_encoder(encoder, source, encoder_config)
    config.encoder_sha256 = encoder_sha256(source)  # only now is one from the hub on this machine
    tokenizer = _load_tokenizer(f"encoder '{encoder}'", source, encoder_config)
    if model.mention is not None:
        words = model.encoder.get_input_embeddings().weight.data
        seeds = STAND_INS[:1] if stand_ins == 1 else STAND_INS[1 : stand_ins + 1]
        for vector, word in zip(model.mention.data, seeds, strict=True):
            vector.copy_(words[torch.as_tensor(tokenizer(word, add_special_tokens=False)["input_ids"])].mean(0))
    if lora:
        _add_lora(model, lora)
    return model, tokenizer


def begin_with(model: SentenceLabeler, name: str) -> None:
    """Give an untrained `model` the weights of model `name`, a packaged one or a folder, for training to go on from.

    Labels that `name` does not have stay untrained, which the log tells. Where `name` pools by the mean and `model` by
    attention, that begins as the mean. Raises `InputError` if there is no such model, it is ONNX, damaged, or built in
    another way than `model`.
    """
    folder = model_folder(name)
    if _WEIGHTS not in _weights(folder):
        raise InputError(f"start '{name}': is ONNX, which cannot be trained; take the model that it was made from")
    with _damage_told(folder):
        begun, config = SentenceLabelerConfig.from_pretrained(folder), model.config
        if begun.encoder_sha256 != config.encoder_sha256:
            raise InputError(
                f"start '{name}': is made over an encoder with SHA-256 {begun.encoder_sha256[:12]}… "
                f"('{begun.encoder}'), the recipe's '{config.encoder}' has {config.encoder_sha256[:12]}…; give its own"
            )
        for field in ("lora", "stand_ins", "pooling", "pointer_size"):
            its, ours = getattr(begun, field), getattr(config, field)
            if its != ours and (field, its) != ("pooling", "mean"):
                raise InputError(f"start '{name}': has {field} {its}, the recipe {ours}; give the recipe the model's")
        weights, own = _read_weights(folder), _stored_weights(model)
        taken = {weight: weights[weight] for weight in own if not weight.startswith(("heads.", "focus."))}
        known = {head.name: head.labels for head in Scheme.from_dict(begun.scheme).heads}
        for head in model.scheme.heads:
            labels = known.get(head.name, ())
            if new := [label for label in head.labels if label not in labels]:
                logger.info(
                    "start '%s': does not know %s of '%s', which begin untrained", name, ", ".join(new), head.name
                )
            if labels and config.pooling == begun.pooling == "attention":
                taken[f"focus.{head.name}"] = weights[f"focus.{head.name}"]
            for part in (f"heads.{head.name}.weight", f"heads.{head.name}.bias"):
                rows = (weights[part][labels.index(label)] if label in labels else None for label in head.labels)
                taken[part] = torch.stack([own[part][n] if row is None else row for n, row in enumerate(rows)])
        model.load_state_dict(taken, strict=False)


def save_model(model: SentenceLabeler, tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """Write a model folder; of an adapted encoder only what was trained. The weights are replaced whole."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in _stored_weights(model).items()}
    partial = folder / f".{_WEIGHTS}.partial"
    save_file(weights, partial, metadata={"format": "pt"})
    partial.replace(folder / _WEIGHTS)
    model.config.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def load_model(name: str) -> tuple[SentenceLabeler | OnnxLabeler, PreTrainedTokenizerBase]:
    """The model in a folder, or the packaged model of that name, ready to predict, and its tokenizer.

    A LoRA adapter is merged into its encoder, which then costs nothing at inference. A folder with ONNX in it gives
    an `OnnxLabeler`. Raises `InputError` if there is no such model, the folder is not one, or the encoder differs
    from the one it was trained over; `WorkError` as `encoder_source` does, and if memory runs out.
    """
    folder = model_folder(name)
    with _damage_told(folder):
        return _load(folder)


@contextmanager
def _damage_told(folder: Path) -> Iterator[None]:
    """What goes wrong while a model is loaded from a folder, as one of our errors.

    What libraries raise at a damaged file is not one kind of error; whatever it is, the folder cannot be used.
    """
    try:
        yield
    except (InputError, WorkError):
        raise
    except Exception as error:
        if isinstance(error, MemoryError) or "allocate memory" in str(error):  # as PyTorch and ONNX Runtime say it
            raise WorkError(f"{folder}: memory ran out while the model was loaded; stop other programs") from error
        raise InputError(f"{folder}: the model folder is damaged: {_first_line(error)}") from error


def _load(folder: Path) -> tuple[SentenceLabeler | OnnxLabeler, PreTrainedTokenizerBase]:
    config = SentenceLabelerConfig.from_pretrained(folder)
    if _WEIGHTS not in _weights(folder):
        labeler = OnnxLabeler(folder / ONNX_FILE, config)
        return labeler, _load_tokenizer(str(folder), str(folder), config.encoder_settings())
    model = SentenceLabeler(config, _own_encoder(folder, config) if config.lora else None)
    weights = _read_weights(folder)
    wrong = set(weights) ^ _stored_names(model)
    if wrong:
        raise InputError(f"{folder / _WEIGHTS}: does not fit config.json at '{min(wrong)}'; the folder is damaged")
    if config.lora:
        _merge_lora(model, weights)
    model.load_state_dict(weights, strict=False)
    return model.eval(), _load_tokenizer(str(folder), str(folder), model.encoder.config)


def _read_weights(folder: Path) -> dict[str, torch.Tensor]:
    try:
        return load_file(folder / _WEIGHTS)
    except (OSError, SafetensorError) as error:
        raise InputError(f"{folder / _WEIGHTS}: cannot be read as safetensors: {error}") from None


def _stored_weights(model: SentenceLabeler) -> dict[str, torch.Tensor]:
    """What a folder holds of a model in training: of an adapted encoder only the adapter."""
    return {
        name: tensor
        for name, tensor in model.state_dict().items()
        if not (model.config.lora and name.startswith("encoder.")) or ".lora_" in name
    }


def _own_encoder(folder: Path, config: SentenceLabelerConfig) -> Any:
    """The encoder that the adapter in `folder` was trained over."""
    if Path(config.encoder).is_absolute() and not Path(config.encoder).is_dir():
        raise InputError(
            f"{folder}: trained over the encoder in {config.encoder}, which is not there; put it back, or where it is "
            "run `whosays export … --format merged`, which makes a model that needs none"
        )
    source = encoder_source(config.encoder)
    local = Path(source).is_dir()
    if local:
        _check_encoder(folder, config, source)
    encoder = _load_encoder(config.encoder, source, config.encoder_settings())
    if not local:  # loading may have fetched it
        _check_encoder(folder, config, source)
    return encoder


def _check_encoder(folder: Path, config: SentenceLabelerConfig, source: str) -> None:
    """Raises `InputError` if the encoder's weights are not those that the hash in `config` is of."""
    known = config.encoder_sha256
    if not known or (found := encoder_sha256(source)) == known:
        return
    mend = "install that version of the encoder"
    if is_joined(config.encoder, source):
        mend = "delete that folder, and it is made anew"
    raise InputError(
        f"{folder}: trained over encoder '{config.encoder}' with SHA-256 {known[:12]}…, "
        f"found {f'{found[:12]}…' if found else 'no weights'} in {source}; {mend}"
    )


def model_folder(name: str) -> Path:
    """The folder of model `name`: a packaged model or a path. Raises `InputError` if it is not a model folder."""
    packaged = {path.name: path for path in PACKAGED.glob("*") if path.is_dir()}
    folder = packaged.get(name, Path(name))
    if not folder.is_dir():
        known = ", ".join(sorted(packaged))
        raise InputError(f"model '{name}': no such folder; give a folder that `whosays train` wrote or one of: {known}")
    if not is_configured(folder):
        raise InputError(f"model '{name}': not a whosays model folder (config.json is missing or of another kind)")
    if not _weights(folder):
        raise InputError(f"model '{name}': not a whole model folder; {_WEIGHTS} or {ONNX_FILE} is missing")
    if not (folder / "tokenizer.json").is_file():
        raise InputError(f"model '{name}': not a whole model folder; tokenizer.json is missing")
    return folder


def is_configured(folder: Path) -> bool:
    """Whether a folder has the config.json of a model, be there weights or not."""
    try:
        kind = json.loads((folder / "config.json").read_text(encoding="utf-8")).get("model_type")
    except (OSError, ValueError, AttributeError):
        return False
    return kind == SentenceLabelerConfig.model_type


def model_sha256(name: str) -> str:
    """SHA-256 over all that decides what model `name` answers: config (with its encoder's hash), weights, tokenizer.

    Raises `InputError` as `model_folder` does.
    """
    folder, digest = model_folder(name), hashlib.sha256()
    for part in ("config.json", *_weights(folder), *_TOKENIZER):
        if (folder / part).is_file():
            with (folder / part).open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _weights(folder: Path) -> list[str]:
    """The files that hold the folder's weights; none if they are missing."""
    files = [_WEIGHTS] if (folder / _WEIGHTS).is_file() else [ONNX_FILE, ONNX_DATA]
    return [file for file in files if (folder / file).is_file()]


def _stored_names(model: SentenceLabeler) -> set[str]:
    """Names of the tensors that a folder holds: all, or of an adapted encoder only the adapter's, as peft has them."""
    names = set(model.state_dict())
    if not model.config.lora:
        return names
    own = {name for name in names if not name.startswith("encoder.")}
    return own | {name for target in _lora_targets(model.encoder, model.config.lora) for name in _lora_names(target)}


def _lora_targets(encoder: Any, lora: Mapping[str, int]) -> list[str]:
    """Every linear map of the encoder above its `frozen` lowest layers, by name."""
    return [
        name
        for name, module in encoder.named_modules()
        if isinstance(module, torch.nn.Linear)
        and (found := _LAYER.search(name))
        and int(found[1]) >= lora.get("frozen", 0)
    ]


def _lora_names(target: str) -> list[str]:
    """What the two factors of a linear map's change are called: A [rank, inputs] and B [outputs, rank]."""
    return [f"encoder.base_model.model.{target}.lora_{factor}.default.weight" for factor in "AB"]


def _add_lora(model: SentenceLabeler, lora: Mapping[str, int]) -> None:
    """Adapt every linear map of the encoder above its `frozen` lowest layers.

    With frozen layers the stand-ins stay as they began, so that no gradient has to pass through them.
    """
    from peft import LoraConfig, get_peft_model  # not for those who only predict: it takes long to import

    targets = _lora_targets(model.encoder, lora)
    if not targets:
        encoder = f"encoder '{model.config.encoder}'"
        raise InputError(
            f"lora.frozen: {lora['frozen']} leaves no layer of {encoder} to adapt"
            if _lora_targets(model.encoder, {})
            else f"lora: {encoder} has no linear maps in numbered layers, which are what it adapts; give lora: null"
        )
    settings = LoraConfig(r=lora["rank"], lora_alpha=lora["alpha"], target_modules=targets, lora_dropout=0.0)
    model.encoder = get_peft_model(model.encoder, settings)
    if lora.get("frozen") and model.mention is not None:
        model.mention.requires_grad_(False)


@torch.no_grad()
def _merge_lora(model: SentenceLabeler, weights: dict[str, torch.Tensor]) -> None:
    """Move the adapter from `weights` into the encoder: W + BA · alpha / rank (Hu et al. 2021)."""
    lora = model.config.lora
    for target in _lora_targets(model.encoder, lora):
        a, b = (weights.pop(name) for name in _lora_names(target))
        model.encoder.get_submodule(target).weight += b @ a * (lora["alpha"] / lora["rank"])


def _read_encoder_config(name: str, source: str) -> Any:
    try:
        return AutoConfig.from_pretrained(source, trust_remote_code=False)
    except (OSError, ValueError) as error:
        known = f"built in are {' and '.join(BUILT_IN)}, else give a folder or a hub id"
        raise InputError(f"encoder '{name}': cannot be loaded: {_first_line(error)}; {known}") from None


def _load_encoder(name: str, source: str, config: Any) -> Any:
    try:
        return AutoModel.from_pretrained(
            source, config=config, trust_remote_code=False, use_safetensors=True, dtype=torch.float32
        )
    except (OSError, ValueError) as error:
        raise InputError(f"encoder '{name}': cannot be loaded: {_first_line(error)}") from None


def _first_position(encoder: Any) -> int:
    """The position at which an encoder puts the first token of a window.

    0 but for encoders of RoBERTa's kind, mpnet among them: these count from behind the place of padding, so that many
    of their positions no token has. It is their table of positions that tells them: no other has a place for padding.
    """
    table = getattr(getattr(encoder, "embeddings", None), "position_embeddings", None)
    padding = getattr(table, "padding_idx", None)
    return 0 if padding is None else padding + 1


def _load_tokenizer(owner: str, source: str, config: Any) -> PreTrainedTokenizerBase:
    """The tokenizer in folder or hub id `source`; an `InputError` says what is wrong with that of `owner`."""
    try:
        tokenizer = AutoTokenizer.from_pretrained(source, config=config, trust_remote_code=False)
    except MemoryError:
        raise
    # Missing files, a missing package, a class that nobody knows, JSON that the Rust library cannot read: all differ.
    except Exception as error:
        raise InputError(
            f"{owner}: its tokenizer cannot be loaded ({_first_line(error)}); it needs a tokenizer.json that is whole"
        ) from error
    if not tokenizer.is_fast:
        raise InputError(
            f"{owner}: {type(tokenizer).__name__} does not say where in the text a token stands, which mentions need; "
            "take an encoder with a fast tokenizer"
        )
    if len(tokenizer) < _FEWEST_TOKENS:  # what transformers makes of a folder without a tokenizer
        raise InputError(f"{owner}: its tokenizer knows no words; save the tokenizer in its folder too")
    # Windows are laid by ourselves: the tokenizer's own limits must neither cut nor pad.
    tokenizer.backend_tokenizer.no_truncation()
    tokenizer.backend_tokenizer.no_padding()
    return tokenizer


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
