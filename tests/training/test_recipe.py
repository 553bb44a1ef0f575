import pytest
from hypothesis import given
from hypothesis import strategies as st
from whosays.configs import packaged_names
from whosays.model.errors import InputError
from whosays.model.labels import DEFAULT_SCHEME
from whosays.training.recipe import Recipe, dump_recipe, load_recipe, recipe_articles


def test_every_packaged_recipe_loads():
    assert "default" in packaged_names("recipes")
    for name in packaged_names("recipes"):
        assert load_recipe(name).encoder


@given(
    st.builds(
        Recipe,
        epochs=st.integers(1, 50),
        encoder_lr=st.floats(1e-6, 1),
        lora=st.none() | st.fixed_dictionaries({"rank": st.integers(1, 64)}),
        overlap=st.integers(0, 100),
        stand_ins=st.integers(0, 8),
        start=st.none() | st.just("default"),
    )
)
def test_what_was_dumped_loads_back(tmp_path_factory, recipe):
    path = tmp_path_factory.mktemp("recipe") / "r.yaml"
    path.write_text(dump_recipe(recipe))
    assert load_recipe(str(path)) == recipe


def test_changes_are_yaml_values_and_reach_inside():
    recipe = load_recipe("default", ["lora.rank=4", "epochs=2", "train=[a.jsonl]", "dev=[b.jsonl]", "stand_ins=0"])
    assert (recipe.lora.rank, recipe.epochs, recipe.train, recipe.stand_ins) == (4, 2, ["a.jsonl"], 0)
    assert load_recipe("default", ["lora=null"]).lora is None
    assert load_recipe("default", ["lora=null", "lora.rank=8"]).lora.rank == 8


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        ("epoch=3", ["--set 'epoch=3': epoch: unknown key; did you mean 'epochs'?"]),
        ("epochs=0", ["epochs", "0"]),
        ("encoder_lr=-1", ["encoder_lr", "-1"]),
        ("dropout=1.5", ["dropout"]),
        ("precision=int8", ["precision", "int8"]),
        ("overlap=600", ["overlap", "600"]),
        ("train=a.jsonl", ["--set 'train=a.jsonl': train: must be a list; write it as [a, b]"]),
        ("lora.rnk=8", ["--set 'lora.rnk=8': lora.rnk: unknown key; remove it"]),
        ("lora.rank=0", ["lora.rank"]),
        ("max_tokens=64", ["--set 'max_tokens=64': overlap must be below max_tokens, got 128 and 64"]),
        ("train=[a.jsonl]", ["--set 'train=[a.jsonl]': train and dev go together"]),
        ("variety.source_last=0.9", ["--set 'variety.source_last=0.9': variety", "quotation_first", "0.9 and 0.15"]),
        ("scheme={}", ["--set 'scheme={}': scheme: heads", "one at least"]),
        ("scheme={tone: [calm, angry]}", ["scheme: needs", "labels"]),
        ("scheme={tone: {labels: [calm]}}", ["scheme: head 'tone'", "two or more"]),
        ("epochs", ["key=value"]),
        ("epochs=[", ["YAML"]),
    ],
)
def test_bad_values_name_the_field_the_value_and_the_fix(change, parts):
    with pytest.raises(InputError) as error:
        load_recipe("default", [change])
    assert "\n" not in str(error.value)
    for part in parts:
        assert part in str(error.value)


def test_of_several_changes_the_last_is_named():
    with pytest.raises(InputError, match=r"^--set .epochs=0.: epochs"):
        load_recipe("default", ["epochs=5", "epochs=0"])


@pytest.mark.parametrize(
    ("changes", "start"),
    [
        (["a:b=1"], "--set 'a:b=1': a:b: unknown key"),
        (["overlap=64", "max_tokens=0", "dev=[must]", "Input=1"], "--set 'Input=1': Input: unknown key"),
        (["epochs=x", "max_tokens=0"], "--set 'max_tokens=0': max_tokens: "),
        (["lora.rank=0", "lora.alpha=8"], "--set 'lora.rank=0': lora.rank: "),
        (
            ["variety.run_in=0", "variety.source_last=1"],
            "--set 'variety.run_in=0' --set 'variety.source_last=1': variety",
        ),
        (["scheme.tone.labels=[a, b]", "scheme.tone.points='no'", "seed=1"], "--set 'scheme.tone.labels=[a, b]' --set"),
        (
            ["epochs=2", "overlap=600"],
            "recipe default.yaml --set 'epochs=2' --set 'overlap=600': overlap must be below",
        ),
    ],
)
def test_the_change_at_fault_is_told_by_where_the_fault_is(changes, start):
    with pytest.raises(InputError) as error:
        load_recipe("default", changes)
    assert str(error.value).startswith(start)


def test_a_fault_of_the_file_is_no_changes(tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text("epochs: 0\n")
    with pytest.raises(InputError, match=r"^recipe own\.yaml: epochs: "):
        load_recipe(str(path), ["seed=1"])


def test_a_missing_recipe_names_the_known_ones():
    with pytest.raises(InputError, match="default"):
        load_recipe("nothing.yaml")


def test_own_articles_may_come_beside_the_packaged_ones(gold_file, sides_file):
    changes = [f"train=[packaged, {gold_file}]", "dev=[packaged]", f"sides=[{sides_file}]"]
    recipe = load_recipe("default", changes)
    both = recipe_articles(recipe, DEFAULT_SCHEME, ["train"])
    packaged = recipe_articles(load_recipe("default"), DEFAULT_SCHEME, ["train"])
    assert len(both) == len(packaged) + 8
    assert [item.conflict.name for item in both[-2:]] == ["strait", "strait"]
    assert len(recipe_articles(recipe, DEFAULT_SCHEME, ["dev"])) == len(
        recipe_articles(load_recipe("default"), DEFAULT_SCHEME, ["dev"])
    )
