from copy import deepcopy

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


def crossed(tensors):
    """`tensors` of two sides with the one's mentions given to the other, the text being what it was."""
    sides = tensors["mention_sides"]
    return dict(tensors, mention_sides=torch.where(sides < 0, sides, 1 - sides))


@pytest.fixture(scope="module")
def telling_apart(tiny_encoder):
    """A model with stand-ins for three sides, all its weights random."""
    torch.manual_seed(0)
    model = new_model(str(tiny_encoder), stand_ins=3, max_tokens=128)[0].eval()
    for parameter in model.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    return model


def test_stand_ins_go_by_the_order_of_mention_and_by_no_side(telling_apart):
    before, after = (telling_apart(**tensors).logits for tensors in (batch(), crossed(batch())))
    assert torch.equal(before["stance"], after["stance"])
    assert torch.equal(before["side"][..., [0, 1, 2, 4, 3]], after["side"])
    assert not torch.allclose(before["side"][..., 3], before["side"][..., 4], atol=1e-3)


def test_the_encoder_tells_sides_apart_by_their_stand_ins(telling_apart):
    tensors = batch()
    one = dict(tensors, mention_sides=torch.zeros_like(tensors["mention_sides"]))  # both mentions are of one side
    before, after = telling_apart(**tensors).logits["stance"], telling_apart(**one).logits["stance"]
    assert not torch.allclose(before, after, atol=1e-4)


def five_sides(order):
    """Five sides, each mentioned in a sentence of its own; `order[n]` is the place of sentence n's in the sides file."""
    sentences = [
        EncodedSentence([103, 2000 + n], [(0, side, Mention("abcde"[side], 3 * n, 3 * n + 1))], False)
        for n, side in enumerate(order)
    ]
    windows = make_windows(0, sentences, 5, start_id=101, end_id=102, max_tokens=64, overlap=8)
    return collate(windows, 0)


def test_sides_that_share_a_stand_in_are_told_apart_by_the_pointer(telling_apart):
    output = telling_apart(**five_sides(range(5)))
    logits, pointer = output.logits["side"][0], output.pointer[0]
    silent = deepcopy(telling_apart)
    silent.pointer.key.weight.data.zero_()
    shared = silent(**five_sides(range(5))).logits["side"][0]
    assert torch.equal(logits[:, [0, 1, 2, 5]], shared[:, [0, 1, 2, 5]]), "the third side has its own"
    for one, other in ((0, 3), (1, 4)):
        told = (pointer[:, one] - pointer[:, other]).tolist()
        assert (logits[:, 3 + one] - logits[:, 3 + other]).tolist() == pytest.approx(told, abs=1e-5)
        together, before = (rows[:, [3 + one, 3 + other]].logsumexp(-1).tolist() for rows in (logits, shared))
        assert together == pytest.approx(before, abs=1e-5)


def test_no_place_in_the_sides_file_decides_among_sides_that_share(telling_apart):
    order = [3, 0, 4, 2, 1]
    before, after = (telling_apart(**five_sides(sides)).logits["side"][..., 3:] for sides in (range(5), order))
    assert torch.allclose(before, after[..., order], atol=1e-6)


def test_the_pointer_learns_beside_and_moves_nothing_else(tiny_encoder):
    torch.manual_seed(0)
    model = new_model(str(tiny_encoder), stand_ins=3, dropout=0.0, max_tokens=128)[0]
    labels = {"side": torch.zeros(1, 2, 5)}
    labels["side"][0, 0, 3] = 1.0
    gradients = []
    for scale in (1.0, 0.0):  # what the pointer says does not reach the encoder, but its own weights learn
        model.zero_grad()
        with torch.no_grad():
            model.pointer.key.weight.mul_(scale)
        model.eval()(**batch(), labels=labels).loss.backward()
        gradients.append(
            [p.grad.clone() for n, p in model.named_parameters() if n.startswith("encoder.") and p.grad is not None]
        )
        assert (model.pointer.query.weight.grad.abs().sum() > 0) == (scale > 0)
    assert len(gradients[0]) > 5
    assert all(torch.equal(a, b) for a, b in zip(*gradients, strict=True))


@pytest.mark.parametrize("stand_ins", [0, 1, 3])
def test_stand_ins_are_kept(tiny_encoder, tmp_path, stand_ins):
    model, tokenizer = new_model(str(tiny_encoder), stand_ins=stand_ins, lora={"rank": 4, "alpha": 8}, max_tokens=128)
    assert (model.mention is None) == (stand_ins == 0)
    assert model.mention is None or len({tuple(vector) for vector in model.mention.tolist()}) == stand_ins
    save_model(model, tokenizer, tmp_path / "saved")
    again, _ = load_model(str(tmp_path / "saved"))
    for head in ("side", "stance"):
        assert torch.allclose(again.eval()(**batch()).logits[head], model.eval()(**batch()).logits[head], atol=1e-5)


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
