import json
from collections import Counter

import pytest
from whosays.model.article import article_from_sentences
from whosays.model.errors import InputError
from whosays.model.files.reading import Reject
from whosays.model.labels import DEFAULT_SCHEME
from whosays.model.predictor import Predictor
from whosays.model.sides import Conflict, Side
from whosays.training.corpus import LabelledArticle, read_corpus
from whosays.training.distil import teach, unlabelled_articles, write_taught


@pytest.fixture
def corpus(strait):
    other = Conflict("valley", (Side("east", "East", ("Ostland",)), Side("west", "West", ("Westland",))))
    labelled = article_from_sentences(
        "gold", ["Norden denied it.", "So it was.", "Norden and Suden met here for talks."]
    )
    held_out = article_from_sentences("held", ["Ostland spoke to Westland."])
    labels = dict.fromkeys(DEFAULT_SCHEME.names, (None, None))
    return [LabelledArticle(labelled, strait, labels), LabelledArticle(held_out, other, labels)]


def chosen(corpus, *texts):
    articles = [article_from_sentences(str(n), [text]) for n, text in enumerate(texts)]
    return [(article.id, conflict.name) for article, conflict in unlabelled_articles(articles, corpus, ["strait"])]


def test_only_new_articles_about_allowed_conflicts_are_taught(corpus):
    assert chosen(
        corpus,
        "Norden met Suden.",
        "Norden spoke.",  # one side only
        "norden denied it.",  # labelled already
        "Norden and Suden met here today for talks.",  # nearly
        "Norden and Suden began a war over fish.",
        "Norden and Suden began a new war over fish.",  # nearly the one before
        "Ostland met Westland.",  # held out
        "Ostland and Westland heard Norden and Suden.",  # as much about what is held out
        "Ostland heard Norden and Suden.",
    ) == [("0", "strait"), ("4", "strait"), ("8", "strait")]


def test_how_many_are_left_out_is_told(corpus, caplog):
    caplog.set_level("INFO")
    chosen(
        corpus,
        "Norden met Suden.",
        "Norden spoke.",
        "Ostland met Westland.",
        "It rained.",
        "Norden and Suden met here today for talks.",
        "Norden and Suden met here yesterday for talks.",
        "Norden met Suden.",
    )
    assert caplog.messages == [
        "1 articles kept; left out: 3 about no training conflict, 2 near duplicates of the corpus, "
        "1 repeats of earlier articles"
    ]


def test_a_line_that_all_articles_share_does_not_matter(corpus):
    footer = "Your email address will not be published."
    texts = [
        "Norden and Suden began a war over fish.",
        "Norden sent ships to the port of Suden.",
        "Suden fears Norden now.",
    ]
    articles = [article_from_sentences(str(n), [text, "It rained.", footer]) for n, text in enumerate(texts)]
    articles[1:2] = [article_from_sentences("1", [texts[1], "Nobody knows how it will end.", footer])]
    found = [article.id for article, _ in unlabelled_articles(articles, corpus, ["strait"])]
    assert found == ["0", "1"], "two of three sentences of the last are known"


def test_common_words_do_not_tell_what_an_article_is_about(corpus):
    sides = (Side("crews", "Crews", ("Union of Crews", "workers")), Side("line", "Line", ("Baltic Line", "police")))
    labels = dict.fromkeys(DEFAULT_SCHEME.names, (None,))
    item = LabelledArticle(article_from_sentences("s", ["A strike began."]), Conflict("strike", sides), labels)
    articles = [
        article_from_sentences("elsewhere", ["Police stopped workers. Workers hit police."]),
        article_from_sentences("here", ["The Union of Crews met the Baltic Line."]),
    ]
    [(article, conflict)] = unlabelled_articles(articles, [item, *corpus], ["strike"])
    assert article.id == "here"
    assert conflict.sides[0].aliases == ("Union of Crews", "workers")


def test_nothing_to_teach_or_a_broken_row_is_said(corpus):
    with pytest.raises(InputError, match="none of the articles"):
        chosen(corpus, "Nobody spoke.")
    with pytest.raises(InputError, match="line 3"):
        unlabelled_articles([Reject("a.jsonl", 3, "not valid JSON")], corpus, ["strait"])


def test_what_a_teacher_says_is_read_back_and_learnt_from(corpus, tiny_model, strait, tmp_path):
    teacher = Predictor.load(str(tiny_model))
    jobs = [(article_from_sentences("x", ["Norden met Suden.", "They spoke."]), strait)]
    one, two = tmp_path / "one.jsonl.gz", tmp_path / "two.jsonl.gz"
    assert write_taught(teach([teacher], jobs), one) == 1
    assert write_taught(teach([teacher, teacher], jobs), two) == 1
    assert one.read_bytes() == two.read_bytes()  # the mean of equals
    [item] = read_corpus([str(one)], DEFAULT_SCHEME, {"strait": strait})
    for n, row in enumerate(teacher.label(*jobs[0])):
        for head, classes in row.probabilities.items():
            given = Counter(item.chances(head, n))
            assert all(given[label] == pytest.approx(p, abs=6e-4) for label, p in classes.items())
            assert item.labels[head][n] == row.labels[head]


@pytest.mark.parametrize("chances", [{"none": 0.5}, {"nobody": 1.0}, {"none": "all"}, None])
def test_probabilities_that_cannot_be_are_refused(tmp_path, strait, chances):
    path = tmp_path / "a.jsonl"
    sentences = [{"text": "One.", "side_probabilities": {"none": 1}}, {"text": "Two.", "side_probabilities": chances}]
    path.write_text(json.dumps({"id": "a", "conflict": "strait", "sentences": sentences}))
    with pytest.raises(InputError, match=r"line 1, article 'a': sentence 2: side_probabilities"):
        read_corpus([str(path)], DEFAULT_SCHEME, {"strait": strait})
