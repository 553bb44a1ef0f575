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


def rows(count: int, first: int = 0) -> list[dict]:
    """So many articles as rows, with a `place` that one in three lacks."""
    return [
        {"id": f"a{n}", "place": ["land", "sea", None][n % 3], "text": " ".join(TEXTS[: 1 + n % 3] * (1 + n % 4))}
        for n in range(first, first + count)
    ]


def write(path: Path, *lines: str | dict) -> Path:
    """A file of lines as they are, or of rows as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return path


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


def read_jsonl(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def manifest(path: Path) -> dict[str, list]:
    """The lines of a manifest by their kind."""
    found: dict[str, list] = {}
    for line in read_jsonl(path):
        [(kind, body)] = line.items()
        found.setdefault(kind, []).append(body)
    return found


def run(source, output, model, conflict, **options):
    layout = Layout(probabilities=True)
    options = {"part_items": 4, "precision": "fp32", "layout": layout} | options
    return label_files([str(source)], output, model=str(model), conflict=conflict, **options)
