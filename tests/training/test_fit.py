import json
import re
from pathlib import Path

import pytest
import torch
from transformers.trainer_pt_utils import get_length_grouped_indices
from whosays.model.checkpoint import load_model
from whosays.model.errors import InputError
from whosays.model.labels import DEFAULT_SCHEME
from whosays.model.predictor import Predictor
from whosays.training.calibrate import fit_temperatures
from whosays.training.corpus import LabelledArticle, read_corpus
from whosays.training.fit import judge, train
from whosays.training.recipe import Recipe, load_recipe
from whosays.training.rows import EpochRows, GroupedByLength, collate_rows, training_rows
from whosays.training.variety import Variety


@pytest.fixture
def recipe(tiny_encoder, gold_file, sides_file):
    return Recipe(
        encoder=str(tiny_encoder), train=[str(gold_file)], dev=[str(gold_file)], sides=[str(sides_file)],
        max_tokens=128, overlap=32, epochs=12, patience=12, batch_windows=4, encoder_lr=3e-3, head_lr=1e-2,
        dropout=0.0, precision="fp32",
    )  # fmt: skip


def test_training_learns_and_leaves_a_complete_model_folder(recipe, tmp_path, gold_file, strait, caplog):
    metrics = train(recipe, tmp_path / "run")
    assert "8 of 8 development articles are trained on as well" in caplog.text
    assert metrics["development"]["macro_f1"] > 0.6
    assert metrics["development"]["macro_f1"] == max(e["macro_f1"] for e in metrics["epochs"])
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "recipe.yaml", "metrics.json", "README.md"} <= names
    assert not [name for name in names if name.endswith((".bin", ".pt", ".pkl"))]
    assert load_recipe(str(tmp_path / "run" / "recipe.yaml")) == recipe
    assert json.loads((tmp_path / "run" / "metrics.json").read_text()) == json.loads(json.dumps(metrics))
    # What was saved is the best epoch's model, calibrated: judging it again gives that epoch's figures.
    predictor = Predictor.load(str(tmp_path / "run"), precision="fp32")
    again = judge(predictor, read_corpus([str(gold_file)], DEFAULT_SCHEME, {"strait": strait}))
    assert again["macro_f1"] == pytest.approx(metrics["development"]["macro_f1"])
    assert predictor.model.config.temperatures == metrics["temperatures"]
    card = (tmp_path / "run" / "README.md").read_text()
    assert f"{metrics['development']['side_macro_f1']:.3f}" in card


def test_the_same_seed_gives_the_same_model(recipe, tmp_path):
    short = Recipe.model_validate(recipe.model_dump() | {"epochs": 2, "lora": {"rank": 2, "alpha": 4}})
    first, second = train(short, tmp_path / "a"), train(short, tmp_path / "b")
    assert first["epochs"] == second["epochs"]
    one, two = (load_model(str(tmp_path / name))[0].state_dict() for name in "ab")
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_rounding_what_stays_as_it_is_changes_no_bit_of_a_bf16_training(recipe, tmp_path, monkeypatch):
    changes = {"epochs": 2, "lora": {"rank": 2, "alpha": 4}, "precision": "bf16"}
    short = Recipe.model_validate(recipe.model_dump() | changes)
    rounded = train(short, tmp_path / "a")
    monkeypatch.setattr("whosays.training.fit.round_frozen", lambda model: None)
    assert train(short, tmp_path / "b")["epochs"] == rounded["epochs"]
    one, two = (load_model(str(tmp_path / name))[0].state_dict() for name in "ab")
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_what_a_teacher_labelled_is_learnt(recipe, gold_file, tmp_path, strait, caplog):
    rows = [json.loads(line) for line in gold_file.read_text().splitlines()]
    for row in rows:
        for sentence in row["sentences"]:
            for head in DEFAULT_SCHEME.names:
                sentence[f"{head}_probabilities"] = {sentence[head]: 1.0}
    taught, little = tmp_path / "taught.jsonl", tmp_path / "little.jsonl"
    taught.write_text("\n".join(map(json.dumps, rows)))
    little.write_text(json.dumps({"id": "l", "conflict": "strait", "sentences": [{"text": "No.", "side": "none"}]}))
    changed = recipe.model_copy(update={"train": [str(little)], "taught": [str(taught)]})
    assert train(changed, tmp_path / "run")["development"]["macro_f1"] > 0.6
    assert "no training article has a label of 'stance'" in caplog.text
    assert "of 'side'" not in caplog.text


def test_a_head_without_any_label_is_refused(recipe, gold_file, tmp_path):
    row = json.loads(gold_file.read_text().splitlines()[0])
    for sentence in row["sentences"]:
        sentence["Stance"] = sentence.pop("stance")
    file = tmp_path / "misspelt.jsonl"
    file.write_text(json.dumps(row))
    with pytest.raises(InputError, match="no label of 'stance' at all"):
        train(recipe.model_copy(update={"train": [str(file)]}), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_training_goes_on_from_a_model_and_keeps_it_where_no_epoch_is_better(recipe, tmp_path, caplog):
    caplog.set_level("INFO")
    first = train(recipe.model_copy(update={"epochs": 3}), tmp_path / "first")
    caplog.clear()
    start = {"start": str(tmp_path / "first"), "encoder_lr": 1e-12, "head_lr": 1e-12, "epochs": 2}
    metrics = train(recipe.model_copy(update=start), tmp_path / "second")
    best = first["development"]["macro_f1"]
    assert [entry["macro_f1"] for entry in metrics["epochs"]] == pytest.approx([best] * 3)
    assert f"before training: development macro-F1 {best:.3f}" in caplog.text
    assert "epoch 2: development" in caplog.text
    one, two = (load_model(str(tmp_path / name))[0].state_dict() for name in ("first", "second"))
    assert all(torch.equal(one[name], two[name]) for name in one)
    learnt = train(recipe.model_copy(update={"start": start["start"]}), tmp_path / "third")
    assert learnt["epochs"][0]["macro_f1"] == pytest.approx(best)
    assert learnt["development"]["macro_f1"] > best + 0.1
    assert [entry["epoch"] for entry in learnt["epochs"]] == list(range(13))
    card = (tmp_path / "third" / "README.md").read_text()
    assert f"Macro-F1 before training {best:.3f}, by epoch: {learnt['epochs'][1]['macro_f1']:.3f}, " in card


def test_training_cannot_go_on_in_the_folder_of_its_start(recipe, tmp_path, monkeypatch):
    train(recipe.model_copy(update={"epochs": 1}), tmp_path / "run")
    before = (tmp_path / "run" / "model.safetensors").read_bytes()
    (tmp_path / "link").symlink_to("run")
    again = recipe.model_copy(update={"start": str(tmp_path / "link")})
    with pytest.raises(InputError, match="is the folder to train into"):
        train(again, tmp_path / "run")
    assert (tmp_path / "run" / "model.safetensors").read_bytes() == before
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="start 'default': is made over an encoder"):  # and not a folder of that name
        train(recipe.model_copy(update={"start": "default"}), Path("default"))


def test_labels_that_teach_or_judge_nothing_are_told(recipe, gold_file, sides_file, tmp_path, caplog):
    rows = [json.loads(line) for line in gold_file.read_text().splitlines()]
    sides = json.loads(sides_file.read_text())
    sides["sides"]["northland"]["aliases"] = ["NORTHLAND"]  # a capital is only a capital
    sides_file.write_text(json.dumps(sides))
    unjudged = tmp_path / "dev.jsonl"
    for row in rows:
        for sentence in row["sentences"]:
            del sentence["stance"]
    unjudged.write_text("\n".join(map(json.dumps, rows)))
    metrics = train(recipe.model_copy(update={"dev": [str(unjudged)], "epochs": 1}), tmp_path / "run")
    lost = sum(sentence["side"] == "northland" for row in rows for sentence in row["sentences"])
    given = lost + sum(sentence["side"] == "southland" for row in rows for sentence in row["sentences"])
    assert f"{lost} of {given} labels that name a side teach nothing" in caplog.text
    assert "no development article has a label of 'stance': the epoch is chosen without it" in caplog.text
    assert set(metrics["temperatures"]) == {"side"}
    assert "of the heads that these articles label: side " in (tmp_path / "run" / "README.md").read_text()


def test_patience_ends_a_run_that_does_not_improve(recipe, tmp_path):
    stuck = recipe.model_copy(update={"encoder_lr": 1e-12, "head_lr": 1e-12, "patience": 2})
    assert len(train(stuck, tmp_path / "run")["epochs"]) == 3


def test_a_training_tells_how_far_it_is_and_what_it_costs(recipe, tmp_path):
    told = []
    train(recipe.model_copy(update={"epochs": 2}), tmp_path / "run", told.append)
    lines = [re.fullmatch(r"epoch (\d) of 2, step (\d+) of (\d+): loss (\d+\.\d{3})", line) for line in told]
    assert all(lines)
    epochs, steps, ends, losses = zip(*(map(float, line.groups()) for line in lines if line), strict=True)
    assert steps == tuple(range(1, int(ends[0]) + 1)), "a hundred lines would be more than there are steps"
    assert epochs == tuple(1 if step <= ends[0] / 2 else 2 for step in steps)
    assert min(losses) > 0


def test_a_training_that_only_ever_gives_one_answer_says_so(recipe, tmp_path, caplog):
    wild = recipe.model_copy(update={"encoder_lr": 5.0, "epochs": 1})
    train(wild, tmp_path / "run")
    assert (
        "it gives every sentence the same answer; if the next epoch does too, take an encoder_lr below 5" in caplog.text
    )
    caplog.clear()
    train(recipe, tmp_path / "other")
    assert "same answer" not in caplog.text.partition("epoch 2:")[2]


def test_missing_and_unreachable_labels_cost_nothing(tmp_path, tiny_model, strait):
    path = tmp_path / "a.jsonl"
    sentences = [
        {"text": "Norden spoke.", "side": "northland", "stance": None},
        {"text": "It was denied.", "side": "southland", "stance": "deny"},  # Southland is never mentioned
        {"text": "Night fell."},
    ]
    path.write_text(json.dumps({"id": "a", "conflict": "strait", "sentences": sentences}))
    model, tokenizer = load_model(str(tiny_model))
    rows = training_rows(read_corpus([str(path)], DEFAULT_SCHEME, {"strait": strait}), model, tokenizer)
    tensors = collate_rows([rows[0]], 0)
    nothing = [0.0] * 5
    assert tensors["labels"]["side"].tolist() == [[[0, 0, 0, 1, 0], nothing, nothing]]
    assert tensors["labels"]["stance"].tolist() == [[nothing, [0, 1, 0, 0, 0], nothing]]
    assert torch.isfinite(model(**tensors).loss)


def test_a_teachers_doubts_are_learnt_among_the_sides_that_can_be_chosen(tmp_path, tiny_model, strait):
    path = tmp_path / "a.jsonl"
    doubts = [{"northland": 0.4, "southland": 0.2, "none": 0.4}, {"southland": 0.7, "none": 0.3}]
    sentences = [
        {"text": f"Norden spoke {n}.", "side": "none", "side_probabilities": doubt} for n, doubt in enumerate(doubts)
    ]
    path.write_text(json.dumps({"id": "a", "conflict": "strait", "sentences": sentences}))
    model, tokenizer = load_model(str(tiny_model))
    articles = read_corpus([str(path)], DEFAULT_SCHEME, {"strait": strait})
    [row] = training_rows(articles, model, tokenizer)
    assert row["labels_side"] == [[0.5, 0, 0, 0.5, 0], [0] * 5]  # Southland, whom nothing mentions, cannot be learnt
    assert row["labels_stance"] == [[0] * 5, [0] * 5]
    wider = {**row, "side_count": 3, "labels_side": [[0, 0, 0, 0, 0, 1.0], [0] * 6]}
    together = collate_rows([row, wider], 0)["labels"]["side"]
    assert together.tolist() == [[[0.5, 0, 0, 0.5, 0, 0], [0] * 6], [[0, 0, 0, 0, 0, 1], [0] * 6]]


def test_temperatures_undo_overconfidence(tiny_model, gold_file, strait):
    """A model that is right three times in four gets about that confidence, however loud its logits are."""
    predictor = Predictor.load(str(tiny_model), precision="fp32")
    predictor.model.heads["stance"].weight.data *= 15
    articles = []
    for n, item in enumerate(read_corpus([str(gold_file)], DEFAULT_SCHEME, {"strait": strait})):
        labels = [p.labels["stance"] for p in predictor.label(item.article, strait)]
        wrong = [DEFAULT_SCHEME["stance"].labels[(n + i) % 5] for i in range(len(labels))]
        articles.append(
            LabelledArticle(
                item.article, strait, {"side": (None,) * 5, "stance": tuple(wrong if n % 4 == 0 else labels)}
            )
        )
    loud = fit_temperatures(predictor, articles)
    assert set(loud) == {"stance"}, "what nobody labelled cannot be calibrated"
    predictor.model.config.temperatures = loud
    scores = [p.scores["stance"] for item in articles for p in predictor.label(item.article, strait)]
    assert sum(scores) / len(scores) == pytest.approx(0.78, abs=0.1)
    predictor.model.heads["stance"].weight.data *= 2
    predictor.model.heads["stance"].bias.data *= 2
    assert fit_temperatures(predictor, articles)["stance"] == pytest.approx(2 * loud["stance"], rel=0.02)


def test_an_epoch_is_worded_by_its_number_and_keeps_its_length(gold_file, tiny_model, strait):
    model, tokenizer = load_model(str(tiny_model))
    articles = read_corpus([str(gold_file)], DEFAULT_SCHEME, {"strait": strait})
    plain = EpochRows(articles, model, tokenizer, Variety(), 1)
    rows = EpochRows(articles, model, tokenizer, Variety(run_in=1.0, source_last=1.0), 1)
    before = list(rows.rows)
    assert before == list(plain.rows)
    rows.set_epoch(0)
    assert list(rows.rows) != before
    rows.set_epoch(1)
    worded, first = rows.rows, list(rows.rows)
    rows.set_epoch(1)
    assert rows.rows is worded  # the Trainer and its loader both set each epoch
    rows.set_epoch(2)
    assert list(rows.rows) != first != before
    rows.set_epoch(1)
    assert list(rows.rows) == first
    assert len(rows) == len(plain) == len(list(rows))
    plain.set_epoch(1)
    assert list(plain.rows) == before


def test_rows_are_grouped_by_the_lengths_that_they_have_in_their_epoch(gold_file, tiny_model, strait):
    model, tokenizer = load_model(str(tiny_model))
    articles = read_corpus([str(gold_file)], DEFAULT_SCHEME, {"strait": strait}) * 5
    rows = EpochRows(articles, model, tokenizer, Variety(run_in=0.5, source_last=1.0, lost_punctuation=0.5), 1)
    for epoch in (0, 1):
        rows.set_epoch(epoch)
        order = list(GroupedByLength(rows, 2))
        assert sorted(order) == list(range(len(rows)))
        for begin in range(0, 40, 10):  # sorted ten by ten; the longest of all goes first, for another
            lengths = [len(rows[n]["input_ids"]) for n in order[begin + 1 : begin + 10]]
            assert lengths == sorted(lengths, reverse=True)


def test_training_groups_the_rows_anew_each_epoch(recipe, tmp_path, monkeypatch):
    seen = []

    def grouped(lengths, batch):
        seen.append((lengths, batch))
        return get_length_grouped_indices(lengths, batch)

    monkeypatch.setattr("whosays.training.rows.get_length_grouped_indices", grouped)
    changes = {"epochs": 2, "variety": {"run_in": 1.0, "source_last": 1.0}}
    train(Recipe.model_validate(recipe.model_dump() | changes), tmp_path / "run")
    (first, batch), (second, _) = seen
    assert batch == 4
    assert first != second
