import csv
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from whosays.model.article import Article
from whosays.model.errors import InputError
from whosays.model.files.reading import Reject, check_output, find_inputs, read_articles, write_rows
from whosays.model.predictor import Prediction
from whosays.model.sides import Mention


def read(*inputs) -> list[Article | Reject]:
    return list(read_articles(find_inputs(map(str, inputs))))


def test_every_format_gives_the_same_article(tmp_path):
    text = "One said so. “Two,” said another."
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    (tmp_path / "b.jsonl").write_text(json.dumps({"id": "a", "text": text}) + "\n")
    with (tmp_path / "c.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["id", "text"], ["a", text]])
    pq.write_table(pa.table({"id": ["a"], "text": [text]}), tmp_path / "d.parquet")
    articles = read(tmp_path)
    assert articles == [articles[0]] * 4
    assert len(articles[0].sentences) == 2


def test_sentences_that_came_split_count_in_their_join(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"id": 7, "sentences": ["One.", {"text": "Two."}], "conflict": "c", "outlet": "wire"}))
    [article] = read(path)
    assert (article.id, article.text, article.conflict, article.extra) == ("7", "One. Two.", "c", {"outlet": "wire"})
    assert [(s.start, s.end) for s in article.sentences] == [(0, 4), (5, 9)]


def test_a_bad_row_never_takes_the_rest_with_it(tmp_path):
    path = tmp_path / "a.jsonl"
    good = json.dumps({"text": "Fine."}).encode()
    rows = [
        good,
        b"{",
        b"[1]",
        b'{"id": 1}',
        b'{"text": "  "}',
        b'{"text": "\xff"}',
        b'{"sentences": ["", 3]}',
        b"",
        good,
    ]
    path.write_bytes(b"\n".join(rows))
    result = read(path)
    assert [r.line for r in result if isinstance(r, Reject)] == [2, 3, 4, 5, 6, 7]
    assert [a.id for a in result if isinstance(a, Article)] == ["a-1", "a-9"]
    assert all(str(path) in str(r) for r in result if isinstance(r, Reject))


def test_a_bad_csv_row(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('id,text\n1,Fine.\n2,"too",many\n3,\n4,"Fine\ntoo."\n')
    result = read(path)
    assert [type(r) for r in result] == [Article, Reject, Reject, Article]
    assert [r.line for r in result if isinstance(r, Reject)] == [3, 4]


def test_text_files_that_are_empty_or_not_utf8(tmp_path):
    (tmp_path / "a.txt").write_text(" \n")
    (tmp_path / "b.txt").write_bytes("Überfall".encode("latin-1"))
    empty, latin = read(tmp_path)
    assert "empty" in empty.reason
    assert "UTF-8" in latin.reason


@pytest.mark.parametrize(
    ("name", "content", "part"),
    [
        ("missing.txt", None, "no such file"),
        ("a.doc", b"x", "unknown kind"),
        ("a.csv", b"id,body\n1,x\n", "'text'"),
        ("a.csv", b"", "'text'"),
        ("a.csv", b"id,\xff\n", "UTF-8"),
        ("a.parquet", b"nonsense", "Parquet"),
    ],
)
def test_files_that_cannot_be_used(tmp_path, name, content, part):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=part) as error:
        find_inputs([str(tmp_path / name)])
    assert name in str(error.value)


def test_folders_and_globs_are_sorted(tmp_path):
    for name in ("b.txt", "a.txt", "deep/c.txt", "skip.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("Hello.")
    assert [a.id for a in read(tmp_path)] == ["a", "b", "c"]
    assert [a.id for a in read(tmp_path / "*.txt")] == ["a", "b"]
    (tmp_path / "none").mkdir()
    with pytest.raises(InputError, match=r"no \.txt"):
        find_inputs([str(tmp_path / "none")])


def prediction(text="Hi.", side="alpha", evidence=True) -> Prediction:
    return Prediction(
        "a", 0, 0, len(text), text, {"side": side, "stance": None}, {"side": 0.75, "stance": 0.5},
        {"side": {"alpha": 0.75, "none": 0.25}, "stance": {"affirm": 0.5, "deny": 0.5}},
        Mention("alpha", 0, 2) if evidence else None, "Hi" if evidence else None, False,
    )  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.text(min_size=1), st.booleans()), max_size=4))
@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
def test_what_was_written_reads_back(tmp_path, ending, rows):
    rows = [(text.encode("utf-8", "ignore").decode().replace("\r", " ").replace("\0", " "), e) for text, e in rows]
    predictions = [prediction(text or " ", evidence=e) for text, e in rows]
    path = tmp_path / f"out.{ending}"
    assert write_rows([predictions[:1], predictions[1:]], path, probabilities=True) == len(rows)
    if ending == "jsonl":
        back = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
        assert back == [p.row(True) for p in predictions]
    elif ending == "csv":
        with path.open(encoding="utf-8", newline="") as file:
            back = list(csv.DictReader(file))
        assert [r["text"] for r in back] == [p.text for p in predictions]
        assert all(
            json.loads(r["side_probabilities"]) == p.probabilities["side"]
            for r, p in zip(back, predictions, strict=True)
        )
    else:
        back = pq.read_table(path).to_pylist()
        assert [
            {
                **r,
                "side_probabilities": dict(r["side_probabilities"]),
                "stance_probabilities": dict(r["stance_probabilities"]),
            }
            for r in back
        ] == [p.row(True) for p in predictions]


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "out.jsonl"
    path.write_text("old")

    def broken():
        yield [prediction()]
        raise RuntimeError("the disk is full")

    with pytest.raises(RuntimeError):
        write_rows(broken(), path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_outputs_are_never_overwritten_unasked(tmp_path):
    path = tmp_path / "out.csv"
    check_output(path, force=False)
    path.write_text("x")
    with pytest.raises(InputError, match="--force"):
        check_output(path, force=False)
    check_output(path, force=True)
    with pytest.raises(InputError, match="unknown kind"):
        check_output(tmp_path / "out.doc", force=False)
    with pytest.raises(InputError, match="does not exist"):
        check_output(tmp_path / "no" / "out.csv", force=False)


def test_rows_that_no_file_could_hold_are_rejected(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "half \\ud800"}\n' + "[" * 100_000 + '\n{"text": "Fine."}\n{"sentences": ["\\udc00"]}\n')
    first, second, third, fourth = read(path)
    assert "surrogate" in fourth.reason
    assert "surrogate" in first.reason
    assert "JSON" in second.reason
    assert isinstance(third, Article)
