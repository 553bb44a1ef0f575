import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from whosays.configs import packaged_path
from whosays.configs.reading import read_yaml
from whosays.model.article import article_from_sentences
from whosays.model.labels import DEFAULT_SCHEME, Head, Scheme
from whosays.model.sides import Conflict, Side
from whosays.training.agreement import agreement, kappa
from whosays.training.corpus import LabelledArticle, corpus_files, read_corpus, read_kinds, read_splits
from whosays.training.corpus_check import check_corpus
from whosays.training.corpus_stats import corpus_stats


def rows_file(path, *articles):
    """Each article: (id, conflict, [(text, side, stance), ...])."""
    rows = [
        {"id": id, "conflict": c, "part": "real", "sentences": [{"text": t, "side": a, "stance": b} for t, a, b in ss]}
        for id, c, ss in articles
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def messages(findings):
    return [(f.line, f.article, f.message) for f in findings if not f.note]


def test_a_clean_corpus_has_no_errors(tmp_path, strait):
    file = rows_file(tmp_path / "a.jsonl", ("a", "strait", [("Norden spoke to Suden.", "northland", "affirm")]))
    findings = check_corpus([file], {"strait": "train"}, {"strait": strait})
    assert messages(findings) == []
    assert "Marshal Ruiz" in str(findings[-1])


def test_every_kind_of_fault_is_found_with_file_line_and_article(tmp_path, strait):
    clean = [("Norden spoke to Suden about the very long bridge.", "northland", "affirm")]
    file = rows_file(
        tmp_path / "a.jsonl",
        ("a", "strait", clean),
        ("b", "strait", [("Suden spoke with Norden about the very long bridge.", "none", "affirm")]),
        ("a", "strait", [("Suden slept.", "none", "affirm")]),
        ("d", "strait", [("He spoke.", "southland", "affirm")]),
        ("e", "strait", [("Suden woke.", "eastland", "affirm")]),
        ("f", "strait", [(" Suden left.", "none", "affirm")]),
    )
    with Path(file).open("a") as stream:
        stream.write("{broken\n")
    found = "\n".join(
        f"{line} {id}: {text}" for line, id, text in messages(check_corpus([file], {}, {"strait": strait}))
    )
    assert "2 b: sentence 1 nearly repeats sentence 1 of article 'a'" in found
    assert "3 a: the id stands already at" in found
    assert "4 d: side 'southland' speaks" in found
    assert "5 e: sentence 1: side 'eastland'" in found
    assert "6 f: sentence 1 has white space" in found
    assert "7 : not valid JSON" in found


def test_a_misspelt_head_is_noted_and_null_is_not(tmp_path, strait):
    file = tmp_path / "a.jsonl"
    sentences = [{"text": "Norden spoke.", "side": "northland", "stance": None}, {"text": "So.", "Side": "none"}]
    file.write_text(json.dumps({"id": "a", "conflict": "strait", "sentences": sentences}))
    found = [
        finding.message for finding in check_corpus([str(file)], {}, {"strait": strait}) if "has no" in finding.message
    ]
    assert found == [
        f"sentence 2 has no '{head}' (it has: text, Side); write null if it was not decided"
        for head in ("side", "stance")
    ]


def test_split_leaks(tmp_path, strait):
    other = Conflict("gulf", strait.sides)
    file = rows_file(
        tmp_path / "a.jsonl",
        ("t1.x", "strait", [("Norden and Suden met.", "none", "affirm")]),
        ("t1.y", "gulf", [("Norden and Suden parted.", "none", "affirm")]),
        ("t2", "bay", [("Norden and Suden sang in the rain.", "none", "affirm")]),
    )
    known = {"strait": strait, "gulf": other, "bay": Conflict("bay", strait.sides)}
    found = str(messages(check_corpus([file], {"strait": "train", "gulf": "test"}, known)))
    assert "in test, and as article 't1.x' in train" in found
    assert "'bay' is in no split" in found


def test_of_several_repeats_a_leak_is_named_and_else_the_first(tmp_path, strait):
    text = [("Norden and Suden met on the bridge at noon.", "none", "affirm")]
    articles = [(f"a{n}", "gulf", text) for n in range(10)]
    articles.insert(5, ("leaked", "strait", text))
    file = rows_file(tmp_path / "a.jsonl", *articles)
    known = {"strait": strait, "gulf": Conflict("gulf", strait.sides)}
    found = [message for _, _, message in messages(check_corpus([file], {"strait": "train", "gulf": "test"}, known))]
    assert found == [
        *["sentence 1 nearly repeats sentence 1 of article 'a0'"] * 4,
        "sentence 1 nearly repeats across the splits test and train sentence 1 of article 'a0'",
        *["sentence 1 nearly repeats across the splits train and test sentence 1 of article 'leaked'"] * 5,
    ]


def test_an_alias_is_heard_in_every_spelling_that_matches_it(tmp_path):
    sides = (
        Side("north", "North", ("Erdoğan", "O'Brien", "Al-Jazari", "President  Vasik", "the army", "Gone")),
        Side("south", "South", ("South",)),
    )
    texts = ["Erdogan met O’Brien and Al‑Jazari.", "President\u00a0Vasik led The Army south to South."]
    file = rows_file(tmp_path / "a.jsonl", ("a", "strait", [(text, "none", "affirm") for text in texts]))
    [note] = check_corpus([file], {}, {"strait": Conflict("strait", sides)})
    assert note.note
    assert note.message.endswith("1 of 6 aliases never match: Gone")


def test_near_repeats_in_one_article_or_below_the_threshold_are_no_finding(tmp_path, strait):
    ten = "Norden one two three four five six seven eight nine"
    apart = "Norden one two three four five six seven seventeen eighteen"  # 8 of 12 words in both: 0.67
    alike = "Norden one two three four five six seven eight nineteen"  # 9 of 11: 0.82
    sentences = {"a": [ten, f"{ten}."], "b": [apart], "c": [alike]}
    file = rows_file(
        tmp_path / "a.jsonl", *((id, "strait", [(t, "none", "affirm") for t in ts]) for id, ts in sentences.items())
    )
    found = messages(check_corpus([file], {}, {"strait": strait}))
    assert [(line, id) for line, id, _ in found] == [(3, "c")]


@given(st.sets(st.integers(0, 500), min_size=7, max_size=30), st.data())
@settings(max_examples=25)
def test_every_pair_of_sentences_above_the_threshold_is_found(words, data):
    """Of pairs at the threshold one in 6,500 may slip; of these, at 0.8 or more, one in twenty million."""
    strait = Conflict("strait", (Side("north", "North", ("North",)), Side("south", "South", ("South",))))
    dropped = data.draw(st.sets(st.sampled_from(sorted(words)), max_size=len(words) // 5))
    texts = [" ".join(f"w{word}" for word in chosen) for chosen in (words, words - dropped)]
    with tempfile.TemporaryDirectory() as folder:
        file = rows_file(
            Path(folder) / "a.jsonl", *((str(n), "strait", [(t, "none", "affirm")]) for n, t in enumerate(texts))
        )
        assert "nearly repeats sentence 1 of article '0'" in str(messages(check_corpus([file], {}, {"strait": strait})))


def test_counts(tmp_path, strait, gold_file):
    articles = read_corpus([str(gold_file)], DEFAULT_SCHEME, {"strait": strait})
    stats = corpus_stats(articles, {"strait": "dev"}, {"strait": "armed"})
    corpus = stats["corpus"]
    assert {name: corpus[name] for name in ("articles", "sentences", "conflicts", "armed", "unarmed")} == {
        "articles": 8, "sentences": 40, "conflicts": 1, "armed": 1, "unarmed": 0,
    }  # fmt: skip
    assert (corpus["two_sided"], corpus["many_sided"]) == (1, 0)
    assert corpus["side"] == {"side": 16, "none": 12, "other": 8, "both": 4}
    assert corpus["stance"] == {"affirm": 12, "deny": 8, "accuse": 8, "neutral": 8, "hedge": 4}
    assert corpus["hard"] == 20  # in each pair of articles deny, both, hedge, accuse, deny
    assert corpus["another_side"] == {"none": 4, "side": 4}  # "Southern fishermen …", "Marshal Ruiz accused Norden …"
    assert corpus["negations"] == 4  # "Residents said they saw no ships."
    assert corpus["positions"] == {}  # no packaged sides file knows an order
    assert corpus["articles_by_part"] == {}
    assert stats["split"] == {"dev": corpus}
    assert stats["conflicts"]["strait"] == {
        "split": "dev", "kind": "armed", "sides": 2, "articles": 8, "sentences": 40,
    }  # fmt: skip


def test_counts_by_part_and_place_in_the_sides_file(tmp_path):
    first, second = order = list(read_yaml(packaged_path("conflicts", "ukraine-russia"))["sides"])
    assert order != sorted(order)  # or the test could not tell the file's order from the alphabet's
    file = rows_file(
        tmp_path / "a.jsonl",
        ("a", "ukraine-russia", [("Moscow did not speak, said Kyiv.", first, None), ("It rained.", None, "affirm")]),
        ("b", "ukraine-russia", [("x.", first, "affirm"), ("x.", second, "affirm"), ("x.", first, "affirm")]),
        ("c", "kosovo", [("Serbia and Kosovo rose.", "both", "neutral")]),
    )
    stats = corpus_stats(read_corpus([file], DEFAULT_SCHEME), {"kosovo": "dev"}, {})
    assert stats["corpus"]["positions"] == {"1": 0.75, "2": 0.25}
    assert stats["corpus"]["side"] == {"side": 4, "null": 1, "both": 1}
    assert stats["corpus"]["stance"] == {"affirm": 4, "null": 1, "neutral": 1}
    assert stats["corpus"]["negations"] == 0  # an undecided stance is no "not deny"
    assert stats["corpus"]["another_side"] == {"side": 1}  # of two voices nobody knows whose names are theirs
    assert stats["part"]["real"] == stats["corpus"]
    assert (stats["split"]["dev"]["articles"], stats["split"]["dev"]["conflicts"]) == (1, 1)


@pytest.mark.slow
def test_the_packaged_corpus_is_balanced():
    """No class, stance or place in a sides file is so rare or so common that a model could live by it."""
    stats = corpus_stats(read_corpus(corpus_files(), DEFAULT_SCHEME), read_splits(), read_kinds())
    corpus, real, written = stats["corpus"], stats["part"]["real"], stats["part"]["written"]
    assert min(corpus["stance"][label] for label in ("affirm", "deny", "accuse", "hedge", "neutral")) >= 700
    assert corpus["side"]["both"] >= 400
    assert min(corpus["side"][label] for label in ("none", "other", "side")) >= 3000
    assert corpus["another_side"]["side"] >= 1500
    assert corpus["negations"] >= 200
    assert max(corpus["positions"].values()) <= 0.55
    assert real["sentences"] >= 15_000
    assert real["articles"] >= 2_200
    assert real["conflicts"] >= 60
    assert min(real["unarmed"], real["many_sided"]) >= 15
    assert written["sentences"] >= 2_500
    assert written["articles"] >= 200
    assert written["conflicts"] >= 30
    assert written["hard"] >= 0.4 * written["sentences"]
    for split in stats["split"].values():
        assert min(split[kind] for kind in ("armed", "unarmed", "two_sided", "many_sided")) > 0
        assert min(split["articles_by_part"].values()) > 0


def test_kappa_by_hand():
    # 4 of 6 agree; by chance (4·2 + 2·4) / 36 = 4/9; kappa (2/3 − 4/9) / (1 − 4/9) = 2/5
    pairs = [("x", "x"), ("x", "x"), ("x", "y"), ("x", "y"), ("y", "y"), ("y", "y")]
    assert kappa(pairs) == pytest.approx(2 / 5)
    assert kappa([("x", "x"), ("y", "y")]) == 1.0
    assert kappa([("x", "x")]) is None
    assert kappa([]) is None


def test_a_head_that_nobody_labelled_has_no_agreement(tmp_path, strait):
    file = rows_file(tmp_path / "a.jsonl", ("a", "strait", [("Norden spoke.", "northland", None)]))
    articles = read_corpus([file], DEFAULT_SCHEME, {"strait": strait})
    found = agreement(articles, articles)
    assert found["side"]["sentences"] == 1
    stance = found["stance"]
    assert (stance["sentences"], stance["kappa"], stance["macro_f1"], stance["by_label"]) == (0, None, None, {})


def test_agreement_per_head_label_and_conflict(tmp_path, strait):
    texts = ["Norden spoke.", "Suden denied it.", "They met.", "Who knows?"]
    first = rows_file(
        tmp_path / "1.jsonl",
        (
            "a",
            "strait",
            list(
                zip(texts, ["northland", "southland", "none", "other"], ["affirm", "deny", "affirm", None], strict=True)
            ),
        ),
        ("only-here", "strait", [("Norden.", "none", "affirm")]),
    )
    second = rows_file(
        tmp_path / "2.jsonl",
        (
            "a",
            "strait",
            list(
                zip(
                    texts,
                    ["southland", "southland", "none", "none"],
                    ["affirm", "accuse", "affirm", "hedge"],
                    strict=True,
                )
            ),
        ),
    )
    one, two = (read_corpus([f], DEFAULT_SCHEME, {"strait": strait}) for f in (first, second))
    found = agreement(one, two)
    assert found["articles"] == 1
    assert found["side"]["sentences"] == 4
    assert found["side"]["agreement"] == 0.5
    assert found["side"]["differences"] == 2
    # labels n s o-n-e … : agree 2/4; chance (1·0 + 1·2 + 1·2 + 1·0)/16 = 1/4; kappa (1/2 − 1/4)/(3/4) = 1/3
    assert found["side"]["kappa"] == pytest.approx(1 / 3)
    assert found["side"]["by_label"]["side"]["kappa"] == 1.0
    # first as gold: none P 1/2 R 1, other never given, sides 1 of 2 found and 1 of 2 right
    assert found["side"]["by_label"]["none"]["f1"] == pytest.approx(2 / 3)
    assert found["side"]["macro_f1"] == pytest.approx((2 / 3 + 0 + 1 / 2) / 3)
    assert found["side"]["confusions"] == [["side", "another side", 1], ["other", "none", 1]]
    assert found["stance"]["sentences"] == 3
    assert found["stance"]["confusions"] == [["deny", "accuse", 1]]
    assert found["side"]["by_conflict"]["strait"]["sentences"] == 4


def test_a_label_that_is_called_as_a_side_is_one_where_the_head_does_not_point(strait):
    texts = ["Norden spoke.", "Suden denied it.", "They met.", "Who knows?"]
    scheme = Scheme((Head("topic", ("northland", "southland", "trade")),))
    one, two = (
        [LabelledArticle(article_from_sentences("a", texts), strait, {"topic": topics})]
        for topics in (
            ("northland", "southland", "trade", "trade"),
            ("southland", "southland", "trade", "trade"),
        )
    )
    found = agreement(one, two, scheme)["topic"]
    assert list(found["by_label"]) == ["northland", "southland", "trade"]
    assert found["by_label"]["southland"]["f1"] == pytest.approx(2 / 3)
    assert found["confusions"] == [["northland", "southland", 1]]
