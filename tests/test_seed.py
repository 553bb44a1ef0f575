"""The seed article: its files fit together, and it stays out of training."""

from pathlib import Path

from whosays.model.article import segment
from whosays.model.labels import DEFAULT_SCHEME
from whosays.model.sides import load_conflict
from whosays.training.corpus import corpus_files, read_corpus

SEEDS = Path(__file__).parent.parent / "seeds"


def test_its_labels_are_of_its_own_sentences():
    conflict = load_conflict(SEEDS / "karabakh.yaml")
    [item] = read_corpus([str(SEEDS / "karabakh.jsonl")], DEFAULT_SCHEME, {conflict.name: conflict})
    text = (SEEDS / "karabakh.txt").read_text(encoding="utf-8")
    assert [s.text for s in item.article.sentences] == [s.text for s in segment(text)]
    assert None not in item.labels["side"] + item.labels["stance"]


def test_it_is_not_in_the_corpus():
    sentences = {s.text for s in segment((SEEDS / "karabakh.txt").read_text(encoding="utf-8")) if len(s.text) > 40}
    corpus = {s.text for item in read_corpus(corpus_files(), DEFAULT_SCHEME) for s in item.article.sentences}
    assert not sentences & corpus
