import hashlib
import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    BertConfig,
    BertModel,
    BertweetTokenizer,
    ElectraConfig,
    ElectraModel,
    GPT2Config,
    GPT2Model,
    MPNetConfig,
    MPNetModel,
    RobertaConfig,
    RobertaModel,
)
from whosays.model.article import article_from_sentences
from whosays.model.checkpoint import begin_with, load_model, model_sha256, new_model, save_model
from whosays.model.encoders import encoder_sha256, encoder_source
from whosays.model.errors import InputError, WorkError
from whosays.model.labels import DEFAULT_SCHEME, Head, Scheme
from whosays.model.predictor import Predictor

ADAPTED = {"lora": {"rank": 2, "alpha": 4}, "max_tokens": 64, "overlap": 16}


def change_a_weight(file):
    weights = load_file(file)
    name = next(iter(weights))
    save_file(weights | {name: weights[name] + 1}, file, metadata={"format": "pt"})


@pytest.fixture
def encoder(tiny_encoder, tmp_path):
    """A copy of the tiny encoder, to be changed."""
    return Path(shutil.copytree(tiny_encoder, tmp_path / "encoder"))


def test_an_adapter_folder_holds_only_what_was_trained(tiny_encoder, tmp_path):
    model, tokenizer = new_model(str(tiny_encoder), lora={"rank": 2, "alpha": 4}, max_tokens=64)
    save_model(model, tokenizer, tmp_path)
    names = set(load_file(tmp_path / "model.safetensors"))
    assert any("lora_A" in name for name in names)
    assert not any("word_embeddings" in name or "pooler" in name for name in names)
    assert {"mention", "pointer.query.weight", "heads.side.weight", "heads.stance.bias"} <= names


@pytest.mark.parametrize("frozen", [0, 1])
def test_a_loaded_adapter_is_merged_as_peft_merges_it(tiny_encoder, tmp_path, frozen):
    lora = {"rank": 2, "alpha": 4, "frozen": frozen}
    model, tokenizer = new_model(str(tiny_encoder), lora=lora, max_tokens=64)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:  # which begins at zero
            torch.nn.init.normal_(parameter)
    save_model(model, tokenizer, tmp_path)
    loaded, _ = load_model(str(tmp_path))
    expected = model.encoder.merge_and_unload().state_dict()
    found = loaded.encoder.state_dict()
    assert set(found) == set(expected)
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_an_adapter_with_nothing_to_adapt_is_refused(encoder):
    lora = {"rank": 2, "alpha": 4}
    with pytest.raises(InputError, match=r"^lora.frozen: 9 leaves no layer of encoder '"):
        new_model(str(encoder), lora={**lora, "frozen": 9}, max_tokens=64)
    words = BertConfig.from_pretrained(encoder).vocab_size
    GPT2Model(GPT2Config(vocab_size=words, n_embd=8, n_layer=1, n_head=2, n_positions=64)).save_pretrained(encoder)
    with pytest.raises(InputError, match=r"^lora: encoder '.*' has no linear maps .*; give lora: null$"):
        new_model(str(encoder), lora=lora, max_tokens=64)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_an_encoder_kept_in_half_precision_is_computed_in_float32(encoder, tmp_path, strait, dtype):
    BertModel.from_pretrained(encoder, dtype=dtype).save_pretrained(encoder)
    assert json.loads((encoder / "config.json").read_text())["dtype"] == str(dtype).removeprefix("torch.")
    model, tokenizer = new_model(str(encoder), max_tokens=64, overlap=16)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += torch.randn_like(parameter) / 100  # what half precision would round
    save_model(model, tokenizer, tmp_path / "m")
    loaded, _ = load_model(str(tmp_path / "m"))
    found = loaded.state_dict()
    assert all(torch.equal(found[name], tensor) for name, tensor in model.state_dict().items())
    assert {tensor.dtype for tensor in loaded.parameters()} == {torch.float32}
    article = article_from_sentences("a", ["Norden denied it.", "Suden did not."])
    assert len(Predictor.load(str(tmp_path / "m"), "fp32").label(article, strait)) == 2


def test_an_encoder_that_differs_is_refused(encoder, tmp_path):
    model, tokenizer = new_model(str(encoder), **ADAPTED)
    assert model.config.encoder_sha256 == hashlib.sha256((encoder / "model.safetensors").read_bytes()).hexdigest()
    save_model(model, tokenizer, tmp_path / "m")
    change_a_weight(encoder / "model.safetensors")
    with pytest.raises(InputError, match=rf"SHA-256 .*, found .* in {encoder}; install"):
        load_model(str(tmp_path / "m"))
    (encoder / "model.safetensors").unlink()
    with pytest.raises(InputError, match=rf"SHA-256 .*, found no weights in {encoder}; install"):
        load_model(str(tmp_path / "m"))


def test_an_encoder_in_shards_that_differs_is_refused(encoder, tmp_path):
    network = BertModel.from_pretrained(encoder)
    (encoder / "model.safetensors").unlink()
    network.save_pretrained(encoder, max_shard_size="100KB")
    *_, last = sorted(encoder.glob("*.safetensors"))
    assert not (encoder / "model.safetensors").exists()
    model, tokenizer = new_model(str(encoder), **ADAPTED)
    save_model(model, tokenizer, tmp_path / "m")
    assert load_model(str(tmp_path / "m"))
    change_a_weight(last)
    with pytest.raises(InputError, match="SHA-256"):
        load_model(str(tmp_path / "m"))


def test_an_encoder_of_the_hub_that_differs_is_refused(tiny_encoder, tmp_path, monkeypatch):
    commit, kept = "0123456789" * 4, tmp_path / "models--some-org--tiny"
    shutil.copytree(tiny_encoder, kept / "snapshots" / commit)
    (kept / "refs").mkdir()
    (kept / "refs" / "main").write_text(commit)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    model, tokenizer = new_model("some-org/tiny", **ADAPTED)
    assert model.config.encoder_sha256 == encoder_sha256(str(tiny_encoder)) != ""
    save_model(model, tokenizer, tmp_path / "m")
    assert load_model(str(tmp_path / "m"))
    change_a_weight(kept / "snapshots" / commit / "model.safetensors")
    with pytest.raises(InputError, match=r"SHA-256 .* in some-org/tiny; install"):
        load_model(str(tmp_path / "m"))


def test_a_joined_encoder_that_differs_is_to_be_deleted(tiny_encoder, tmp_path, monkeypatch):
    kept = tmp_path / "whosays" / "all-mpnet-base-v2"
    shutil.copytree(tiny_encoder, kept)
    (kept / "special_tokens_map.json").write_text("{}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    save_model(*new_model("mpnet", **ADAPTED), tmp_path / "m")
    assert load_model(str(tmp_path / "m"))
    with (kept / "model.safetensors").open("r+b") as file:
        file.truncate(1000)
    with pytest.raises(InputError, match=rf"SHA-256 .* in {kept}; delete that folder"):
        load_model(str(tmp_path / "m"))


@pytest.mark.parametrize(
    ("place", "fault"),
    [
        ("SentenceLabeler", RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: 9 bytes")),
        ("load_file", MemoryError()),
        ("AutoTokenizer.from_pretrained", MemoryError()),
    ],
)
def test_a_lack_of_memory_is_not_called_a_damaged_model(tiny_model, monkeypatch, place, fault):
    def full(*_, **__):
        raise fault

    monkeypatch.setattr(f"whosays.model.checkpoint.{place}", full)
    with pytest.raises(WorkError, match=f"{tiny_model}: memory ran out"):
        load_model(str(tiny_model))


@pytest.mark.parametrize("damage", ["missing", "no config", "other kind", "no weights", "cut weights", "other weights"])
def test_what_is_no_model_folder_is_said(tiny_model, tmp_path, damage):
    folder = tmp_path / "m"
    if damage != "missing":
        shutil.copytree(tiny_model, folder)
    config, weights = folder / "config.json", folder / "model.safetensors"
    if damage == "no config":
        config.unlink()
    elif damage == "other kind":
        config.write_text(json.dumps({"model_type": "bert"}))
    elif damage == "no weights":
        weights.unlink()
    elif damage == "cut weights":
        weights.write_bytes(weights.read_bytes()[:1000])
    elif damage == "other weights":
        save_file({"x": load_file(weights)["mention"]}, weights)
    with pytest.raises(InputError) as error:
        load_model(str(folder))
    assert str(folder) in str(error.value)
    assert "\n" not in str(error.value)


def test_encoders_are_found_by_name_folder_or_hub_id(tiny_encoder, tmp_path):
    assert encoder_source(str(tiny_encoder)) == str(tiny_encoder)
    assert encoder_source("some-org/some-model") == "some-org/some-model"
    assert encoder_source("minilm")
    for bad in (str(tmp_path), "./nowhere", "no/such/folder", "/no/where", ""):
        with pytest.raises(InputError, match="encoder"):
            encoder_source(bad)


def test_a_hub_that_is_not_reached_is_one_line():
    with pytest.raises(InputError, match="cannot be loaded") as error:
        new_model("no-such-org/no-such-model")
    assert "\n" not in str(error.value)


def test_more_tokens_than_the_encoder_reads(tiny_encoder):
    with pytest.raises(InputError, match="max_tokens"):
        new_model(str(tiny_encoder), max_tokens=1024)


@pytest.mark.parametrize(("kind", "settings"), [(RobertaModel, RobertaConfig), (MPNetModel, MPNetConfig)])
def test_encoders_that_count_from_behind_padding_read_fewer_tokens(tiny_encoder, encoder, kind, settings):
    size = json.loads((tiny_encoder / "config.json").read_text())["vocab_size"]
    narrow = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 4, "intermediate_size": 64}
    kind(settings(vocab_size=size, max_position_embeddings=66, **narrow)).save_pretrained(encoder)
    with pytest.raises(InputError, match="max_tokens: 65 is more than the 64 that"):
        new_model(str(encoder), max_tokens=65, overlap=16)
    model, _ = new_model(str(encoder), max_tokens=64, overlap=16)
    assert model.encoder(inputs_embeds=torch.zeros(1, 64, 32)).last_hidden_state.shape == (1, 64, 32)


@pytest.fixture
def encoder_alone(tiny_encoder, tmp_path):
    """An encoder's folder without a tokenizer."""
    folder = tmp_path / "encoder"
    folder.mkdir()
    for name in ("config.json", "model.safetensors"):
        shutil.copyfile(tiny_encoder / name, folder / name)
    return folder


def test_an_encoder_without_a_tokenizer_is_refused(encoder_alone):
    with pytest.raises(InputError, match=r"encoder '.*encoder': its tokenizer knows no words"):
        new_model(str(encoder_alone), max_tokens=64)


def test_an_encoder_with_a_decoder_is_refused(encoder):
    config = {"model_type": "bart", "d_model": 32, "vocab_size": 30522}
    (encoder / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match="has a decoder too"):
        new_model(str(encoder), max_tokens=64)


@pytest.mark.parametrize("stand_ins", [1, 3])
def test_an_encoder_may_be_wider_than_its_word_vectors(encoder, tmp_path, strait, stand_ins):
    size = json.loads((encoder / "config.json").read_text())["vocab_size"]
    narrow = {"embedding_size": 16, "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 4}
    ElectraModel(ElectraConfig(vocab_size=size, intermediate_size=64, **narrow)).save_pretrained(encoder)
    model, tokenizer = new_model(str(encoder), stand_ins=stand_ins, max_tokens=64, overlap=16)
    save_model(model, tokenizer, tmp_path / "model")
    [row] = Predictor.load(str(tmp_path / "model")).label(article_from_sentences("a", ["Norden left."]), strait)
    assert sum(row.probabilities["side"].values()) == pytest.approx(1)


def test_an_adapter_finds_its_encoder_from_everywhere_and_says_where_it_was(encoder, tmp_path, monkeypatch):
    monkeypatch.chdir(encoder.parent)
    save_model(*new_model("encoder", **ADAPTED), tmp_path / "model")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    load_model("../model")
    encoder.rename(tmp_path / "gone")
    with pytest.raises(InputError, match=r"trained over the encoder in /.*/encoder, which is not there; .*merged"):
        load_model("../model")


def test_heads_keep_their_order(tiny_encoder, tmp_path):
    scheme = Scheme((Head("voice", ("outlet", "third"), True), Head("topic", ("war", "talks"))))
    save_model(*new_model(str(tiny_encoder), scheme=scheme, max_tokens=64, overlap=16), tmp_path / "model")
    model, _ = load_model(str(tmp_path / "model"))
    assert model.scheme == scheme


def test_a_tokenizer_without_offsets_is_refused(encoder_alone, tmp_path):
    vocabulary, merges = tmp_path / "vocab.txt", tmp_path / "bpe.codes"
    vocabulary.write_text("co@@ 1\nuntry 1\n")
    merges.write_text("u n 1\n")
    BertweetTokenizer(str(vocabulary), str(merges)).save_pretrained(encoder_alone)
    with pytest.raises(InputError, match=r"encoder '.*encoder': BertweetTokenizer .* fast tokenizer"):
        new_model(str(encoder_alone), max_tokens=64)


@pytest.mark.parametrize(
    "files",
    [
        {"tokenizer_config.json": '{"tokenizer_class": "NobodysTokenizer"}'},
        {"tokenizer.json": '{"model": 1}', "tokenizer_config.json": '{"tokenizer_class": "BertTokenizer"}'},
        {"tokenizer.json": "not JSON"},
    ],
    ids=["unknown class", "unknown form", "no JSON"],
)
def test_a_tokenizer_that_cannot_be_loaded_is_one_line(encoder_alone, files):
    for name, text in files.items():
        (encoder_alone / name).write_text(text)
    with pytest.raises(InputError, match=r"encoder '.*encoder': its tokenizer cannot be loaded") as error:
        new_model(str(encoder_alone), max_tokens=64)
    assert "\n" not in str(error.value)


def test_a_full_cache_is_not_called_a_damaged_model(tiny_encoder, tmp_path, monkeypatch):
    model, tokenizer = new_model(str(tiny_encoder), lora={"rank": 2, "alpha": 4}, max_tokens=64)
    save_model(model, tokenizer, tmp_path / "m")
    config = json.loads((tmp_path / "m" / "config.json").read_text())
    (tmp_path / "m" / "config.json").write_text(json.dumps(config | {"encoder": "mpnet"}))

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("whosays.model.encoders._installed_parts", list)
    monkeypatch.setattr("whosays.model.encoders.join_parts", full)
    with pytest.raises(WorkError, match=r"cache/whosays.*No space left.*XDG_CACHE_HOME"):
        load_model(str(tmp_path / "m"))


def test_a_models_hash_changes_with_any_file_that_its_answers_depend_on(tiny_model, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(tiny_model, folder)
    known = {model_sha256(str(folder))}
    for name in ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"):
        with (folder / name).open("ab") as file:
            file.write(b"\n")
        known.add(model_sha256(str(folder)))
    assert len(known) == 5


def filled_model(encoder, folder, **settings):
    """A model of which every trained weight has a value of its own, saved to a folder."""
    model, tokenizer = new_model(str(encoder), **ADAPTED | settings)
    for parameter in model.parameters():
        if parameter.requires_grad:
            torch.nn.init.normal_(parameter, std=0.1)
    save_model(model, tokenizer, folder)
    return model


@pytest.mark.parametrize("lora", [{"rank": 2, "alpha": 4}, {"rank": 2, "alpha": 4, "frozen": 1}, None])
@pytest.mark.parametrize("pooling", ["mean", "attention"])
def test_a_model_begins_with_every_weight_of_another(tiny_encoder, tmp_path, lora, pooling):
    start = filled_model(tiny_encoder, tmp_path, lora=lora, pooling=pooling)
    model, _ = new_model(str(tiny_encoder), **ADAPTED | {"lora": lora, "pooling": pooling})
    begin_with(model, str(tmp_path))
    assert all(torch.equal(weight, model.state_dict()[name]) for name, weight in start.state_dict().items())


def test_a_model_with_attention_begins_as_the_mean_that_its_start_had(tiny_encoder, tmp_path, strait):
    article = article_from_sentences("a", ["Norden spoke.", "Suden denied it.", "Night fell."])
    filled_model(tiny_encoder, tmp_path)
    model, tokenizer = new_model(str(tiny_encoder), **ADAPTED, pooling="attention")
    begin_with(model, str(tmp_path))
    model.eval()
    rows = Predictor(model, tokenizer, precision="fp32").label(article, strait)
    for row, other in zip(rows, Predictor.load(str(tmp_path), "fp32").label(article, strait), strict=True):
        for head, chances in row.probabilities.items():
            assert chances == pytest.approx(other.probabilities[head], abs=1e-5)


def test_labels_are_begun_with_by_name_and_new_ones_untrained(tiny_encoder, tmp_path, caplog):
    caplog.set_level("INFO")
    side, stance = DEFAULT_SCHEME.heads
    start = filled_model(tiny_encoder, tmp_path, pooling="attention").state_dict()
    labels = ("unclear", *stance.labels[::-1])
    scheme = Scheme((side, Head("stance", labels), Head("tone", ("calm", "angry"))))
    model, _ = new_model(str(tiny_encoder), **ADAPTED, pooling="attention", scheme=scheme)
    untrained = {name: weight.clone() for name, weight in model.state_dict().items()}
    begin_with(model, str(tmp_path))
    for name, weight in model.state_dict().items():
        if name.startswith("heads.stance"):
            assert torch.equal(weight[0], untrained[name][0])
            assert torch.equal(weight[1:], start[name].flip(0))
        else:
            assert torch.equal(weight, untrained[name] if "tone" in name else start[name]), name
    assert "does not know unclear of 'stance', which begin untrained" in caplog.text
    assert "does not know calm, angry of 'tone', which begin untrained" in caplog.text
    assert "'side'" not in caplog.text


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"lora": {"rank": 4, "alpha": 4}},
            r"has lora \{'alpha': 4, 'rank': 2\}, the recipe \{.*'rank': 4",
        ),
        ({"stand_ins": 0}, "has stand_ins 1, the recipe 0"),
        ({"pointer_size": 16}, "has pointer_size 128, the recipe 16"),
        ({"pooling": "mean"}, "has pooling attention, the recipe mean"),
    ],
)
def test_a_start_that_is_built_otherwise_is_refused(tiny_encoder, tmp_path, changes, message):
    filled_model(tiny_encoder, tmp_path, pooling="attention")
    model, _ = new_model(str(tiny_encoder), **ADAPTED | {"pooling": "attention"} | changes)
    with pytest.raises(InputError, match=message):
        begin_with(model, str(tmp_path))


def test_a_start_over_another_encoder_or_with_weights_missing_is_refused(encoder, tmp_path):
    filled_model(encoder, tmp_path / "run")
    change_a_weight(encoder / "model.safetensors")
    model, _ = new_model(str(encoder), **ADAPTED)
    with pytest.raises(InputError, match="is made over an encoder with SHA-256"):
        begin_with(model, str(tmp_path / "run"))
    filled_model(encoder, tmp_path / "other")
    weights = load_file(tmp_path / "other" / "model.safetensors")
    del weights["heads.side.bias"]
    save_file(weights, tmp_path / "other" / "model.safetensors")
    with pytest.raises(InputError, match=r"the model folder is damaged: 'heads\.side\.bias'"):
        begin_with(model, str(tmp_path / "other"))
