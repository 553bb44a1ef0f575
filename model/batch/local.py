"""The engine on this machine: the model in this process, or in one process a GPU where there are several."""

from collections.abc import Generator, Iterable

import torch

from ..predictor import Precision, Predictor
from .parts import Engine, LabelledPart, Part, ahead, engine_settings
from .processes import processes_engine


def local_engine(model: str, precision: Precision, min_confidence: float) -> Engine:
    """The model on this machine; the next parts are read and prepared in a thread while one is computed.

    Raises `InputError` as `Predictor.load` does.
    """
    if torch.cuda.device_count() > 1:
        devices = [f"cuda:{number}" for number in range(torch.cuda.device_count())]
        return processes_engine(model, precision, min_confidence, devices)
    predictor = Predictor.load(model, precision)

    def run(parts: Iterable[Part]) -> Generator[LabelledPart]:
        for part, prepared in ahead((part, predictor.prepare(part.jobs)) for part in parts):
            yield LabelledPart(part, predictor.label_prepared(prepared, min_confidence))

    return Engine(predictor.scheme.names, engine_settings(model, predictor), run)
