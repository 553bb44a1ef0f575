"""The ablation script: its variants are recipes, and its data what it says."""

import pytest
import torch
from ablation import BASE, SEEDS, VARIANTS, alone, class_weights, no_distance, packaged_rows, report, share, smoothed
from whosays.model.checkpoint import load_model
from whosays.model.labels import DEFAULT_SCHEME
from whosays.model.network import PointerHead
from whosays.model.sides import packaged_conflict
from whosays.training.corpus import labelled_article
from whosays.training.recipe import load_recipe

ROW = {
    "id": "a1",
    "conflict": "strait",
    "sentences": [
        {"text": "Northland says Norden's envoy met Southland's.", "side": "northland", "stance": "affirm"},
        {"text": "Nobody knows.", "side": "none", "stance": "affirm"},
    ],
}


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)
def test_every_variant_is_a_recipe(variant):
    recipe = load_recipe("default", [*BASE, *variant.changes])
    assert not recipe.taught
    assert bool(variant.changes) == (recipe != load_recipe("default", BASE))


def test_a_share_is_of_the_part_and_size_asked_for_and_the_same_each_time():
    rows = packaged_rows("train")
    whole = sum(len(row["sentences"]) for row in rows)
    for part, times in (("", 1), ("real", 1), ("written", 1), ("", 2)):
        taken = share(rows, times, part)
        assert taken == share(rows, times, part)
        assert {row["part"] for row in taken} == ({part} if part else {"real", "written"})
        assert sum(len(row["sentences"]) for row in taken) == pytest.approx(whole / 10 * times, rel=0.02)


def test_sentences_alone_are_all_there():
    row = packaged_rows("train")[0]
    made = alone(row, packaged_conflict(row["conflict"]))
    assert [sentence for new in made for sentence in new["sentences"]] == row["sentences"]
    assert len({new["id"] for new in made}) == len(row["sentences"])


def test_smoothed_labels_are_probabilities_that_training_reads(strait):
    (made,) = smoothed(ROW, strait)
    item = labelled_article(made, DEFAULT_SCHEME, {"strait": strait})
    assert item.chances("side", 0) == pytest.approx(
        {"none": 0.02, "other": 0.02, "both": 0.02, "northland": 0.92, "southland": 0.02}
    )
    assert item.chances("stance", 1)["affirm"] == pytest.approx(0.92)


def test_without_distance_a_mention_far_away_scores_as_one_at_hand():
    sentences, mentions = torch.randn(1, 1, 8), torch.randn(1, 1, 8).expand(1, 2, 8)
    far = torch.tensor([[[0, 3]]])
    with no_distance():
        head = PointerHead(8, 8)
        torch.nn.init.normal_(head.distance)
        scores = head(sentences, mentions, far)
    assert scores[0, 0, 0] == scores[0, 0, 1]


def test_class_weights_make_a_rare_label_cost_more(tiny_model):
    model, _ = load_model(str(tiny_model))
    logits = {"stance": torch.zeros(1, 2, 5)}
    labels = {"stance": torch.zeros(1, 2, 5)}
    labels["stance"][0, 0, 0] = labels["stance"][0, 1, 1] = 1  # one affirm, one deny
    logits["stance"][0, 1, 1] = 3.0  # only the deny is right
    plain = model._loss(logits, labels)
    with class_weights():
        assert model._loss(logits, labels) < plain
    assert model._loss(logits, labels) == plain


def test_the_table_has_mean_and_deviation_of_what_all_seeds_ran():
    runs = [{"variant": "no dropout", "seed": seed, "side": 0.5 + seed / 10, "stance": 0.7} for seed in SEEDS]
    once = {"variant": "no variety", "seed": 1, "side": 0.5, "stance": 0.5}
    rows = [line for line in report([*runs, once]).splitlines() if line.startswith("|")]
    assert rows[2:] == ["| no dropout | 0.700 ± 0.100 | 0.700 ± 0.000 |"]
