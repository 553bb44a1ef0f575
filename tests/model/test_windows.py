import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer
from whosays.model.article import article_from_sentences
from whosays.model.encoders import encoder_source
from whosays.model.sides import Conflict, Mention, Side
from whosays.model.windows import EncodedSentence, collate, encode_articles, make_windows, token_batches

CLS, SEP = 101, 102


def windows_of(sentences, max_tokens=40, overlap=12, sides=3):
    return make_windows(0, sentences, sides, start_id=CLS, end_id=SEP, max_tokens=max_tokens, overlap=overlap)


@st.composite
def encoded_article(draw, max_tokens=40):
    rows = []
    for _ in range(draw(st.integers(1, 25))):
        length = draw(st.integers(0, max_tokens - 2))
        places = draw(st.lists(st.integers(0, max(0, length - 1)), max_size=3, unique=True)) if length else []
        mentions = [(at, draw(st.integers(0, 2)), Mention("x", at, at + 1)) for at in sorted(places)]
        rows.append(EncodedSentence([200 + i for i in range(length)], mentions, False))
    return rows


@settings(max_examples=200)
@given(encoded_article(), st.integers(0, 39))
def test_every_sentence_is_read_once_and_no_window_is_too_long(sentences, overlap):
    windows = windows_of(sentences, overlap=overlap)
    read = [window.sentences[slot] for window in windows for slot in window.read]
    assert sorted(read) == list(range(len(sentences)))
    for window in windows:
        assert len(window.ids) <= 40
        assert len(window.ids) == len(window.slots)
        assert window.ids.count(SEP) == len(window.sentences)
        assert list(window.sentences) == sorted(set(window.sentences))


@settings(max_examples=200)
@given(encoded_article())
def test_whole_sentences_and_their_mentions_arrive_in_place(sentences):
    for window in windows_of(sentences):
        for slot, number in enumerate(window.sentences):
            ids = [i for i, s in zip(window.ids, window.slots, strict=True) if s == slot]
            assert ids == [*sentences[number].ids, SEP]
        expected, start = [], 1  # behind [CLS]
        for number in window.sentences:
            expected += [(start + at, side, number) for at, side, _ in sentences[number].mentions]
            start += len(sentences[number].ids) + 1
        assert [(m.position, m.side, m.sentence) for m in window.mentions] == expected


def test_a_short_article_is_one_window():
    [window] = windows_of([EncodedSentence([1, 2], [], False)] * 3)
    assert window.ids == [CLS, 1, 2, SEP, 1, 2, SEP, 1, 2, SEP]
    assert window.read == (0, 1, 2)


def test_a_sentence_is_read_where_its_poorer_side_has_most_context():
    windows = windows_of([EncodedSentence([7] * 4, [], False)] * 16, max_tokens=41, overlap=20)
    spans = [(w.sentences[0], w.sentences[-1], [w.sentences[s] for s in w.read]) for w in windows]
    assert spans == [
        (0, 7, [0, 1, 2, 3, 4, 5]),
        (4, 11, [6, 7, 8, 9]),
        (8, 15, [10, 11, 12, 13, 14, 15]),
    ]


def test_the_last_mention_of_a_side_is_carried():
    plain = EncodedSentence([7] * 8, [], False)
    early = EncodedSentence([8] * 4, [(1, 2, Mention("c", 1, 2))], False)
    windows = windows_of([early, *[plain] * 10])
    assert all(window.sentences[0] == 0 for window in windows)
    assert all(window.mentions[0].side == 2 for window in windows)
    assert all(0 not in window.read for window in windows[1:])


def test_batches_keep_to_the_budget_and_lose_nothing():
    lengths = [5, 100, 7, 9, 300, 8]
    batches = list(token_batches(lengths, 120))
    assert sorted(i for batch in batches for i in batch) == list(range(6))
    assert all(len(b) == 1 or max(lengths[i] for i in b) * len(b) <= 120 for b in batches)


def test_collate_pads():
    first = windows_of([EncodedSentence([5, 6], [(0, 1, Mention("b", 0, 1))], False)], sides=2)
    second = windows_of([EncodedSentence([5], [], False)] * 2, sides=3)
    tensors = collate([*first, *second], pad_id=0)
    assert tensors["input_ids"].tolist() == [[CLS, 5, 6, SEP, 0], [CLS, 5, SEP, 5, SEP]]
    assert tensors["attention_mask"].sum().item() == 9
    assert tensors["slots"].tolist() == [[-1, 0, 0, 0, -1], [-1, 0, 0, 1, 1]]
    assert tensors["sentences"].tolist() == [[0, -1], [0, 1]]
    assert tensors["mention_sides"].tolist() == [[1], [-1]]
    assert tensors["side_present"].tolist() == [[False, True, False], [False, False, False]]
    assert tensors["side_present"].dtype == torch.bool


@pytest.fixture(scope="module")
def tokenizer():
    return AutoTokenizer.from_pretrained(encoder_source("minilm"))


CONFLICT = Conflict("c", (Side("a", "A", ("Baku", "Artsrun Hovhannisyan")), Side("b", "B", ("Yerevan",))))


@pytest.mark.parametrize("anonymous", [True, False])
def test_mentions_stand_on_their_tokens(tokenizer, anonymous):
    article = article_from_sentences(
        "x", ["Then Artsrun Hovhannisyan left.", "Yerevan-based Bakuers; Yerevan’s aim, Baku"]
    )
    first, second = encode_articles([(article, CONFLICT)], tokenizer, max_tokens=64, anonymous=anonymous)[0]
    ((at, side, mention),) = first.mentions
    assert (at, side) == (1, 0)
    assert article.text[mention.start : mention.end] == "Artsrun Hovhannisyan"
    assert [article.text[m.start : m.end] for _, _, m in second.mentions] == ["Yerevan", "Yerevan", "Baku"]
    words = tokenizer.convert_ids_to_tokens(first.ids)
    assert words == (["then", "[MASK]", "left", "."] if anonymous else tokenizer.tokenize(article.sentences[0].text))


def test_text_that_looks_like_a_special_token_is_text(tokenizer):
    article = article_from_sentences("x", ["Baku said [SEP] no [MASK] so [CLS]."])
    [[row]] = encode_articles([(article, CONFLICT)], tokenizer, max_tokens=64, anonymous=True)
    assert [at for at, id in enumerate(row.ids) if id in tokenizer.all_special_ids] == [0], "the mention alone"


def test_an_overlong_sentence_is_cut_and_says_so(tokenizer):
    article = article_from_sentences("x", ["word " * 200 + "Baku", "Baku said so."])
    long, short = encode_articles([(article, CONFLICT)], tokenizer, max_tokens=64, anonymous=True)[0]
    assert (len(long.ids), long.truncated, long.mentions) == (62, True, [])
    assert not short.truncated
    assert len(windows_of([long, short], max_tokens=64)) == 2
