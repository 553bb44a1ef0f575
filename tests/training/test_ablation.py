"""The ablation script: its variants are recipes, and its data what it says."""

import pytest
from ablation import BASE, VARIANTS, alone, packaged_rows, share, table
from whosays.training.recipe import load_recipe


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)
def test_every_variant_is_a_recipe(variant):
    recipe = load_recipe("default", [*BASE, *variant.changes])
    assert not recipe.taught
    assert bool(variant.changes) == (recipe != load_recipe("default", BASE))


def test_a_share_is_of_the_part_asked_for_and_the_same_each_time():
    rows = packaged_rows("train")
    whole = sum(len(row["sentences"]) for row in rows)
    for part in ("", "real", "written"):
        taken = share(rows, part)
        assert taken == share(rows, part)
        assert {row["part"] for row in taken} == ({part} if part else {"real", "written"})
        assert sum(len(row["sentences"]) for row in taken) == pytest.approx(whole / 10, rel=0.02)
    assert [len(row["sentences"]) for row in alone(rows[:2])] == [1] * sum(len(row["sentences"]) for row in rows[:2])


def test_the_table_has_mean_and_deviation_of_what_ran_more_than_once():
    runs = [{"variant": "no dropout", "seed": seed, "side": 0.5 + seed / 10, "stance": 0.7} for seed in (1, 2, 3)]
    once = {"variant": "no variety", "seed": 1, "side": 0.5, "stance": 0.5}
    assert table([*runs, once]).splitlines()[2:] == ["| no dropout | 0.700 ± 0.100 | 0.700 ± 0.000 |"]
