import json
from pathlib import Path

import pytest
from whosays.model.labels import DEFAULT_SCHEME
from whosays.training.agreement import agreement, kappa
from whosays.training.corpus import read_corpus
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
    assert "5 e: article 'e', sentence 1: side 'eastland'" in found
    assert "6 f: sentence 1 has white space" in found
    assert "7 : not valid JSON" in found


def test_split_leaks(tmp_path, strait):
    from whosays.model.sides import Conflict

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


def test_counts(tmp_path, strait, gold_file):
    stats = corpus_stats(read_corpus([str(gold_file)], DEFAULT_SCHEME, {"strait": strait}), {"strait": "dev"})
    assert (stats["articles"], stats["sentences"]) == (8, 40)
    assert stats["side"] == {"side": 16, "none": 12, "other": 8, "both": 4}
    assert stats["stance"] == {"affirm": 12, "deny": 8, "accuse": 8, "neutral": 8, "hedge": 4}
    assert stats["splits"] == {"dev": {"articles": 8, "sentences": 40}}
    assert stats["positions"] == {"1": 0.5, "2": 0.5}
    assert stats["mentions_another_side"] == 8  # "Southern fishermen …" and "Marshal Ruiz accused Norden …"
    assert stats["negations_that_are_no_denial"] == 4


def test_kappa_by_hand():
    # 4 of 6 agree; by chance (4·2 + 2·4) / 36 = 4/9; kappa (2/3 − 4/9) / (1 − 4/9) = 2/5
    pairs = [("x", "x"), ("x", "x"), ("x", "y"), ("x", "y"), ("y", "y"), ("y", "y")]
    assert kappa(pairs) == pytest.approx(2 / 5)
    assert kappa([("x", "x"), ("y", "y")]) == 1.0
    assert kappa([("x", "x")]) is None
    assert kappa([]) is None


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
    # labels n s o-n-e … : agree 2/4; chance (1·0 + 1·2 + 1·2 + 1·0)/16 = 1/4; kappa (1/2 − 1/4)/(3/4) = 1/3
    assert found["side"]["kappa"] == pytest.approx(1 / 3)
    assert found["side"]["by_label"]["side"]["kappa"] == 1.0
    assert found["side"]["confusions"] == [["side", "another side", 1], ["other", "none", 1]]
    assert found["stance"]["sentences"] == 3
    assert found["stance"]["confusions"] == [["deny", "accuse", 1]]
    assert found["side"]["by_conflict"]["strait"]["sentences"] == 4
