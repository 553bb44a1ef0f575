import pytest
import torch
from whosays.model.checkpoint import load_model, new_model, save_model
from whosays.model.network import PointerHead, pool_sentences, side_scores
from whosays.model.sides import Mention
from whosays.model.windows import EncodedSentence, collate, make_windows


def batch(side_count=2):
    sentences = [
        EncodedSentence([2000, 2001, 103], [(2, 0, Mention("a", 0, 1))], False),
        EncodedSentence([103, 2002], [(0, 1, Mention("b", 5, 6))], False),
    ]
    windows = make_windows(0, sentences, side_count, start_id=101, end_id=102, max_tokens=64, overlap=8)
    return collate(windows, 0)


@pytest.fixture(scope="module")
def model(tiny_encoder):
    torch.manual_seed(0)
    return new_model(str(tiny_encoder), max_tokens=128)[0].eval()


def test_pooling_is_the_mean_over_each_sentence():
    hidden = torch.arange(10.0).reshape(1, 5, 2)
    pooled = pool_sentences(hidden, torch.tensor([[-1, 0, 0, 1, -1]]), 3)
    assert pooled.tolist() == [[[3.0, 4.0], [6.0, 7.0], [0.0, 0.0]]]


def test_pooling_by_attention_starts_as_the_mean_and_follows_its_focus():
    hidden, slots = torch.randn(2, 6, 8), torch.tensor([[-1, 0, 0, 1, 1, -1], [0, 1, 1, 1, 2, -1]])
    mean = pool_sentences(hidden, slots, 3)
    assert torch.allclose(pool_sentences(hidden, slots, 3, torch.zeros(8)), mean, atol=1e-6)
    sharp = pool_sentences(hidden, slots, 3, hidden[1, 2] * 100)
    best = (hidden[1, 1:4] @ hidden[1, 2]).argmax() + 1
    assert torch.allclose(sharp[1, 1], hidden[1, best], atol=1e-4)
    assert sharp[0, 2].tolist() == [0.0] * 8


def test_each_head_may_look_at_a_sentence_in_its_own_way(tiny_encoder, tmp_path):
    torch.manual_seed(0)
    model, tokenizer = new_model(str(tiny_encoder), pooling="attention", max_tokens=128)
    before = model.eval()(**batch())
    with torch.no_grad():
        model.focus["stance"] += torch.randn(32)
    after = model(**batch())
    assert torch.equal(before.logits["side"], after.logits["side"])
    assert not torch.allclose(before.logits["stance"], after.logits["stance"], atol=1e-4)
    save_model(model, tokenizer, tmp_path / "saved")
    again, _ = load_model(str(tmp_path / "saved"))
    assert torch.allclose(again.eval()(**batch()).logits["stance"], after.logits["stance"], atol=1e-5)


def test_a_sides_score_is_the_log_sum_exp_of_its_mentions():
    scores = torch.tensor([[[0.5, -1.0, 2.0, 9.0]]])
    sides = torch.tensor([[0, 1, 0, -1]])
    present = torch.tensor([[True, True, False]])
    got = side_scores(scores, sides, present)
    assert got[0, 0, 0].item() == pytest.approx(torch.logsumexp(torch.tensor([0.5, 2.0]), 0).item())
    assert got[0, 0, 1].item() == pytest.approx(-1.0)
    assert got.softmax(-1)[0, 0, 2].item() == 0.0


def test_the_pointer_knows_how_far_a_mention_is():
    head = PointerHead(4, 8)
    head.distance.data = torch.arange(9.0)
    head.query.weight.data.zero_()
    head.query.bias.data.zero_()
    scores = head(torch.ones(1, 1, 4), torch.ones(1, 3, 4), torch.tensor([[[-7, 0, 2]]]))
    assert scores.tolist() == [[[0.0, 4.0, 6.0]]]


def test_shapes_and_a_masked_loss(model):
    labels = {"side": torch.zeros(1, 2, 5), "stance": torch.zeros(1, 2, 5)}
    labels["side"][0, 0, 3] = 1.0
    labels["side"][0, 1, 3:5] = torch.tensor([0.3, 0.7])
    labels["stance"][0, 1, 1] = 1.0  # and the first sentence has none
    output = model(**batch(), labels=labels)
    assert output.logits["side"].shape == (1, 2, 5)
    assert output.logits["stance"].shape == (1, 2, 5)
    side = torch.nn.functional.cross_entropy(output.logits["side"][0], labels["side"][0])
    stance = torch.nn.functional.cross_entropy(output.logits["stance"][0, 1:], torch.tensor([1]))
    assert output.loss.item() == pytest.approx((side + stance).item(), rel=1e-5)


def test_no_label_no_loss_and_a_finite_gradient(model):
    labels = {"side": torch.zeros(1, 2, 5), "stance": torch.zeros(1, 2, 5)}
    loss = model(**batch(), labels=labels).loss
    assert loss.item() == 0.0


def test_a_side_without_a_mention_cannot_be_chosen(model):
    chances = model(**batch(side_count=4)).logits["side"].softmax(-1)
    assert chances[..., 5:].max().item() == 0.0
    assert chances[..., 3:5].min().item() > 0.0


def test_names_cannot_matter_when_mentions_are_anonymous(model):
    """Only the learned vector stands at a mention, so whatever id holds its place changes nothing."""
    tensors = batch()
    other = dict(tensors, input_ids=tensors["input_ids"].clone())
    rows = torch.arange(1).unsqueeze(1)
    other["input_ids"][rows, tensors["mention_positions"]] = 2500
    assert torch.equal(model(**tensors).logits["side"], model(**other).logits["side"])


@pytest.mark.parametrize("lora", [None, {"rank": 4, "alpha": 8}])
def test_a_saved_model_answers_the_same(tiny_encoder, tmp_path, lora):
    from whosays.model.checkpoint import save_model

    torch.manual_seed(3)
    model, tokenizer = new_model(str(tiny_encoder), lora=lora, max_tokens=128)
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data += 0.05 * torch.randn_like(parameter)
    model.eval()
    save_model(model, tokenizer, tmp_path / "m")
    loaded, _ = load_model(str(tmp_path / "m"))
    for head in ("side", "stance"):
        assert torch.allclose(model(**batch()).logits[head], loaded(**batch()).logits[head], atol=1e-5)
    assert not [p for p in (tmp_path / "m").iterdir() if p.suffix in (".bin", ".pt", ".pkl")]
