import pytest
from whosays.model.batch.local import local_engine
from whosays.model.batch.run import label_files


@pytest.fixture(scope="module")
def engine(tiny_model):
    """The local engine, loaded once: started anew for each run, it takes its time and not a label more."""
    return local_engine(str(tiny_model), "fp32", 0.0)


@pytest.fixture
def label(engine, strait):
    def run(*inputs, to, **options):
        options = {"conflict": strait, "part_items": 4, "start_engine": lambda *given: engine} | options
        return label_files([str(path) for path in inputs], to, **options)

    return run
