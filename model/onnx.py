"""A model as one ONNX file: writing it, and running it by ONNX Runtime in the network's place.

The file holds the whole network, from token ids to logits, so that any runtime of ONNX can use it: inputs as
`windows.collate` makes them, outputs `logits.HEAD` for each head and `pointer`, both as in `LabelerOutput`.
"""

import importlib.util
import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

from .errors import InputError, WorkError
from .labels import Scheme
from .network import LabelerOutput, SentenceLabeler, SentenceLabelerConfig

ONNX_FILE = "model.onnx"
ONNX_DATA = f"{ONNX_FILE}.data"
_INSTALL = "run `pip install '.[onnx]'` where this package was installed from"

_TOKENS, _MENTIONS = ("batch", "tokens"), ("batch", "mentions")
_AXES = {
    "input_ids": _TOKENS,
    "attention_mask": _TOKENS,
    "slots": _TOKENS,
    "sentences": ("batch", "sentences"),
    "mention_positions": _MENTIONS,
    "mention_sides": _MENTIONS,
    "mention_sentences": _MENTIONS,
    "side_present": ("batch", "sides"),
}
# Any sizes do to trace by: all differ, so that no two axes are taken for one, and none is 1, which would be fixed.
_TRACED = {"batch": 2, "tokens": 7, "sentences": 3, "mentions": 5, "sides": 4}


class OnnxLabeler(nn.Module):
    """Stands where a `SentenceLabeler` does when a `Predictor` runs it: `config`, `scheme`, and tensors in, logits out.

    Computes in float32 on the CPU, with as many threads as PyTorch has, wherever the tensors are. It cannot be
    trained. Raises `InputError` if ONNX Runtime is not installed or the file is not the network that `config` tells of.
    """

    def __init__(self, file: Path, config: SentenceLabelerConfig) -> None:
        super().__init__()
        if not importlib.util.find_spec("onnxruntime"):
            raise InputError(f"{file}: running an ONNX model needs ONNX Runtime; {_INSTALL}")
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        self.session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        self.config = config
        self.scheme = Scheme.from_dict(config.scheme)
        found = [output.name for output in self.session.get_outputs()]
        if found != _output_names(self.scheme):
            raise InputError(f"{file}: gives {', '.join(found)}, which does not fit config.json; the folder is damaged")

    def forward(self, **tensors: Tensor) -> LabelerOutput:
        """Tensors as `windows.collate` makes them."""
        # A scheme may leave the network without use for an input; its file then has none of that name.
        feed = {entry.name: tensors[entry.name].cpu().numpy() for entry in self.session.get_inputs()}
        *logits, pointer = (torch.from_numpy(values) for values in self.session.run(None, feed))
        return LabelerOutput(None, dict(zip(self.scheme.names, logits, strict=True)), pointer)


class _Plain(nn.Module):
    """The network with tensors in a row for arguments and result, which is all that ONNX knows."""

    def __init__(self, model: SentenceLabeler) -> None:
        super().__init__()
        self.model = model

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        output = self.model(**dict(zip(_AXES, tensors, strict=True)))
        return *output.logits.values(), output.pointer


def write_onnx(model: SentenceLabeler, file: Path) -> None:
    """Write the network as ONNX, in the operator set that PyTorch's exporter writes by default; every axis may vary.

    The weights of a network of about 2 GB or more, the most that ONNX has room for, go into `model.onnx.data` beside
    it. Raises `InputError` if the exporter's packages are not installed, `WorkError` if it cannot trace the encoder.
    """
    if not importlib.util.find_spec("onnxscript"):
        raise InputError(f"writing an ONNX model needs the packages of PyTorch's exporter; {_INSTALL}")
    axes = {name: torch.export.Dim(name) for name in _TRACED}
    example = tuple(
        torch.zeros([_TRACED[axis] for axis in shape], dtype=torch.bool if name == "side_present" else torch.long)
        for name, shape in _AXES.items()
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                _Plain(model.eval()),
                example,
                dynamic_shapes=[tuple({n: axes[axis] for n, axis in enumerate(shape)} for shape in _AXES.values())],
                input_names=list(_AXES),
                output_names=_output_names(model.scheme),
                dynamo=True,
                verbose=False,
            )
    except (torch.onnx.OnnxExporterError, RuntimeError) as error:
        cause = str(error.__cause__ or error).strip().splitlines()[0]
        raise WorkError(f"encoder '{model.config.encoder}': cannot be written as ONNX: {cause}") from error
    assert program is not None
    program.save(file)


def _output_names(scheme: Scheme) -> list[str]:
    return [*(f"logits.{name}" for name in scheme.names), "pointer"]
