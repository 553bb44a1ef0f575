import csv
import gzip
import io
import json
import os
from pathlib import Path

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from whosays.model.article import Article
from whosays.model.errors import InputError, WorkError
from whosays.model.files.reading import ROW_LIMIT, Reject, article_from_row, read_articles, read_items
from whosays.model.files.sources import find_inputs


def read(*inputs) -> list[Article | Reject]:
    return list(read_articles(find_inputs(map(str, inputs))))


def lines_of(*texts) -> bytes:
    return "".join(json.dumps({"id": f"i{n}", "text": text}) + "\n" for n, text in enumerate(texts)).encode()


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
    [article] = [item.content for item in read_items(find_inputs([str(path)]), keep=["outlet", "missing"])]
    assert (article.id, article.text, article.conflict, article.extra) == ("7", "One. Two.", "c", {"outlet": "wire"})
    assert [(s.start, s.end) for s in article.sentences] == [(0, 4), (5, 9)]


@pytest.mark.parametrize("none", [None, [], "", "[]", float("nan")])
def test_an_article_that_was_not_split_has_a_text(none):
    article = article_from_row({"text": "Kyiv said. Moscow denied.", "sentences": none}, "a1")
    assert [sentence.text for sentence in article.sentences] == ["Kyiv said.", "Moscow denied."]
    with pytest.raises(InputError, match=r"^(sentences: empty|text: missing)"):
        article_from_row({"sentences": none}, "a1")


def test_columns_of_bytes_are_text(tmp_path):
    table = {"id": [b"a1"], "text": [b"Caf\xc3\xa9."], "outlet": [b"AP"], "raw": [b"\xff"]}
    pq.write_table(pa.table(table), tmp_path / "a.parquet")
    [item] = read_items(find_inputs([str(tmp_path / "a.parquet")]), ["outlet"])
    assert (item.content.id, item.content.text, item.content.extra) == ("a1", "Café.", {"outlet": "AP"})
    [item] = read_items(find_inputs([str(tmp_path / "a.parquet")]), ["raw"])
    assert "raw: is bytes that are not UTF-8 text" in item.content.reason


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
    assert [a.id for a in read(tmp_path)] == ["a", "b", "deep/c"]
    assert [a.id for a in read(tmp_path / "*.txt")] == ["a", "b"]
    (tmp_path / "none").mkdir()
    with pytest.raises(InputError, match=r"no \.txt"):
        find_inputs([str(tmp_path / "none")])


def test_a_glob_may_match_folders_and_links_to_folders_are_followed(tmp_path):
    for name in ("d1/a.txt", "d1/deep/b.txt", "d2/c.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("Hello.")
    (tmp_path / "d.jsonl").write_bytes(lines_of("One."))
    assert [a.id for a in read(tmp_path / "d*")] == ["i0", "d1/a", "d1/deep/b", "d2/c"]
    (tmp_path / "d1" / "round").symlink_to("..")
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "d2").symlink_to("../d2")
    assert [a.id for a in read(tmp_path / "linked")] == ["d2/c"]
    assert len(read(tmp_path / "d1")) == 4, "a link that leads round is followed once"
    (tmp_path / "d2" / "aa").mkdir()
    (tmp_path / "d2" / "aa" / "e.txt").write_text("Hello.")
    (tmp_path / "d2" / "a").symlink_to("aa")
    (tmp_path / "d2" / "b").symlink_to("aa")
    assert [a.id for a in read(tmp_path / "d2")] == ["aa/e", "c"], "what is really here keeps its own name"


def test_what_may_not_be_read_is_said(tmp_path, monkeypatch):
    (tmp_path / "news" / "sub").mkdir(parents=True)
    (tmp_path / "news" / "a.txt").write_text("Hello.")
    monkeypatch.setattr("os.access", lambda path, mode: not str(path).endswith("a.txt"))  # root may read anything
    with pytest.raises(InputError, match=r"a\.txt: cannot be read: permission denied"):
        find_inputs([str(tmp_path)])

    def forbidden(path):
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr("os.scandir", forbidden)
    with pytest.raises(InputError, match=r"news: cannot be read: Permission denied"):
        find_inputs([str(tmp_path / "news")])


def test_a_file_that_goes_meanwhile_is_named(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": "One."}\n')
    (tmp_path / "b.csv").write_text("text\nOne.\n")
    (tmp_path / "c.txt").write_text("One.")
    pq.write_table(pa.table({"text": ["One."]}), tmp_path / "d.parquet")
    for path in sorted(tmp_path.iterdir()):
        sources = find_inputs([str(path)])
        path.unlink()
        with pytest.raises(WorkError, match=f"{path.name}: cannot be read: No such file"):
            list(read_items(sources))


def test_ids_of_rows_and_texts_never_meet(tmp_path):
    (tmp_path / "a-2.txt").write_text("Hello.")
    (tmp_path / "a.csv").write_text("text\nOne.\n")
    (tmp_path / "b.csv").write_text("text\nOne.\n")
    (tmp_path / "b-2.txt").write_text("Hello.")
    assert [a.id for a in read(tmp_path / "a-2.txt", tmp_path / "a.csv")] == ["a-2", "a.csv-2"]
    assert [a.id for a in read(tmp_path / "b.csv", tmp_path / "b-2.txt")] == ["b-2", "b-2.txt"]
    names = ["news-1.txt", "news.csv-3.txt", "news.csv"]
    for name in names:
        (tmp_path / name).write_text("text\nOne.\nTwo.\n")
    ids = [a.id for a in read(*(tmp_path / name for name in names))]
    assert len(set(ids)) == len(ids) == 4


def test_ids_of_files_in_several_folders_never_meet(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for folder in ("d1", "d2", "."):
        Path(folder).mkdir(exist_ok=True)
        Path(folder, "a.txt").write_text("One.")
    ids = [a.id for a in read("d1", "d2", "a.txt")]
    assert ids[:2] == ["a", "a.txt"]
    assert len(set(ids)) == 3


def test_a_missing_id_may_be_no_number(tmp_path):
    path = tmp_path / "in.jsonl"
    path.write_text('{"id": NaN, "text": "One."}\n{"id": 7.0, "text": "Two."}\n')
    assert [a.id for a in read(path)] == ["in-1", "7.0"]


def test_of_a_link_and_its_file_the_file_gives_the_name(tmp_path):
    (tmp_path / "news-1.txt").write_text("One.")
    (tmp_path / "latest.txt").symlink_to(tmp_path / "news-1.txt")
    assert [source.short for source in find_inputs([str(tmp_path)])] == ["news-1.txt"]
    (tmp_path / "news-1.txt").rename(tmp_path.parent / "news-1.txt")
    (tmp_path / "latest.txt").unlink()
    (tmp_path / "latest.txt").symlink_to(tmp_path.parent / "news-1.txt")
    assert [source.short for source in find_inputs([str(tmp_path)])] == ["latest.txt"]


def test_endings_may_be_in_capitals_and_a_folder_may_be_called_like_a_file(tmp_path):
    folder = tmp_path / "rows.jsonl"
    folder.mkdir()
    (folder / "A.TXT").write_text("One.")
    (folder / "B.JSONL.GZ").write_bytes(gzip.compress(lines_of("Two.")))
    for given in (folder, tmp_path, tmp_path / "*" / "*"):
        assert [a.text for a in read(given)] == ["One.", "Two."]
    assert [a.id for a in read(folder)] == ["A", "i0"]
    with pytest.raises(InputError, match="no such file"):
        find_inputs([str(tmp_path / "*.csv")])


def test_rows_that_no_file_could_hold_are_rejected(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "half \\ud800"}\n' + "[" * 100_000 + '\n{"text": "Fine."}\n{"sentences": ["\\udc00"]}\n')
    first, second, third, fourth = read(path)
    assert "surrogate" in fourth.reason
    assert "surrogate" in first.reason
    assert "JSON" in second.reason
    assert isinstance(third, Article)


@pytest.mark.parametrize(
    "pack", [gzip.compress, lambda content: gzip.compress(content[:40]) + gzip.compress(content[40:])]
)
def test_gzip_of_one_or_several_members(tmp_path, pack):
    (tmp_path / "a.jsonl.gz").write_bytes(pack(lines_of("One.", "Two.", "Three.")))
    assert [a.text for a in read(tmp_path / "a.jsonl.gz")] == ["One.", "Two.", "Three."]


@pytest.mark.parametrize(("after", "rejects"), [(bytes(512), 0), (b"garbage", 1)])
def test_what_stands_behind_the_end_of_a_gzip_file_costs_no_row(tmp_path, after, rejects):
    texts = [f"{os.urandom(20).hex()}." for _ in range(300)]
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(lines_of(*texts[:200])) + gzip.compress(lines_of(*texts[200:])) + after)
    found = read(path)
    assert [a.text for a in found[:300]] == texts
    assert ["cannot be read from here on" in each.reason for each in found[300:]] == [True] * rejects


def test_text_of_which_nothing_can_be_seen_is_empty(tmp_path):
    blank = "\u200b\ufeff\x00 \u00ad"
    path = tmp_path / "a.jsonl"
    rows = [{"text": blank}, {"sentences": ["It rained.", blank]}, {"text": f"It{blank}rained."}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "b.txt").write_text(blank)
    first, second, third, fourth = read(path, tmp_path / "b.txt")
    assert "empty" in first.reason
    assert "number 2 must be text" in second.reason
    assert isinstance(third, Article)
    assert "empty" in fourth.reason


def test_compressed_files_read_as_what_is_in_them(tmp_path):
    text = "Grüße. Danke."
    table = f'id,text\nx,"{text}"\n'.encode()
    (tmp_path / "plain.csv").write_bytes(table)
    for name, content in {"a.txt": text.encode(), "b.jsonl": lines_of(text), "c.csv": table}.items():
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress(content))
        sink = pa.BufferOutputStream()
        with pa.CompressedOutputStream(sink, "zstd") as file:
            file.write(content)
        (tmp_path / f"{name}.zst").write_bytes(sink.getvalue())
    found = read(tmp_path)
    assert len(found) == 7
    assert {a.text for a in found} == {text}
    assert {a.id for a in found} == {"a", "a.txt.zst", "i0", "x"}


@pytest.mark.parametrize("ending", ["jsonl", "csv"])
def test_a_file_whose_compression_breaks_off_gives_what_is_before(tmp_path, ending):
    texts = [f"{os.urandom(40).hex()}." for _ in range(2000)]
    rows = lines_of(*texts) if ending == "jsonl" else "".join(["text\n", *(f"{t}\n" for t in texts)]).encode()
    whole = gzip.compress(rows)
    path = tmp_path / f"a.{ending}.gz"
    path.write_bytes(whole[: len(whole) // 2])
    *articles, last = read(path)
    assert 500 < len(articles) < 1100
    assert [a.text for a in articles] == texts[: len(articles)]
    assert "cannot be read from here on" in last.reason
    line = last.line - (ending == "csv")
    assert line in (len(articles) + 1, len(articles) + 2)  # the next line, unless that one was begun and is lost


@pytest.mark.parametrize("ending", ["txt.gz", "jsonl.gz", "jsonl.zst"])
def test_what_only_claims_to_be_compressed_is_rejected(tmp_path, ending):
    (tmp_path / f"a.{ending}").write_bytes(b"plain text.\n" * 20)
    [only] = read(tmp_path / f"a.{ending}")
    assert "cannot be read" in only.reason


def test_rows_and_fields_that_are_too_long_are_rejected_one_by_one(tmp_path):
    long = "x" * (ROW_LIMIT + 1)
    (tmp_path / "a.jsonl").write_bytes(lines_of("One.", long, "Three."))
    (tmp_path / "b.csv").write_text(f'text\nOne.\n"{long}\n{long}\n"\nThree.\n')
    (tmp_path / "c.txt").write_text(long)
    pq.write_table(pa.table({"text": ["One.", long, "Three."]}), tmp_path / "d.parquet")
    (tmp_path / "e.csv").write_text(f"text\nOne.\n{long}\nThree.\n")
    for name in ("a.jsonl", "b.csv", "d.parquet", "e.csv"):
        first, second, third = read(tmp_path / name)
        assert (first.text, third.text) == ("One.", "Three."), name
        assert "longer than 10,000,000" in second.reason
        assert second.line == (2 if name[0] in "ad" else 3)
        assert second.cut
        assert len(second.original) <= 10_000
    [text] = read(tmp_path / "c.txt")
    assert "longer than 10,000,000" in text.reason


def test_an_open_quotation_mark_takes_no_more_than_its_row(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('text\nOne.\n"Two.\nThree.\n')
    first, second = read(path)
    assert first.text == "One."
    assert "quotation" in second.reason
    assert second.line == 3


def test_a_stray_quotation_mark_merges_no_rows_unseen(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('id,text\n1,One.\n2,"Two.\n3,Three.\n4,"Four."\n5,Five.\n6,"Six "" quoted."\n')
    first, bad, fifth, sixth = read(path)
    assert (first.id, fifth.id, sixth.text) == ("1", "5", 'Six " quoted.')
    assert bad.line == 3
    assert "not closed, not doubled" in bad.reason
    assert bad.original.startswith('2,"Two.')


def test_a_kept_column_may_not_be_nested_without_end(tmp_path):
    path = tmp_path / "a.jsonl"
    deep = [f'{{"text": "One.", "meta": {"[" * depth}NaN{"]" * depth}}}' for depth in (100, 101, 700)]
    path.write_text("\n".join(deep))
    first, *others = (item.content for item in read_items(find_inputs([str(path)]), keep=["meta"]))
    assert json.dumps(first.extra["meta"]) == "[" * 100 + "null" + "]" * 100
    assert ["more than 100 levels" in item.reason for item in others] == [True, True]
    assert all(isinstance(item, Article) for item in read(path)), "what is not kept does not matter"


def test_rejects_carry_the_row_as_it_stood(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(b'{"text": "caf\xe9"}\n{"id": 1}\n')
    (tmp_path / "b.csv").write_text('id,text\n7,""\n')
    pq.write_table(pa.table({"id": [7], "text": [" "]}), tmp_path / "c.parquet")
    found = read(tmp_path)
    assert [r.original.rstrip() for r in found] == [
        '{"text": "caf\\xe9"}', '{"id": 1}', '7,""', '{"id": 7, "text": " "}',
    ]  # fmt: skip
    assert not any(r.cut for r in found)


def test_parquet_and_saved_datasets_are_read_with_the_wanted_columns_only(tmp_path):
    rows = {"id": [str(n) for n in range(300)], "text": [f"Text {n}." for n in range(300)], "day": list(range(300))}
    pq.write_table(pa.table(rows), tmp_path / "a.parquet", row_group_size=70)
    datasets.Dataset.from_dict(rows).save_to_disk(str(tmp_path / "saved"))
    for name in ("a.parquet", "saved"):
        items = list(read_items(find_inputs([str(tmp_path / name)]), keep=["day"]))
        assert [i.content.text for i in items] == rows["text"]
        assert [i.content.extra["day"] for i in items] == rows["day"]
        assert {tuple(a.extra) for a in read(tmp_path / name)} == {()}
    assert [a.id for a in read(tmp_path)][300:] == rows["id"], "a folder finds the dataset in it too"


def not_utf8(texts, *bad) -> pa.Array:
    """Texts as a column, those of these numbers with a byte that is no UTF-8."""
    content = [b"\xff" if number in bad else text.encode() for number, text in enumerate(texts)]
    return pa.Array.from_buffers(pa.string(), len(texts), pa.array(content, pa.binary()).buffers())


def test_a_row_of_a_table_that_cannot_be_read_is_rejected_alone(tmp_path):
    texts = [f"Text {n}." for n in range(300)]
    table = pa.table({"text": not_utf8(texts, 70, 299)})
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=65)
    datasets.Dataset(table).save_to_disk(str(tmp_path / "saved"))
    for name in ("a.parquet", "saved"):
        items = [item.content for item in read_items(find_inputs([str(tmp_path / name)]))]
        assert [n for n, item in enumerate(items) if isinstance(item, Reject)] == [70, 299]
        assert [item.line for item in items if isinstance(item, Reject)] == [71, 300]
        assert len(items) == 300
    days = pa.table({"text": ["One.", "Two."], "day": pa.array([10**8, 1], pa.int32()).cast(pa.date32())})
    pq.write_table(days, tmp_path / "days.parquet")
    first, second = (i.content for i in read_items(find_inputs([str(tmp_path / "days.parquet")]), keep=["day"]))
    assert "cannot be read" in first.reason
    assert second.text == "Two."


def every_kind(folder) -> list[str]:
    """One file of each kind, with rows to reject in all that can have some."""
    texts = ["One.", "", "Three.", "Four\nlines.", "", "Six."]
    (folder / "a.txt").write_text("One.")
    (folder / "b.txt").write_text("")
    (folder / "c.jsonl").write_bytes(b"\n{\n" + lines_of(*texts))
    with (folder / "d.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["text"], *([t] for t in texts)])
    table = pa.table({"text": not_utf8(texts * 30, 3, 100)})
    pq.write_table(table, folder / "e.parquet", row_group_size=65)
    broken = bytearray((folder / "e.parquet").read_bytes())
    at = pq.ParquetFile(folder / "e.parquet").metadata.row_group(1).column(0).data_page_offset
    broken[at : at + 40] = bytes(40)
    (folder / "e2.parquet").write_bytes(broken)
    datasets.Dataset(table).save_to_disk(str(folder / "f"))
    content = gzip.compress(lines_of(*(f"{os.urandom(30).hex()}." for _ in range(600))))
    (folder / "g.jsonl.gz").write_bytes(content[: len(content) // 2])
    return [str(folder)]


def test_reading_on_after_any_position_gives_the_rest(tmp_path):
    sources = find_inputs(every_kind(tmp_path))
    items = [(i.position, i.content) for i in read_items(sources)]
    assert len({position for position, _ in items}) == len(items)
    assert any("cannot be read from here on" in str(content) and "e2.parquet" in str(content) for _, content in items)
    chosen = [*range(30), *range(30, len(items), 31), *range(len(items) - 3, len(items))]
    for number in chosen:
        rest = [(i.position, i.content) for i in read_items(sources, after=items[number][0])]
        assert rest == items[number + 1 :], items[number][0]


def test_a_file_given_twice_is_read_once(tmp_path):
    (tmp_path / "a.txt").write_text("Hello.")
    (tmp_path / "b.txt").symlink_to("a.txt")
    assert len(read(tmp_path, tmp_path / "a.txt", tmp_path / "*.txt")) == 1


def test_a_link_that_leads_nowhere_is_said(tmp_path):
    (tmp_path / "a.txt").write_text("Hello.")
    (tmp_path / "b.txt").symlink_to("gone.txt")
    for given in (tmp_path, tmp_path / "*.txt", tmp_path / "b.txt"):
        with pytest.raises(InputError, match=r"b\.txt: cannot be read: No such file") as error:
            find_inputs([str(given)])
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("before", [b"", b"\n", b" \r\n\n\t\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n\n"])
def test_standard_input_is_what_its_first_line_with_something_in_it_is(monkeypatch, before):
    def piped(content):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
        return read("-")

    *articles, bad = piped(before + lines_of("One.", "Two.") + b"{\n")
    assert [article.text for article in articles] == ["One.", "Two."]
    assert bad.line == 3 + before.count(b"\n")
    [prose] = piped(before + b"One said so.\n\n{Two} denied it.\n")
    assert [s.text for s in prose.sentences] == ["One said so.", "{Two} denied it."]
    [empty] = piped(before)
    assert "empty" in empty.reason
    [photo] = piped(before + b"{PHOTO} One said so.\n[Two] denied it.\n")
    assert photo.text.strip() == "{PHOTO} One said so.\n[Two] denied it."
    for array in (b'[{"text": "One."}]', b'["One."]', b"[\n  {\n"):
        with pytest.raises(InputError, match="standard input is a JSON array; give one object a line"):
            piped(before + array)
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(InputError, match="standard input is closed"):
        read("-")


def test_blank_lines_on_standard_input_are_not_held_without_end(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO((b" " * 99 + b"\n") * (ROW_LIMIT // 50))))
    [only] = read("-")
    assert "longer than 10,000,000" in only.reason


def test_names_that_are_not_utf8_give_ids_that_are(tmp_path):
    (tmp_path / os.fsdecode(b"caf\xe9.txt")).write_text("Hello.")
    [article] = read(tmp_path)
    assert article.id == "caf\\udce9"


def test_sources_that_come_later_change_no_id(tmp_path):
    for name in ("x/a.txt", "y/a.txt"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("Hello.")
    before = [a.id for a in read(tmp_path / "x/a.txt")]
    both = [a.id for a in read(tmp_path / "x/a.txt", tmp_path / "y/a.txt")]
    assert both[:1] == before
    assert len(set(both)) == 2
