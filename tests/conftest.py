"""Shared fixtures: small real models, and data to run them on."""

import json
import os
from pathlib import Path

# Read when the libraries are imported: no hub, no progress bars among the output under test.
os.environ |= {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}

import pytest
import torch
from hypothesis import settings
from tiny import write_tiny_encoder
from whosays.model.checkpoint import new_model, save_model
from whosays.model.sides import Conflict, Side

settings.register_profile("whosays", deadline=None)  # how long an example takes is the machine's affair
settings.load_profile("whosays")

SIDES = {
    "conflict": "strait",
    "sides": {
        "northland": {"name": "Northland", "aliases": ["Northland", "Northern", "Norden", "President Vasik"]},
        "southland": {"name": "Southland", "aliases": ["Southland", "Southern", "Suden", "Marshal Ruiz"]},
    },
}

ARTICLES = [
    [
        ("Northland said its ships had left the strait.", "northland", "affirm"),
        ("Southland denied the report.", "southland", "deny"),
        ("Residents said they saw no ships.", "other", "affirm"),
        ("Both sides accused each other of piracy.", "both", "accuse"),
        ("The strait is twelve miles wide.", "none", "affirm"),
    ],
    [
        ("Southern fishermen may have crossed the line.", "none", "hedge"),
        ("Marshal Ruiz accused Norden of lying.", "southland", "accuse"),
        ("Norden rejected the charge.", "northland", "deny"),
        ("The United Nations urged restraint.", "other", "neutral"),
        ("Share this article", "none", "neutral"),
    ],
]


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory) -> Path:
    """A folder with a randomly initialised BERT of 2 layers, 32 wide, and a real word-piece tokenizer."""
    folder = tmp_path_factory.mktemp("encoder")
    torch.manual_seed(0)
    write_tiny_encoder(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_model(tiny_encoder, tmp_path_factory) -> Path:
    """A model folder: the tiny encoder with untrained heads."""
    torch.manual_seed(1)
    folder = tmp_path_factory.mktemp("model")
    model, tokenizer = new_model(str(tiny_encoder), max_tokens=128, overlap=32)
    save_model(model, tokenizer, folder)
    return folder


@pytest.fixture
def strait() -> Conflict:
    """An invented conflict of two sides."""
    return Conflict("strait", tuple(Side(k, s["name"], tuple(s["aliases"])) for k, s in SIDES["sides"].items()))


@pytest.fixture
def sides_file(tmp_path) -> Path:
    """`strait` as a sides file."""
    path = tmp_path / "strait.yaml"
    path.write_text(json.dumps(SIDES))  # JSON is YAML
    return path


@pytest.fixture
def gold_file(tmp_path) -> Path:
    """Eight labelled articles on the strait."""
    path = tmp_path / "gold.jsonl"
    rows = [
        {
            "id": f"a{n}",
            "conflict": "strait",
            "sentences": [{"text": t, "side": side, "stance": stance} for t, side, stance in ARTICLES[n % 2]],
        }
        for n in range(8)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path
