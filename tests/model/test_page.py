"""Labelled articles as HTML pages."""

import os
import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import combinations
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from whosays.model.article import article_from_sentences, article_from_text
from whosays.model.page import pages as page
from whosays.model.page.pages import write_pages
from whosays.model.page.view import HUES, article_view, voices_of
from whosays.model.predictor import Prediction, Predictor
from whosays.model.sides import Conflict, Mention, Side

VOICES = ("none", "other", "both", "northland", "southland")
STANCES = ("affirm", "deny", "accuse", "hedge", "neutral")


def labelled(rows, id="a1", voices=VOICES, gap=1):
    """Predictions of one article from (text, side, stance) or (text, side, stance, evidence span)."""
    found, start = [], 0
    whole = (" " * gap).join(row[0] for row in rows)
    for index, (text, side, stance, *span) in enumerate(rows):
        mention = Mention(side, *span[0]) if span else None
        shares = {
            "side": {label: 0.9 if label == side else 0.1 / (len(voices) - 1) for label in voices},
            "stance": {label: 0.8 if label == stance else 0.05 for label in STANCES},
        }
        found.append(
            Prediction(
                id,
                index,
                start,
                start + len(text),
                text,
                {"side": side, "stance": stance},
                {"side": 0.9, "stance": 0.8},
                shares,
                mention,
                whole[mention.start : mention.end] if mention else None,
                False,
            )
        )
        start += len(text) + gap
    return found


STRAIT = [
    ("Northland said its ships had left.", "northland", "affirm", (0, 9)),
    ("Southland denied it.", "southland", "deny", (35, 44)),
    ("Both accused each other.", "both", "accuse"),
    ("Residents may have seen them.", "other", "hedge"),
    ("The strait is wide.", "none", "affirm"),
    ("They called for calm.", "southland", "neutral", (35, 44)),
    ("Who knows.", None, None),
]


def test_heads_of_other_names_and_labels_are_called_what_they_are(tmp_path):
    rows = labelled(STRAIT[:2])
    calm = [
        replace(p, labels={"voice": p.labels["side"], "tone": "calm"}, probabilities={
            "voice": p.probabilities["side"], "tone": {"calm": 0.8, "angry": 0.2}})
        for p in rows
    ]  # fmt: skip
    alone = [
        replace(p, labels={"side": p.labels["side"]}, probabilities={"side": p.probabilities["side"]}) for p in rows
    ]
    texts = []
    for name, predictions in {"a": rows, "calm": calm, "alone": alone}.items():
        write_pages([predictions], tmp_path / f"{name}.html")
        texts.append((tmp_path / f"{name}.html").read_text())
    assert ["Sentences by side and stance" in text for text in texts] == [True, False, False]
    assert "Sentences by voice and tone" in texts[1]
    assert "<caption>Sentences by side</caption>" in texts[2]
    assert ["no sign is affirm" in text for text in texts] == [True, False, False]


def test_a_stance_that_is_not_sure_is_not_shown_as_affirmed(tmp_path):
    rows = [*STRAIT[:6], ("Someone may know.", "other", None)]
    write_pages([labelled(rows)], tmp_path / "a.html")
    found = read(tmp_path / "a.html")
    assert found.signs[-1] == "other ·"
    assert "no sign is affirm" in (tmp_path / "a.html").read_text()


class Directions(HTMLParser):
    """What decides the direction of each element with dir="auto": its text, without elements that have their own."""

    def __init__(self, text):
        super().__init__()
        self.open, self.found = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag not in Reader.VOID:
            self.open.append(dict(attrs).get("dir"))
            if self.open[-1] == "auto":
                self.found.append((tag, ""))

    def handle_endtag(self, tag):
        self.open.pop()

    def handle_data(self, data):
        if [way for way in self.open if way] == ["auto"]:
            self.found[-1] = (self.found[-1][0], self.found[-1][1] + data)


def test_text_written_from_right_to_left_decides_its_own_direction(tmp_path):
    rows = [("قالت Kyiv إن الجسر سقط!", "northland", "affirm"), ("נפל הגשר.", "none", "affirm")]
    write_pages([labelled(rows), labelled(rows)], tmp_path / "a.html")
    page = Directions(next((tmp_path / "a_pages").glob("*-*.html")).read_text(encoding="utf-8"))
    assert ("h1", "a1") in page.found
    assert [text.split()[0] for tag, text in page.found if tag == "p"] == ["قالت"]
    index = Directions((tmp_path / "a.html").read_text(encoding="utf-8"))
    assert [(tag, text.split()[0]) for tag, text in index.found] == [("h2", "a1"), ("p", "قالت")] * 2


def test_the_name_of_a_page_need_not_be_utf8(tmp_path):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.html"))
    assert write_pages([labelled(STRAIT[:1], id="a"), labelled(STRAIT[:1], id="b")], path) == 2
    assert 'href="caf%E9_pages/0001-a.html"' in path.read_text()
    assert 'href="../caf%E9.html"' in (path.with_name(os.fsdecode(b"caf\xe9_pages")) / "0001-a.html").read_text()


class Reader(HTMLParser):
    """What a browser would find in a page: every tag with its attributes, the text of each sentence, and the signs."""

    VOID = frozenset({"meta", "br"})

    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.sentences, self.words, self.signs = [], [], {}, [], []
        self.feed(text)
        self.close()
        assert not self.open, "every element is closed"

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        classes = [attrs.get("class") or "" for _, attrs in self.open]
        aside = any(c.split(" ")[0] in ("tag", "unseen", "scores") for c in classes)
        said = [attrs["id"] for _, attrs in self.open if (attrs.get("class") or "").startswith("said")]
        if said and classes[-1].startswith("tag"):
            self.signs.append(data)
        if said and not aside:
            self.sentences[said[0]] = self.sentences.get(said[0], "") + data
        if not any(tag == "style" for tag, _ in self.open):
            self.words.append(data)

    def find(self, css):
        return [attrs for _, attrs in self.tags if css in (attrs.get("class") or "").split()]


def read(path):
    return Reader(path.read_text(encoding="utf-8"))


def shown(found):
    """The sentences as text, without what stands for the space after the tag."""
    return {id: text.removeprefix("\xa0") for id, text in found.sentences.items()}


def test_every_sentence_once_in_order_with_its_voice_stance_scores_and_evidence(tmp_path):
    path = tmp_path / "strait.html"
    assert write_pages([labelled(STRAIT)], path) == 1
    found = read(path)
    assert list(shown(found).values()) == [row[0] for row in STRAIT]
    looks = [attrs["class"].split()[1] for attrs in found.find("said")]
    assert looks == ["hue-0", "hue-1", "both", "other", "none", "hue-1", "unsure"]
    assert all(attrs["tabindex"] == "0" for attrs in found.find("said"))
    text = "".join(found.words)
    assert found.signs == ["NO", "SO ✗", "both !", "other ?", "SO –", "unsure ·"]
    assert "southland, deny: " in text  # what a screen reader says for the tag
    assert [attrs["id"] for attrs in found.find("scores")] == [
        attrs["aria-describedby"] for attrs in found.find("said")
    ]
    assert "0.90" in text
    assert "Rests on “Southland” in sentence 2." in text
    assert [attrs["class"] for tag, attrs in found.tags if tag == "u" and attrs.get("class")] == ["m0", "m1"]
    # Hovering or focusing either sentence that rests on the second mention shows that mention.
    assert "main:has(:is(#s2, #s6):is(:hover, :focus)) .m1" in path.read_text()
    assert list(tmp_path.iterdir()) == [path]  # one article is just the file


def test_strip_has_a_link_for_each_sentence_as_wide_as_it_is_long(tmp_path):
    write_pages([labelled(STRAIT)], tmp_path / "a.html")
    found = read(tmp_path / "a.html")
    cells = [attrs for tag, attrs in found.tags if tag == "a" and "cell" in (attrs.get("class") or "").split()]
    assert [cell["href"] for cell in cells] == [f"#s{n}" for n in range(1, len(STRAIT) + 1)]
    style = [dict(re.findall(r"--(\w+): ([\d.]+)", cell["style"])) for cell in cells]
    widths = np.array([float(s["width"]) for s in style])
    lengths = np.array([len(row[0]) for row in STRAIT])
    np.testing.assert_allclose(widths, 100 * lengths / lengths.sum(), atol=0.001)
    np.testing.assert_allclose([float(s["left"]) for s in style], np.cumsum([0, *widths[:-1]]), atol=0.01)
    # A lane for each voice that speaks, so that place tells what colour may not.
    assert [s["row"] for s in style] == ["0", "1", "2", "3", "4", "1", "5"]


def test_totals_are_the_counts_by_side_and_stance():
    table = article_view(labelled(STRAIT)).table
    assert [name for name, _ in table.columns] == [*STANCES, "unsure"]
    assert [(voice.name, counts, total) for voice, counts, total, _ in table.rows] == [
        ("northland", (1, 0, 0, 0, 0, 0), 1),
        ("southland", (0, 1, 0, 0, 1, 0), 2),
        ("both", (0, 0, 1, 0, 0, 0), 1),
        ("other", (0, 0, 0, 1, 0, 0), 1),
        ("none", (1, 0, 0, 0, 0, 0), 1),
        ("unsure", (0, 0, 0, 0, 0, 1), 1),
    ]
    assert (table.sums, table.total) == ((2, 1, 1, 1, 1, 1), 7)
    one = article_view(labelled(STRAIT[:1])).table
    assert [voice.name for voice in one.unheard] == ["southland", "both", "other", "none"]
    assert [name for name, _ in one.columns] == list(STANCES)


EVIL = """</style><script>alert(1)</script><img src=x onerror=alert(2)>"'`{{ 7*7 }}{% raw %}&amp;&#60;\x00\x08\x1b[2J\x7f\x9b\u202e-->"""


def test_nothing_that_an_article_says_is_acted_on(tmp_path):
    rows = [(f"{EVIL} one", EVIL, "deny"), (f"Two {EVIL}", "none", "affirm"), ("Three.", EVIL, "affirm", (4, 90))]
    voices = ("none", "other", "both", EVIL, f"{EVIL}2")
    article = labelled(rows, id=EVIL, voices=voices)
    job = (
        article_from_sentences(EVIL, [row[0] for row in rows], extra={"title": f"{EVIL} title"}),
        Conflict(EVIL, (Side(EVIL, f"{EVIL} name", ("x",)), Side(f"{EVIL}2", f"{EVIL} other", ("y",)))),
    )
    assert write_pages([article, article], tmp_path / "index.html", [job, job]) == 2
    pages = sorted(tmp_path.rglob("*.html"))
    assert len(pages) == 3
    for path in pages:
        found = read(path)
        allowed = {
            "html",
            "head",
            "meta",
            "title",
            "style",
            "body",
            "main",
            "nav",
            "h1",
            "h2",
            "p",
            "a",
            "span",
            "u",
            "b",
        }
        allowed |= {"ul", "ol", "li", "div", "aside", "article", "table", "caption", "thead", "tbody", "tr", "th", "td"}
        assert {tag for tag, _ in found.tags} <= allowed
        names = {name for _, attrs in found.tags for name in attrs}
        assert not {name for name in names if name.startswith("on")} | (names & {"src", "srcset"})
        assert all(re.match(r"(#s\d+|#text|[\w./%-]+\.html)$", a["href"]) for tag, a in found.tags if tag == "a")
        source = path.read_text(encoding="utf-8")
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", source)
        assert "49" not in "".join(found.words)  # no template in the text is run
    sentences = shown(read(tmp_path / "index_pages" / pages[1].name))
    assert sentences["s2"].replace("␀␈␛[2J␡\ufffd", "\x00\x08\x1b[2J\x7f\x9b") == f"Two {EVIL}"


@given(
    st.lists(
        st.tuples(
            # What stands first is taken for the page's own, and no sentence begins with a space.
            st.text(min_size=1, max_size=30).filter(lambda text: not text.startswith("\xa0")),
            st.sampled_from([*VOICES, None]),
            st.sampled_from([*STANCES, None]),
        ),
        min_size=1,
        max_size=6,
    ),
    st.integers(1, 3),
    st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)), max_size=4),
)
def test_any_text_comes_back_character_for_character(tmp_path_factory, rows, gap, spans):
    rows = [
        (*row, (spans[n][0], sum(spans[n]))) if n < len(spans) and row[1] in VOICES[3:] else row
        for n, row in enumerate(rows)
    ]
    path = tmp_path_factory.mktemp("page") / "a.html"
    write_pages([labelled(rows, gap=gap)], path)
    found = read(path)
    got = [shown(found).get(f"s{n}", "") for n in range(1, len(rows) + 1)]
    for text, (said, *_) in zip(got, rows, strict=True):
        assert len(text) == len(said)
        assert all(a == b or not b.isprintable() for a, b in zip(text, said, strict=True))
    ids = [attrs["id"] for _, attrs in found.tags if "id" in attrs]
    assert len(ids) == len(set(ids))


@settings(max_examples=50)
@given(st.lists(st.text(min_size=1, max_size=12), min_size=2, max_size=20, unique=True))
def test_any_number_of_sides_with_any_names_are_told_apart(names):
    voices = voices_of(
        ("none", "other", "both", *(f"k{n}" for n in range(len(names)))),
        dict(zip((f"k{n}" for n in range(len(names))), names, strict=True)),
    )
    sides = voices[: len(names)]
    tags = [voice.tag for voice in sides]
    assert len({*tags, "both", "other", "unsure", ""}) == len(tags) + 4
    looks = [voice.look for voice in sides]
    assert len(set(looks)) == min(len(looks), 2 * HUES)


def test_tags_say_the_name():
    def tags(*names):
        return [voice.tag for voice in voices_of(names, {})][: len(names)]

    assert tags("Armenia", "Azerbaijan") == ["AR", "AZ"]
    assert tags("United States, NATO and coalition", "The Taleban") == ["US", "TA"]
    assert tags("Southern separatists", "Yemen's government") == ["SO", "YG"]
    assert tags("Syrian opposition", "Syrian government and Russia", "Islamic State") == ["SO", "SG", "IS"]
    assert tags("Viktor Yanukovych", "Viktor Yushchenko", "US-led coalition") == ["VYA", "VYU", "US"]
    assert tags("Austria", "Australia") == ["AU.1", "AU.2"]
    assert tags("Iran", "Iraqi government and parliament", "Shi'ite alliance", "Sunni Arab parties") == [
        "IR",
        "IG",
        "SAL",
        "SAR",
    ]


def test_paragraphs_are_those_of_the_text(strait):
    def paragraphs(text, job):
        article = article_from_text("a", text)
        rows = [(s.text, "none", "affirm") for s in article.sentences]
        found = [
            Prediction(
                p.article_id, p.index, s.start, s.end, s.text, p.labels, p.scores, p.probabilities, None, None, False
            )
            for p, s in zip(labelled(rows, id="a"), article.sentences, strict=True)
        ]
        view = article_view(found, (article, strait) if job else None)
        return view.headline and view.title, [[line.number for line in lines] for lines in view.paragraphs]

    blank = "Ships leave strait\n\nOne said so. Two denied it.\n\nThree went home."
    assert paragraphs(blank, True) == paragraphs(blank, False) == ("Ships leave strait", [[2, 3], [4]])
    lines = "One said so. Two denied it.\nThree went home."
    assert paragraphs(lines, True) == (None, [[1, 2], [3]])
    assert paragraphs(lines, False) == (None, [[1, 2, 3]])  # a gap of one says nothing
    spaced = "One said so.  Two denied it.\n\nThree went home."
    assert paragraphs(spaced, True) == (None, [[1, 2], [3]])


def test_jobs_give_names_and_titles(tmp_path, strait):
    article = article_from_sentences("a1", [row[0] for row in STRAIT], extra={"title": "Ships & strait"})
    write_pages([labelled(STRAIT)], tmp_path / "a.html", [(article, strait)])
    found = read(tmp_path / "a.html")
    assert "Ships & strait: who says what" in found.words
    assert "Northland, affirm: " in found.words
    other = article_from_sentences("a2", ["One."])
    with pytest.raises(ValueError, match="'a2' stands where article 'a1'"):
        write_pages([labelled(STRAIT)], tmp_path / "b.html", [(other, strait)])
    assert [path.name for path in tmp_path.iterdir()] == ["a.html"]


def test_many_articles_have_an_index_whose_links_lead_to_them(tmp_path, monkeypatch):
    monkeypatch.setattr(page, "PER_LIST", 3)
    ids = ["../../etc/passwd", "same", "same", "Ankara/Москва 2020", "", "CON", "x" * 300, "é.html", "same"]
    path = tmp_path / "all of it.html"
    assert write_pages((labelled(STRAIT, id=id) for id in ids), path) == len(ids)
    folder = tmp_path / "all of it_pages"
    assert {p.name for p in tmp_path.iterdir()} == {path.name, folder.name}
    seen, todo = {path}, [path]
    while todo:
        current = todo.pop()
        for link in (a["href"] for tag, a in read(current).tags if tag == "a" and not a["href"].startswith("#")):
            target = (current.parent / unquote(link)).resolve()
            assert target.is_file(), (current, link)
            if target not in seen:
                seen.add(target)
                todo.append(target)
    assert seen == {path, *folder.iterdir()}
    assert sorted(p.name for p in folder.glob("0*"))[:4] == [
        "0001-etc-passwd.html",
        "0002-same.html",
        "0003-same.html",
        "0004-Ankara-2020.html",
    ]
    first = read(path)
    text = "".join(first.words)
    assert "Who says what in 9 articles" in text
    assert "63 sentences" in text
    assert text.count("14\xa0% northland") == 3  # a list's worth of articles
    totals = [attrs for tag, attrs in first.tags if tag == "table"]
    assert len(totals) == 1


def test_articles_on_several_conflicts_have_no_common_table(tmp_path):
    other = labelled([("Eastland spoke.", "eastland", "affirm")], voices=(*VOICES[:3], "eastland", "westland"))
    write_pages([labelled(STRAIT), other], tmp_path / "a.html")
    assert "<table" not in (tmp_path / "a.html").read_text()


def test_pages_come_as_articles_do_and_the_index_last(tmp_path):
    path = tmp_path / "a.html"
    path.write_text("old")

    def articles():
        for n in range(6):
            # Two articles are read ahead to know whether there are several.
            assert len(list(tmp_path.glob("a_pages/*.html"))) == (n if n > 1 else 0)
            yield labelled(STRAIT, id=str(n))
        assert path.read_text() == "old"
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        write_pages(articles(), path)
    assert path.read_text() == "old"
    assert not [p for p in tmp_path.rglob("*") if "partial" in p.name]


def test_pages_of_an_earlier_call_go_and_nothing_else_does(tmp_path):
    path = tmp_path / "a.html"
    write_pages([labelled(STRAIT, id=str(n)) for n in range(5)], path)
    mine = ["2024-notes.html", "index-7.html", "mine.html"]
    for name in mine:
        (tmp_path / "a_pages" / name).write_text("<!doctype html>\n<p>kept")
    write_pages([labelled(STRAIT, id=str(n)) for n in range(2)], path)
    assert sorted(p.name for p in (tmp_path / "a_pages").iterdir()) == ["0001-0.html", "0002-1.html", *mine]
    write_pages([labelled(STRAIT)], path)
    assert sorted(p.name for p in (tmp_path / "a_pages").iterdir()) == mine
    write_pages([labelled(STRAIT)] * 2, tmp_path / "b.html")
    write_pages([labelled(STRAIT)], tmp_path / "b.html")
    assert not (tmp_path / "b_pages").exists()
    assert write_pages([], tmp_path / "none.html") == 0
    assert not (tmp_path / "none.html").exists()


def test_a_page_needs_no_network_and_no_script(tmp_path):
    write_pages([labelled(STRAIT)] * 2, tmp_path / "a.html")
    for path in tmp_path.rglob("*.html"):
        source = path.read_text()
        assert not re.search(r"https?:|//\w|url\(|@import|<script|javascript:|<link", source)
        tags = [tag for tag, _ in read(path).tags]
        assert {"title", "h1"} <= set(tags)
        assert dict(read(path).tags[0][1]) == {"lang": "en"}
        assert "scope" in source


def _colours(source):
    """The page's variables in the light and in the dark, and each look's by name."""
    light, dark = (
        dict(re.findall(r"--([\w-]+): (#\w{6})", block))
        for block in re.findall(r":root \{(.*?)\n *\}", source, re.DOTALL)[:2]
    )
    looks = {
        name: dict(re.findall(r"--(\w+): ([^;]+);", body))
        for names, body in re.findall(r"^((?:\.[\w-]+,? ?)+) \{ (--tint.*?)\}", source, re.MULTILINE)
        for name in re.findall(r"\.([\w-]+)", names)
    }
    assert len(looks) == HUES + 4
    return {"light": light, "dark": light | dark}, looks


def _resolve(value, variables):
    name = re.fullmatch(r"var\(--([\w-]+)\)", value)
    value = variables[name[1]] if name else value
    value = variables["paper"] if value == "transparent" else value
    return np.array([int(value[n : n + 2], 16) for n in (1, 3, 5)]) / 255


def _linear(colour):
    return np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)


def _contrast(first, second):
    """The contrast ratio of WCAG 2."""
    bright = sorted(_linear(colour) @ [0.2126, 0.7152, 0.0722] for colour in (first, second))
    return (bright[1] + 0.05) / (bright[0] + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_is_readable_on_every_colour(tmp_path, scheme):
    write_pages([labelled(STRAIT)], tmp_path / "a.html")
    schemes, looks = _colours((tmp_path / "a.html").read_text())
    variables = schemes[scheme]

    def colour(value):
        return _resolve(value, variables)

    for text, ground in [("ink", "paper"), ("ink", "panel"), ("muted", "paper"), ("muted", "panel"), ("link", "paper")]:
        assert _contrast(colour(f"var(--{text})"), colour(f"var(--{ground})")) >= 4.5, (text, ground)
    for name, look in looks.items():
        assert _contrast(colour("var(--ink)"), colour(look["tint"])) >= 4.5, name
        assert _contrast(colour(look["on"]), colour(look["fill"])) >= 4.5, name
        # What is no text but tells voices apart, against the page: 3 by WCAG 1.4.11.
        assert _contrast(colour(look["rim"]), colour("var(--paper)")) >= 3, name


# Machado, Oliveira and Fernandes 2009, severity 1.
SIGHT = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}


def _lab(linear):
    """CIE L*a*b* of linear sRGB, white D65."""
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    f = np.cbrt(np.array(to_xyz) @ np.clip(linear, 1e-6, 1) / [0.9505, 1, 1.089])
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("sight", SIGHT)
def test_colours_of_sides_stay_apart_for_the_colour_blind(tmp_path, sight):
    write_pages([labelled(STRAIT)], tmp_path / "a.html")
    _, looks = _colours((tmp_path / "a.html").read_text())
    seen = [
        _lab(np.array(SIGHT[sight]) @ _linear(_resolve(look["fill"], {})))
        for name, look in looks.items()
        if name.startswith("hue")
    ]
    assert len(seen) == HUES
    nearest = min(float(np.linalg.norm(a - b)) for a, b in combinations(seen, 2))
    assert nearest > 10  # a difference of 2.3 is just noticeable


def test_pages_of_a_model(tmp_path, tiny_model, strait):
    predictor = Predictor.load(str(tiny_model))
    jobs = [
        (
            article_from_text(f"a{n}", "Northland left. Southland denied that Northland left.\n\nThe sea is wide."),
            strait,
        )
        for n in range(3)
    ]
    assert write_pages(predictor.label_all(jobs), tmp_path / "a.html", jobs) == 3
    for n, path in enumerate(sorted((tmp_path / "a_pages").iterdir())):
        assert list(shown(read(path)).values()) == [s.text for s in jobs[n][0].sentences]
