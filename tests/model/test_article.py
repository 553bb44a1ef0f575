import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st
from whosays.model.article import article_from_sentences, segment


def texts(text: str) -> list[str]:
    return [s.text for s in segment(text)]


def test_news_abbreviations_do_not_end_sentences():
    assert texts("U.S. Gen. Casey met Mr. Smith. He left at 5 p.m. on Monday.") == [
        "U.S. Gen. Casey met Mr. Smith.",
        "He left at 5 p.m. on Monday.",
    ]


def test_paragraphs_and_boilerplate_lines_end_sentences():
    assert texts("The truce holds\n\nBaku said so. Spread it.\nSpread the love\nLeave a Reply") == [
        "The truce holds",
        "Baku said so.",
        "Spread it.",
        "Spread the love",
        "Leave a Reply",
    ]


def test_a_line_wrapped_by_width_goes_on():
    text = (
        "On Tuesday in the capital the spokesman of the Ministry of\nDefense said that the bridge over the river had been "
        "taken\nby its troops. A resident who lives near the river bank\nsaw it fall.\n"
    )
    assert texts(text) == [
        text[: text.index(" A resident")],
        "A resident who lives near the river bank\nsaw it fall.",
    ]


HEADLINES = [
    "Kyiv says Russian forces shelled the town of Bakhmut",
    "Moscow denies attacking civilians in the east of Ukraine this week",
    "UN calls for a truce as winter nears and the talks stall",
    "Pakistan accuses India of firing across the line of control",
]
TURNS = [
    "QUESTION: Did your forces shell the hospital in Mariupol",
    "MR. PESKOV: Our forces never shell hospitals and never would",
    "QUESTION: And the theatre, was it also not shelled by you",
]


@pytest.mark.parametrize("lines", [HEADLINES, TURNS])
def test_lines_with_room_for_the_next_word_are_not_wrapped(lines):
    assert texts("\n".join(lines)) == lines


def test_a_headline_above_wrapped_text_is_no_part_of_it():
    body = textwrap.fill("The Ministry of Defence said that Its Forces had taken Bakhmut, which Kyiv denied. " * 6, 72)
    headline = "Ministry of Defence says that its forces took Bakhmut"
    assert texts(f"{headline}\n{body}") == [headline, *texts(body)]
    assert len(texts(body)) == 6


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\u2028", "\v"])
def test_line_ends_of_any_kind(end):
    text = f"Kyiv wins battle{end}{end}Moscow denied it{end}UN worried"
    assert texts(text) == ["Kyiv wins battle", "Moscow denied it", "UN worried"]


def test_windows_line_ends():
    assert texts("One line.\r\n\r\nAnother line.\r\n") == ["One line.", "Another line."]


@given(st.text(alphabet=st.sampled_from("aB .!?\n\r\t\u2029\u00a0\x85\u2028\u3000“”'\"é😀ا1"), max_size=120))
def test_no_character_is_lost_and_positions_are_exact(text):
    sentences = segment(text)
    position = 0
    for sentence in sentences:
        assert text[sentence.start : sentence.end] == sentence.text == sentence.text.strip()
        assert sentence.text
        assert text[position : sentence.start].strip() == ""
        position = sentence.end
    assert text[position:].strip() == ""


@pytest.mark.parametrize("space", ["\u00a0", "\u202f", "\u3000", "\x85"])
def test_white_space_of_any_kind_may_follow_an_initial(space):
    text = f"George W{space}. Bush spoke. They chose plan B{space}."
    assert "".join(texts(text)).replace(" ", "") == text.replace(" ", "")


@given(st.lists(st.text(min_size=1, max_size=20)))
def test_sentences_that_came_split_keep_their_text(given_texts):
    article = article_from_sentences("a", given_texts)
    assert [s.text for s in article.sentences] == given_texts
    assert all(article.text[s.start : s.end] == s.text for s in article.sentences)


def test_wrapped_text_with_windows_line_ends_goes_on():
    lines = ["On Tuesday in the capital the spokesman of the Ministry of", "Defense said that the bridge had fallen."]
    assert len(texts("\r\n".join(lines))) == len(texts("\n".join(lines))) == 1


def test_how_lines_end_does_not_matter_for_how_wide_they_are():
    for width in (49, 50, 120, 121):
        lines = f"{'word ' * 30}"[: width - 1] + "d\nwent on to the town."
        assert texts(lines) == [s.replace("\r\n", "\n") for s in texts(lines.replace("\n", "\r\n"))]


@pytest.mark.parametrize(
    "sentence", ["He said the “army had left the town. ", "中文。", "Nothing ends here, ", "One. Two! "]
)
def test_a_paragraph_of_any_length_is_split_like_a_short_one(sentence):
    short, long = sentence * 100, sentence * (100_000 // len(sentence))
    pieces = segment(long)
    assert "".join(s.text for s in pieces).replace(" ", "") == long.replace(" ", "")
    assert len(pieces) == pytest.approx(len(segment(short)) * len(long) / len(short), rel=0.01) or len(pieces) == 1


def test_a_quotation_where_a_slice_ends_is_not_torn():
    before, quoted = (
        "The town was quiet on the day that they came, the report says. ",
        "We will not go. We will stay here. ",
    )
    text = before * (19_900 // len(before)) + f'He said: "{quoted * 4}Never." ' + before * 20
    [quotation] = [s.text for s in segment(text) if "We will" in s.text]
    assert quotation.count("We will not go.") == 4


def test_a_short_line_ends_a_sentence_even_before_a_small_letter():
    assert texts("Spread the love\nby John Smith") == ["Spread the love", "by John Smith"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('The 30" gun fired. Kyiv said it. "We did not," he said.', 3),
        ("He''s there. Kyiv said it. They''re out. Moscow denied.", 4),
        ("A 5'11\" man fired. Kyiv said. The 6'2\" guard fell. Moscow said.", 4),
        ('"We need 30," he said. Kyiv agreed. "No. Never 12." Moscow said.', 4),
        ('"Not 30". Kyiv agreed. "It is 12". Moscow said.', 4),
    ],
)
def test_marks_that_open_no_quotation_swallow_no_sentence(text, expected):
    assert len(texts(text)) == expected
    assert " ".join(texts(text)) == text
