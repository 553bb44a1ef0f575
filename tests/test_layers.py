"""The house rule of imports: cli → training → model → configs, and never back."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ORDER = ["configs", "model", "training", "cli"]


@pytest.mark.parametrize("room", ORDER)
def test_imports_go_one_way(room):
    higher = ORDER[ORDER.index(room) + 1 :]
    for path in (ROOT / room).rglob("*.py"):
        for target in re.findall(r"^\s*from \.{2,}(\w+)", path.read_text(encoding="utf-8"), re.MULTILINE):
            assert target not in higher, f"{path} imports from {target}"
