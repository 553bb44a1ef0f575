"""Exports are judged by what they answer: beside the model that they were made from, on articles of every shape."""

import json
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import onnx
import pytest
import torch
from safetensors.torch import load_file
from transformers import BertModel
from whosays.model.article import article_from_sentences
from whosays.model.checkpoint import load_model, model_sha256, new_model, save_model
from whosays.model.errors import InputError, WorkError
from whosays.model.export import compare, export_model, is_free
from whosays.model.labels import Head, Scheme
from whosays.model.onnx import OnnxLabeler
from whosays.model.predictor import Predictor
from whosays.model.sides import Conflict, Side
from whosays.model.windows import article_windows, collate

STRAIT = Conflict("strait", (Side("north", "Northland", ("Northland", "Norden")), Side("south", "Suden", ("Suden",))))
FIVE = Conflict("five", tuple(Side(name.lower(), name, (name,)) for name in ("Asa", "Bora", "Ceto", "Dara", "Ewan")))
SAID = ["Northland said its ships had left.", "Suden denied it.", "Norden and Suden accused each other."]

SHAPES = {
    "one sentence, one mention": [(["Norden left."], STRAIT)],
    "one sentence, no mention": [(["It rained."], STRAIT)],
    "no mention at all": [(["It rained.", "The sea was calm.", "Nobody spoke."], STRAIT)],
    "one side of two": [(["Norden left.", "Norden came back."], STRAIT)],
    "windows with and without a mention together": [(["It rained."], STRAIT), (SAID, STRAIT), (["Fog."], STRAIT)],
    "five sides, some unmentioned": [(["Asa met Bora.", "Dara blamed Asa and Bora."], FIVE)],
    "conflicts of two and five sides together": [(SAID, STRAIT), (["Ewan met Ceto.", "Asa denied it."], FIVE)],
    "windows of full length, more of them than one batch holds": [(SAID * 100, STRAIT), (SAID * 7, STRAIT)],
}


def jobs_of(rows):
    return [(article_from_sentences(str(n), texts), conflict) for n, (texts, conflict) in enumerate(rows)]


@pytest.fixture(scope="module")
def adapted(tiny_encoder, tmp_path_factory):
    """A folder with an adapter whose weights are not those it began with, calibrated, with what training adds."""
    torch.manual_seed(2)
    model, tokenizer = new_model(str(tiny_encoder), lora={"rank": 2, "alpha": 4}, max_tokens=128, overlap=32)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter += torch.randn_like(parameter) * 0.2
    model.config.temperatures = {"side": 1.5, "stance": 0.8}
    folder = tmp_path_factory.mktemp("adapted")
    save_model(model, tokenizer, folder)
    for name in ("recipe.yaml", "metrics.json", "README.md"):
        (folder / name).write_text(f"{name} of the adapter")
    return folder


def test_an_export_is_compared_on_conflicts_whose_sides_the_model_can_tell_from_its_labels(tiny_encoder, tmp_path):
    scheme = Scheme((Head("voice", ("outlet", "north"), points=True),))
    model, tokenizer = new_model(str(tiny_encoder), scheme=scheme, stand_ins=3, max_tokens=128, overlap=32)
    save_model(model, tokenizer, tmp_path / "model")
    jobs = jobs_of([(SAID, STRAIT), (["Asa met Bora, Ceto, Dara and Ewan."], FIVE)])  # more sides than stand-ins
    parity = export_model(str(tmp_path / "model"), tmp_path / "out", "onnx", jobs)
    assert (parity.sentences, parity.agreement) == (2, 1)
    with pytest.raises(InputError, match="no articles to compare"):
        export_model(str(tmp_path / "model"), tmp_path / "out", "merged", jobs[:1])


@pytest.fixture(scope="module")
def exported(adapted, tmp_path_factory):
    """Folders by form."""
    root = tmp_path_factory.mktemp("exports")
    for form in ("merged", "onnx"):
        parity = export_model(str(adapted), root / form, form, jobs_of([(SAID, STRAIT), (SAID[:1], FIVE)]))
        assert parity.sentences == 8  # each article, and all of each conflict as one
        assert parity.agreement == 1
    return {form: root / form for form in ("merged", "onnx")}


@pytest.fixture(scope="module")
def predictors(adapted, exported):
    folders = {"own": adapted, **exported}
    return {name: Predictor.load(str(folder), "fp32") for name, folder in folders.items()}


@pytest.mark.parametrize("rows", SHAPES.values(), ids=SHAPES.keys())
@pytest.mark.parametrize("form", ["merged", "onnx"])
def test_an_export_answers_as_its_model_whatever_the_shape(predictors, form, rows):
    jobs = jobs_of(rows)
    own, other = predictors["own"], predictors[form]
    found = compare(own, other, jobs)
    assert found.sentences == sum(len(texts) for texts, _ in rows)
    assert found.deviation < (1e-6 if form == "merged" else 1e-5)
    assert found.agreement == 1
    for a, b in zip(own.label_all(jobs), other.label_all(jobs), strict=True):
        assert [row.evidence for row in a] == [row.evidence for row in b]


@pytest.mark.slow
@pytest.mark.parametrize("form", ["merged", "onnx"])
def test_attention_pooling_is_exported_too(tiny_encoder, tmp_path, form):
    torch.manual_seed(3)
    model, tokenizer = new_model(str(tiny_encoder), pooling="attention", max_tokens=128, overlap=32)
    with torch.no_grad():
        for focus in model.focus.values():
            focus += torch.randn_like(focus)
    save_model(model, tokenizer, tmp_path / "model")
    parity = export_model(str(tmp_path / "model"), tmp_path / "out", form, jobs_of([(SAID, STRAIT), (SAID[:1], FIVE)]))
    assert parity.deviation < 1e-4


def test_logits_and_pointer_have_the_networks_shapes(adapted, exported):
    network, tokenizer = load_model(str(adapted))
    labeler, _ = load_model(str(exported["onnx"]))
    assert isinstance(labeler, OnnxLabeler)
    jobs = jobs_of(SHAPES["conflicts of two and five sides together"])
    windows, _ = article_windows(jobs, tokenizer, max_tokens=128, overlap=32, anonymous=True)
    tensors = collate(windows, tokenizer.pad_token_id)
    with torch.inference_mode():
        expected, found = network(**tensors), labeler(**tensors)
    torch.testing.assert_close(found.pointer, expected.pointer, atol=1e-4, rtol=0)
    assert found.logits.keys() == expected.logits.keys()
    for head, values in expected.logits.items():
        torch.testing.assert_close(found.logits[head], values, atol=1e-4, rtol=0)


def test_exports_need_no_encoder(adapted, exported, tmp_path):
    for name, folder in {"adapted": adapted, **exported}.items():
        shutil.copytree(folder, tmp_path / name)
        config = json.loads((folder / "config.json").read_text())
        (tmp_path / name / "config.json").write_text(json.dumps(config | {"encoder": "./gone"}))
    with pytest.raises(InputError, match="gone"):
        load_model(str(tmp_path / "adapted"))
    for form in exported:
        assert Predictor.load(str(tmp_path / form)).label(*jobs_of([(SAID, STRAIT)])[0])


def test_a_folder_holds_one_model_and_what_came_with_it(adapted, exported):
    for form, weights in (("merged", "model.safetensors"), ("onnx", "model.onnx")):
        names = {file.name for file in exported[form].iterdir()}
        assert {name for name in names if name.startswith("model")} == {weights}
        assert json.loads((exported[form] / "config.json").read_text())["lora"] is None
        for name in ("recipe.yaml", "metrics.json", "README.md"):
            assert (exported[form] / name).read_text() == (adapted / name).read_text()
    tensors = load_file(exported["merged"] / "model.safetensors")
    assert {tensor.dtype for tensor in tensors.values()} == {torch.float32}
    onnx.checker.check_model(exported["onnx"] / "model.onnx", full_check=True)


def test_the_hash_is_of_the_weights_in_the_folder(exported, tmp_path):
    folder = tmp_path / "m"
    shutil.copytree(exported["onnx"], folder)
    assert model_sha256(str(folder)) == model_sha256(str(exported["onnx"]))
    assert model_sha256(str(folder)) != model_sha256(str(exported["merged"]))
    seen = {model_sha256(str(folder))}
    for name in ("model.onnx", "model.onnx.data", "config.json"):
        with (folder / name).open("ab") as file:
            file.write(b" ")
        seen.add(model_sha256(str(folder)))
    assert len(seen) == 4


def test_an_export_replaces_the_model_that_was_there(adapted, exported, tmp_path):
    folder = tmp_path / "m"
    shutil.copytree(exported["onnx"], folder)
    (folder / "notes.txt").write_text("mine")
    export_model(str(adapted), folder, "merged", jobs_of([(SAID, STRAIT)]))
    assert model_sha256(str(folder)) == model_sha256(str(exported["merged"]))
    assert not (folder / "model.onnx").exists()
    assert (folder / "notes.txt").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


def test_an_export_that_answers_otherwise_is_not_written(adapted, tmp_path, monkeypatch):
    # No two sums are so near: what a wrong export would do, at a tolerance that a right one cannot keep.
    monkeypatch.setattr("whosays.model.export.TOLERANCE", -1.0)
    with pytest.raises(WorkError, match="differ"):
        export_model(str(adapted), tmp_path / "m", "merged", jobs_of([(SAID, STRAIT)]))
    assert not list(tmp_path.iterdir())


@pytest.fixture
def elsewhere(tmp_path):
    """An empty folder on another filesystem."""
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("no other filesystem here")
    with TemporaryDirectory(dir=memory) as folder:
        yield Path(folder)


def test_a_link_to_another_filesystem_is_exported_into(adapted, exported, elsewhere, tmp_path, monkeypatch):
    shutil.copytree(exported["onnx"], elsewhere, dirs_exist_ok=True)
    link = tmp_path / "m"
    link.symlink_to(elsewhere)
    before = sorted(elsewhere.iterdir()), model_sha256(str(link))
    with monkeypatch.context() as patched:
        patched.setattr("whosays.model.export.TOLERANCE", -1.0)
        with pytest.raises(WorkError, match="differ"):
            export_model(str(adapted), link, "merged", jobs_of([(SAID, STRAIT)]))
    assert (sorted(elsewhere.iterdir()), model_sha256(str(link))) == before
    export_model(str(adapted), link, "merged", jobs_of([(SAID, STRAIT)]))
    assert model_sha256(str(link)) == model_sha256(str(exported["merged"]))
    assert {file.name for file in elsewhere.iterdir()} == {file.name for file in exported["merged"].iterdir()}
    assert [path.name for path in tmp_path.iterdir()] == ["m"]
    assert link.is_symlink()


def test_an_export_that_was_killed_can_be_repeated(adapted, tmp_path):
    output = tmp_path / "new" / "m"

    def kill(doing):
        if doing == "comparing":  # no more is cleared away then, as if by SIGKILL
            [made] = filter(Path.is_dir, output.iterdir())
            shutil.copytree(made, output / f"{made.name}x")
            raise KeyboardInterrupt

    assert is_free(output)
    with pytest.raises(KeyboardInterrupt):
        export_model(str(adapted), output, "merged", jobs_of([(SAID, STRAIT)]), kill)
    [left] = output.iterdir()
    assert (left / "model.safetensors").is_file()
    assert is_free(output)
    export_model(str(adapted), output, "merged", jobs_of([(SAID, STRAIT)]))
    assert load_model(str(output))
    assert not left.exists()
    assert not is_free(output)


def test_a_second_export_into_a_folder_is_refused_while_one_is_at_work(adapted, exported, tmp_path):
    output, jobs, refused = tmp_path / "m", jobs_of([(SAID, STRAIT)]), []

    def again(doing):
        if doing == "comparing":
            with pytest.raises(InputError, match="m: another export is writing it; wait for that one to end"):
                export_model(str(adapted), output, "merged", jobs)
            refused.append(doing)

    export_model(str(adapted), output, "merged", jobs, again)
    assert refused
    assert model_sha256(str(output)) == model_sha256(str(exported["merged"]))
    assert {file.name for file in output.iterdir()} == {file.name for file in exported["merged"].iterdir()}


def test_over_an_encoder_in_bfloat16_too(tiny_encoder, tmp_path):
    torch.manual_seed(4)
    encoder = Path(shutil.copytree(tiny_encoder, tmp_path / "encoder"))
    BertModel.from_pretrained(encoder, dtype=torch.bfloat16).save_pretrained(encoder)
    model, tokenizer = new_model(str(encoder), lora={"rank": 2, "alpha": 4}, max_tokens=128, overlap=32)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if ".lora_" in name:
                parameter += torch.randn_like(parameter) * 0.2
    save_model(model, tokenizer, tmp_path / "model")
    parity = export_model(str(tmp_path / "model"), tmp_path / "out", "merged", jobs_of([(SAID, STRAIT)]))
    assert parity.deviation < 1e-6


def test_what_cannot_be_exported_is_said(adapted, exported, tmp_path):
    jobs = jobs_of([(SAID, STRAIT)])
    with pytest.raises(InputError, match="elsewhere"):
        export_model(str(adapted), adapted / ".." / adapted.name, "merged", jobs)
    with pytest.raises(InputError, match="already"):
        export_model(str(exported["onnx"]), tmp_path / "m", "merged", jobs)
    with pytest.raises(InputError, match="no articles"):
        export_model(str(adapted), tmp_path / "m", "onnx", [])
    assert not list(tmp_path.iterdir())
    assert load_model(str(adapted))


def test_only_a_models_folder_or_an_empty_one_is_written_into(adapted, tmp_path, monkeypatch):
    jobs = jobs_of([(SAID, STRAIT)])
    project, empty = tmp_path / "default", tmp_path / "empty"  # called as a packaged model is, which it is not
    for folder in (project, empty):
        folder.mkdir()
    (project / "README.md").write_text("mine")
    monkeypatch.chdir(tmp_path)
    for output in (project, Path("default"), project / "README.md"):
        with pytest.raises(InputError, match=r"give a .*folder") as error:
            export_model(str(adapted), output, "merged", jobs)
        assert str(error.value).startswith(f"{output}: ")
    assert [file.name for file in project.iterdir()] == ["README.md"]
    assert (project / "README.md").read_text() == "mine"
    export_model(str(adapted), empty, "merged", jobs)
    assert load_model(str(empty))


def test_bfloat16_is_refused_for_onnx(exported):
    with pytest.raises(InputError, match="bf16"):
        Predictor.load(str(exported["onnx"]), "bf16")
    assert not Predictor.load(str(exported["onnx"]), "auto").bf16


@pytest.mark.parametrize("damage", ["cut", "empty", "another network"])
def test_a_damaged_onnx_folder_is_one_line(exported, tmp_path, damage):
    folder = tmp_path / "m"
    shutil.copytree(exported["onnx"], folder)
    file = folder / "model.onnx"
    if damage == "another network":
        config = json.loads((folder / "config.json").read_text())
        config["scheme"]["tone"] = {"labels": ["calm", "angry"], "points": False}
        (folder / "config.json").write_text(json.dumps(config))
    else:
        file.write_bytes(file.read_bytes()[: 1000 if damage == "cut" else 0])
    with pytest.raises(InputError, match="damaged") as error:
        load_model(str(folder))
    assert str(folder) in str(error.value)
    assert "\n" not in str(error.value)
