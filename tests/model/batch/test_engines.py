"""Engines other than the one in this process: the same bytes from other processes."""

import os
import signal
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from runs import files_of, run, write_articles
from whosays.model.article import article_from_sentences, article_from_text
from whosays.model.batch.processes import processes_engine
from whosays.model.batch.run import label_stream
from whosays.model.batch.wire import pack_jobs, pack_labels, unpack_jobs, unpack_labels
from whosays.model.errors import InputError, WorkError
from whosays.model.predictor import Predictor
from whosays.model.sides import Conflict, parse_side

TWO = partial(processes_engine, devices=("cpu", "cpu"))


def jobs_of(texts, split, conflict):
    make = (lambda n, t: article_from_sentences(n, [t, t])) if split else article_from_text
    return [(make(f"\ud800{n}", text + " Norden denied it."), conflict) for n, text in enumerate(texts)]


def texts(**characters):
    text = st.text(st.characters(**characters), min_size=1).filter(lambda text: text.strip())
    return st.lists(text, min_size=1, max_size=4)


@given(texts=texts(exclude_categories=()), split=st.booleans())
@settings(max_examples=40)
def test_articles_go_through_the_wire_unchanged(shared_predictor, texts, split):
    jobs = jobs_of(texts, split, shared_predictor[1])
    assert unpack_jobs(pack_jobs(jobs)) == jobs


# Tokenizers refuse half a surrogate pair, and so does reading.
@given(texts=texts(exclude_categories=["Cs"]), split=st.booleans())
@settings(max_examples=40)
def test_labels_go_through_the_wire_unchanged(shared_predictor, texts, split):
    predictor, conflict = shared_predictor
    jobs = jobs_of(texts, split, conflict)
    labelled = predictor.label_prepared(predictor.prepare(jobs))
    assert unpack_labels(jobs, pack_labels(labelled)) == labelled


@pytest.fixture(scope="module")
def shared_predictor(tiny_model):
    sides = "Northland=Norden,Northern", "Southland=Suden,Marshal Ruiz"
    return Predictor.load(str(tiny_model)), Conflict("strait", tuple(map(parse_side, sides)))


def test_two_processes_write_the_bytes_of_one(tmp_path, tiny_model, strait):
    source = write_articles(tmp_path / "in.jsonl", 40)
    for name, engine in {"one": {}, "two": {"start_engine": TWO}}.items():
        summary = run(source, tmp_path / name, tiny_model, strait, **engine)
        assert (summary.articles, summary.rejects, summary.finished) == (40, 1, True)
    assert files_of(tmp_path / "one") == files_of(tmp_path / "two")


@pytest.mark.slow
def test_a_process_that_dies_ends_in_one_line_and_the_run_goes_on_from_there(tmp_path, tiny_model, strait):
    source = write_articles(tmp_path / "in.jsonl", 60)
    run(source, tmp_path / "whole", tiny_model, strait)

    def kill_one(part, summary):
        if part.number == 2:
            os.kill(children()[0], signal.SIGKILL)

    with pytest.raises(WorkError, match=r"a worker process on cpu was ended by signal 9 .* start the same command"):
        run(source, tmp_path / "out", tiny_model, strait, start_engine=TWO, tell=kill_one)
    assert not children()
    summary = run(source, tmp_path / "out", tiny_model, strait, start_engine=TWO)
    assert 3 <= summary.resumed < summary.parts
    assert files_of(tmp_path / "out") == files_of(tmp_path / "whole")


@pytest.mark.slow
def test_a_run_may_change_between_engines_of_this_machine(tmp_path, tiny_model, strait):
    source = write_articles(tmp_path / "in.jsonl", 40)
    run(source, tmp_path / "whole", tiny_model, strait)
    stopped = run(source, tmp_path / "out", tiny_model, strait, stop=lambda: True)
    assert (stopped.parts, stopped.finished) == (1, False)
    assert run(source, tmp_path / "out", tiny_model, strait, start_engine=TWO).finished
    assert files_of(tmp_path / "out") == files_of(tmp_path / "whole")


@pytest.mark.slow
def test_processes_say_what_is_wrong_with_a_model_and_with_the_input(tmp_path, tiny_model, strait):
    with pytest.raises(InputError, match="no such folder"):
        TWO(str(tmp_path / "nowhere"), "fp32", 0.0)
    with pytest.raises(OSError, match="broke off"):
        list(TWO(str(tiny_model), "fp32", 0.0).run(_breaking_parts()))
    assert not children()


def _breaking_parts():
    raise OSError("broke off")
    yield


@pytest.mark.slow
def test_processes_end_when_their_stream_is_left(tmp_path, tiny_model, strait):
    source = write_articles(tmp_path / "in.jsonl", 40)
    stream = label_stream([str(source)], model=str(tiny_model), conflict=strait, start_engine=TWO)
    next(stream)
    stream.close()
    assert not children()


def children() -> list[int]:
    """This process's worker processes."""
    found = []
    for task in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parent = int((task / "stat").read_text().rsplit(")", 1)[1].split()[1])
            if parent == os.getpid() and b"whosays.model.batch.worker" in (task / "cmdline").read_bytes():
                found.append(int(task.name))
    return found


def test_processes_take_no_module_from_the_folder_one_stands_in(tmp_path, tiny_model, strait, monkeypatch):
    (tmp_path / "torch.py").write_text("raise ImportError('the user's own')")
    source = write_articles(tmp_path / "in.jsonl", 3)
    monkeypatch.chdir(tmp_path)
    assert run(source, tmp_path / "out", tiny_model, strait, start_engine=TWO).finished
