"""Labelled articles for tests of training."""

import pytest
from whosays.model.labels import DEFAULT_SCHEME
from whosays.training.corpus import read_corpus


@pytest.fixture
def articles(gold_file, strait):
    return read_corpus([str(gold_file)], DEFAULT_SCHEME, {"strait": strait})
