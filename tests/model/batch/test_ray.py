"""The engine of a cluster, on a real Ray cluster of two workers on this machine."""

import os
import signal
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from runs import files_of, run, write_articles
from whosays.model.errors import InputError

ray = pytest.importorskip("ray")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cluster():
    """Two workers, one thread each, which is what the engine in this process must have to give the same bytes."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    # As Ray has it, workers stand behind all else that the machine does, and on a busy one they hardly start.
    os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112 - Ray spells it so
    ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()
    torch.set_num_threads(threads)


def test_a_cluster_writes_the_same_bytes_even_if_workers_are_killed(cluster, tmp_path, tiny_model, strait):
    from whosays.model.batch.ray_engine import ray_engine

    source = write_articles(tmp_path / "in.jsonl", 120)
    run(source, tmp_path / "whole", tiny_model, strait)
    seen, killed = set(), []

    def kill(part, summary):
        seen.update(workers("_Labeller"))
        if part.number == 4:
            killed.extend(pids[0] for name in ("_Labeller", "ReadParts") if (pids := workers(name)))
            for pid in killed:
                os.kill(pid, signal.SIGKILL)

    # Begun by this process, ended by the cluster: a run does not depend on who works on it.
    assert not run(source, tmp_path / "out", tiny_model, strait, stop=lambda: True).finished
    summary = run(source, tmp_path / "out", tiny_model, strait, start_engine=ray_engine, tell=kill)
    assert (summary.articles, summary.rejects, summary.finished) == (120, 1, True)
    assert len(killed) == 2  # a labeller and what reads
    assert len(seen) >= 3  # two, and one in the place of the killed one
    assert files_of(tmp_path / "out") == files_of(tmp_path / "whole")


def test_a_cluster_says_in_one_line_what_is_wrong(cluster, tmp_path, strait):
    from whosays.model.batch.ray_engine import ray_engine

    with pytest.raises(InputError, match="no such folder") as caught:
        ray_engine(str(tmp_path / "nowhere"), "fp32", 0.0)
    assert "\n" not in str(caught.value)


def workers(name: str) -> list[int]:
    """Ray's processes under this one that are at work on what is so called."""
    parents, found = {}, []
    for task in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parents[int(task.name)] = int((task / "stat").read_text().rsplit(")", 1)[1].split()[1])
            title = (task / "cmdline").read_bytes().decode(errors="replace")
            if title.startswith("ray::") and name in title:
                found.append(int(task.name))
    return [pid for pid in found if os.getpid() in ancestors(pid, parents)]


def ancestors(pid: int, parents: dict[int, int]) -> list[int]:
    above = []
    while (pid := parents.get(pid, 0)) > 1:
        above.append(pid)
    return above
