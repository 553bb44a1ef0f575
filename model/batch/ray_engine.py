"""The engine of a cluster: the same parts as a Ray Data job, labelled by a pool of actors that load the model once.

Ray Data wants to know its input before it starts. Here parts come one by one from the process that reads the input and
writes the output, and nobody knows how many there will be. Jobs of so many parts each would do, but with every job its
actors start anew and load the model again. So there is one job, whose only read task asks a small actor, the *feed*,
for part after part. No more parts are under way than keep the actors busy, so memory is bounded however long the run.

What is lost is done again, by Ray: an actor is started anew with the part that it had, and the read task from its
beginning, where the feed gives it empty blocks for what has come back already. If the feed itself is lost, the run
ends in an error; it stands on the machine that the run was started on.

Ray gives an actor one processor and one thread. Matrix products in another number of threads may differ in their last
bits, so scores are within 1e-5 of the local engine's, and the same bytes if that has one thread too. An actor takes a
GPU where the cluster has some; that was not tried, for want of one.
"""

import logging
import os
import signal
import threading
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from importlib.metadata import version
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa

from ..checkpoint import PACKAGED
from ..errors import InputError, WorkError
from ..predictor import Precision, Predictor
from .manifest import differences
from .parts import Engine, LabelledPart, Part, ahead, engine_settings
from .wire import pack_jobs, pack_labels, unpack_jobs, unpack_labels

try:
    import ray
    import ray.data
    import ray.exceptions
    from ray.data import ActorPoolStrategy, DataContext, Dataset
    from ray.data.exceptions import SystemException
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    from .ray_feed import Feed, Parts, row
except ModuleNotFoundError:
    raise InputError(
        "the engine 'ray' needs Ray; run `pip install '.[ray]'` where this package was installed from"
    ) from None

_DEPTH = 2
"""Parts under way for each actor: one in hand, one waiting."""


def ray_engine(model: str, precision: Precision, min_confidence: float, address: str | None = None) -> Engine:
    """The model on the Ray cluster at `address` ("auto", or host:port), or on one that starts and ends with the run.

    A program that is connected to a cluster works on that one. A packaged model goes by its name, another by its path,
    which must be there on every machine, and so must this version of this package. Number format and token budget
    are decided on the cluster, and all actors keep to them.

    Raises `InputError` if there is no such cluster or its machines cannot load the model, `WorkError` if a local one
    does not start.
    """
    if not (PACKAGED / model).is_dir():
        model = str(Path(model).absolute())
    connected = not ray.is_initialized()
    if connected:
        _connect(address)
    try:
        resources, size = _pool()
        heads, settings = ray.get(ray.remote(**resources)(_describe).remote(model, precision))
        if settings["whosays"] != version("whosays"):
            raise InputError(
                f"the cluster has whosays {settings['whosays']} and this machine {version('whosays')}; "
                "install one version on all"
            )
    except Exception as error:
        if connected:
            ray.shutdown()
        raise _plain(error) from None

    def run(parts: Iterable[Part]) -> Generator[LabelledPart]:
        try:
            here: Any = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
            feed = ray.remote(num_cpus=0, scheduling_strategy=here)(Feed).remote()
            labellers = {"fn_constructor_args": (model, min_confidence, settings), **resources}
            yield from _labelled(parts, feed, _dataset(feed, size, labellers), room=_DEPTH * size + 1)
        except (ray.exceptions.RayError, SystemException) as error:
            raise _plain(error) from None
        finally:
            if connected:
                ray.shutdown()

    return Engine(tuple(heads), {name: value for name, value in settings.items() if name != "whosays"}, run)


def _connect(address: str | None) -> None:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing about a run is reported to anybody
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    before = signal.getsignal(signal.SIGTERM)
    try:
        if address is None:
            ray.init("local", include_dashboard=False, **options)
        else:
            ray.init(address, **options)
    except Exception as error:  # Ray raises plain ones too
        reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
        if address is None:
            raise WorkError(f"a Ray cluster on this machine did not start: {reason}") from error
        raise InputError(f"Ray cluster '{address}': {reason}; give the address of one that runs") from error
    if threading.current_thread() is threading.main_thread():  # Ray takes the signal, which is not its to take
        signal.signal(signal.SIGTERM, before)
    for handler in logging.getLogger("ray.data").handlers:  # what goes wrong is said by us, in one line
        if not isinstance(handler, logging.FileHandler):
            handler.setLevel(logging.CRITICAL)


def _pool() -> tuple[dict[str, Any], int]:
    """What an actor takes, and how many of them the cluster has room for."""
    has = ray.cluster_resources()
    kind, name = ("num_gpus", "GPU") if has.get("GPU") else ("num_cpus", "CPU")
    return {kind: 1}, max(1, int(has.get(name, 1)))


def _describe(model: str, precision: Precision) -> tuple[tuple[str, ...], dict[str, Any]]:
    """What a machine of the cluster makes of the model: its heads, and the settings of an engine there."""
    return _description(model, Predictor.load(model, precision))


def _description(model: str, predictor: Predictor) -> tuple[tuple[str, ...], dict[str, Any]]:
    return predictor.scheme.names, {"whosays": version("whosays"), **engine_settings(model, predictor)}


def _labelled(parts: Iterable[Part], feed: Any, dataset: Dataset, room: int) -> Iterator[LabelledPart]:
    """Parts through the job and back, at most `room` under way."""
    waiting: deque[Part] = deque()
    packed = ahead((part, pack_jobs(part.jobs)) for part in parts)
    places = count()

    def send(done: int) -> None:
        part, data = next(packed, (None, None))
        if part:
            waiting.append(part)
        ray.get(feed.add.remote(next(places), data, done))

    for _ in range(room):
        send(0)
    blocks = dataset.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0)
    block: Any
    for done, block in enumerate(blocks, 1):
        part = waiting.popleft()
        assert block["place"].to_pylist() == [done - 1]
        send(done)
        yield LabelledPart(part, unpack_labels(part.jobs, block["data"][0].as_py()))


def _dataset(feed: Any, size: int, labellers: dict[str, Any]) -> Dataset:
    context = DataContext.get_current().copy()
    context.enable_progress_bars = False
    context.execution_options.preserve_order = True
    context.target_max_block_size = 1  # a block for each row, or else parts would be held back to make large blocks
    with DataContext.current(context):
        read = ray.data.read_datasource(Parts(feed), num_cpus=0, override_num_blocks=1)
        pool = ActorPoolStrategy(size=size, max_tasks_in_flight_per_actor=_DEPTH)
        return read.map_batches(_Labeller, batch_size=None, batch_format="pyarrow", compute=pool, **labellers)


class _Labeller:
    """An actor that has the model: a part in, its labels out, see `wire`."""

    def __init__(self, model: str, min_confidence: float, settings: dict[str, Any]) -> None:
        self.predictor = Predictor.load(model, settings["precision"])
        self.predictor.token_budget = settings["token_budget"]
        self.min_confidence = min_confidence
        differing = next(differences(settings, _description(model, self.predictor)[1]), None)
        if differing:
            raise InputError(f"machines of the cluster differ: {differing}; give all of them the same")

    def __call__(self, block: pa.Table) -> pa.Table:
        """The row of a part, its articles replaced by their labels."""
        place, data = block["place"][0].as_py(), block["data"][0].as_py()
        if data:
            prepared = self.predictor.prepare(unpack_jobs(data))
            data = pack_labels(self.predictor.label_prepared(prepared, self.min_confidence))
        return row(place, data)


def _plain(error: Exception) -> Exception:
    """What went wrong on the cluster, as we say such things; Ray wraps it, sometimes more than once."""
    cause: Any = error
    while cause is not None:
        if type(cause) in (InputError, WorkError):
            return cause
        inner = getattr(cause, "cause", None) or cause.__cause__
        if inner is None or inner is cause:
            break
        cause = inner
    lines = [line.strip() for line in str(cause).splitlines() if line.strip()]
    return WorkError(
        f"the Ray job broke off: {lines[-1] if lines else type(cause).__name__}; "
        "what is written stays; start the same command again"
    )
