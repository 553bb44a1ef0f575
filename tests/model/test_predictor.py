import itertools

import pytest
import torch
from whosays.model.article import Article, article_from_sentences, article_from_text
from whosays.model.errors import InputError
from whosays.model.predictor import Predictor
from whosays.model.sides import Conflict

TEXT = (
    "Northland said its ships had left. Southland denied the report, and Marshal Ruiz called it a lie. "
    "Residents saw nothing. Both sides accused each other of piracy. The strait is twelve miles wide.\n\n"
) * 12


@pytest.fixture(scope="module")
def predictor(tiny_model):
    return Predictor.load(str(tiny_model), precision="fp32")


@pytest.fixture
def article():
    return article_from_text("a", TEXT)


def test_every_sentence_gets_one_row_in_order(predictor, article, strait):
    rows = predictor.label(article, strait)
    assert [row.index for row in rows] == list(range(len(article.sentences)))
    for row in rows:
        assert article.text[row.start : row.end] == row.text
        for head in ("side", "stance"):
            assert sum(row.probabilities[head].values()) == pytest.approx(1)
            assert row.scores[head] == max(row.probabilities[head].values())
        assert list(row.probabilities["side"]) == ["none", "other", "both", "northland", "southland"]


def test_evidence_is_a_mention_of_the_chosen_side(predictor, article, strait):
    rows = predictor.label(article, strait)
    aliases = {side.key: side.aliases for side in strait.sides}
    for row in rows:
        if row.labels["side"] in aliases:
            assert row.evidence_text in aliases[row.labels["side"]]
            assert article.text[row.evidence.start : row.evidence.end] == row.evidence_text
        else:
            assert row.evidence is None
            assert row.row()["evidence_start"] is None


def test_reordering_sides_changes_nothing_at_all(predictor, article, strait):
    expected = predictor.label(article, strait)
    for sides in itertools.permutations(strait.sides):
        assert predictor.label(article, Conflict("strait", sides)) == expected


def test_many_articles_together_are_labelled_as_alone(predictor, strait):
    articles = [
        article_from_sentences(str(n), ["Norden said so.", "Suden denied it."] * (n % 7 + 1)) for n in range(150)
    ]
    together = list(predictor.label_all((a, strait) for a in articles))
    assert [rows[0].article_id for rows in together] == [a.id for a in articles]
    for a, rows in zip(articles[:9], together, strict=False):
        alone = predictor.label(a, strait)
        assert [r.labels for r in alone] == [r.labels for r in rows]
        for one, other in zip(alone, rows, strict=True):
            assert one.scores["side"] == pytest.approx(other.scores["side"], abs=1e-5)


def test_scores_do_not_depend_on_the_number_of_cores(tiny_model, article, strait):
    cores = torch.get_num_threads()
    jobs = [(article, strait)] * 20
    answers = {}
    try:
        for count in (1, 3):
            torch.set_num_threads(count)
            predictor = Predictor.load(str(tiny_model), precision="fp32")
            seen = set()
            predictor.model.register_forward_pre_hook(lambda *_, seen=seen: seen.add(torch.get_num_threads()))
            answers[count] = list(predictor.label_all(jobs))
            assert seen == {1}  # a core computes its batch alone
            assert torch.get_num_threads() == count  # who else computes in this process keeps what it had
    finally:
        torch.set_num_threads(cores)
    assert answers[1] == answers[3]


def test_temperature_softens_and_keeps_the_order(tiny_model, article, strait):
    predictor = Predictor.load(str(tiny_model), precision="fp32")
    sharp = predictor.label(article, strait)
    predictor.model.config.temperatures = {"side": 3.0, "stance": 3.0}
    soft = predictor.label(article, strait)
    assert [r.labels for r in soft] == [r.labels for r in sharp]
    assert all(b.scores["stance"] < a.scores["stance"] for a, b in zip(sharp, soft, strict=True))


def test_labels_below_the_confidence_stay_empty(predictor, article, strait):
    rows = predictor.label(article, strait, min_confidence=1.0)
    assert {label for row in rows for label in row.labels.values()} == {None}
    assert all(row.evidence is None for row in rows)


def test_an_empty_article_is_refused(predictor, strait):
    with pytest.raises(InputError, match="'void'"):
        predictor.label(Article("void", "", ()), strait)


def test_bf16_stays_close(tiny_model, article, strait):
    exact = Predictor.load(str(tiny_model), precision="fp32").label(article, strait)
    rough = Predictor.load(str(tiny_model), precision="bf16").label(article, strait)
    for a, b in zip(exact, rough, strict=True):
        assert a.scores["stance"] == pytest.approx(b.scores["stance"], abs=0.05)
    assert torch.get_default_dtype() == torch.float32
