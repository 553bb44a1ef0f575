"""Batch runs for tests: articles to label, a run over them, and what it wrote."""

import json
from pathlib import Path

from whosays.model.batch.layout import Layout
from whosays.model.batch.run import label_files

TEXTS = [
    "Northland said its ships had left the strait. Southland denied the report.",
    "Residents said they saw no ships. Marshal Ruiz accused Norden of lying. “No,” said Suden.",
    "The strait is twelve miles wide.",
]


def write_articles(path: Path, count: int) -> Path:
    """So many articles of different lengths, and a line in the middle that is none."""
    lines = [json.dumps({"id": f"a{n}", "text": " ".join(TEXTS[: 1 + n % 3] * (1 + n % 5))}) for n in range(count)]
    lines.insert(count // 2, '{"id": "broken"')
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def run(source, output, model, conflict, **options):
    layout = Layout(probabilities=True)
    options = {"part_items": 4, "precision": "fp32", "layout": layout} | options
    return label_files([str(source)], output, model=str(model), conflict=conflict, **options)
