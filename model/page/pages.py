"""Labelled articles as HTML that needs nothing but a browser: no network, no script, readable in grey and in the dark.

One article is one page. Several are pages in a folder, and an index that shows the voices of each at a glance.
"""

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment

from ..files.templates import environment
from ..files.writing import write_text
from ..predictor import Job, Prediction
from ..sides import fold
from .view import ArticleView, Cell, Table, Voice, article_view, totals

PER_LIST = 500
"""Articles on one page of the index: many more make a browser slow."""
_LONGEST_NAME = 60
_OUR_PAGES = re.compile(r"(\d{4,}(-[\w.-]+)?|index-\d+)\.html", re.ASCII)
# A name may be anybody's: a page of ours says so too, near its beginning (`base.html.j2`).
_OUR_MARK = b'<meta name="generator" content="whosays">'
_MARKED_WITHIN = 200


@dataclass(frozen=True)
class Entry:
    """An article in the index: its place from 1, its page's file name, and what shows of it at a glance.

    `opening` is its first sentence where no headline gives the title.
    """

    number: int
    file: str
    id: str
    title: str
    opening: str
    sentences: int
    lanes: tuple[Voice, ...]
    runs: tuple[Cell, ...]
    shares: tuple[tuple[Voice, float], ...]


@dataclass
class Sums:
    """What all articles add up to. They have one table if they have one legend, that is, one conflict."""

    articles: int = 0
    sentences: int = 0
    counts: Counter[tuple[str, str | None]] = field(default_factory=Counter)
    legends: set[tuple[tuple[str, ...], tuple[Voice, ...], tuple[str, ...]]] = field(default_factory=set)

    def add(self, view: ArticleView) -> None:
        """Count one more article."""
        self.articles += 1
        self.sentences += len(view.cells)
        self.counts.update(view.counts)
        if len(self.legends) < 2:
            self.legends.add((view.heads, view.voices, view.stances))

    @property
    def table(self) -> Table | None:
        """The totals by voice and stance, None if the articles are on several conflicts."""
        return totals(*next(iter(self.legends)), self.counts) if len(self.legends) == 1 else None


def pages_folder(path: Path) -> Path:
    """Where the pages of several articles go whose index is at `path`, which ends in .html."""
    return path.with_name(f"{path.name.removesuffix('.html')}_pages")


def write_pages(labelled: Iterable[Sequence[Prediction]], path: Path, jobs: Iterable[Job] | None = None) -> int:
    """Write labelled articles, none of them empty, as HTML at `path`. Returns how many there were.

    One article is the page itself. Several are pages in `pages_folder(path)`, and `path` is their index. They are
    written as they come, so memory does not grow with their number; `path` comes last, and every file appears only
    whole. Pages of an earlier call that are not written again go. No articles, no file.

    The first head's label colours a sentence and the second's marks it. `jobs`, the same articles in the same order,
    gives the sides' names, titles (a column `title`) and paragraphs. Without it sides go by their keys, and a gap of
    two or more characters between sentences is taken for a paragraph's end. Raises `ValueError` if the two differ.
    """
    views = _views(labelled, jobs)
    folder = pages_folder(path)
    first, second = next(views, None), next(views, None)
    if first is None:
        return 0
    if second is None:
        _write(path, "article.html.j2", {"article": first, "back": None})
        _remove(folder, _pages_in(folder))
        return 1
    return _write_index(chain([first, second], views), path, folder)


def _views(labelled: Iterable[Sequence[Prediction]], jobs: Iterable[Job] | None) -> Iterator[ArticleView]:
    if jobs is None:
        yield from map(article_view, labelled)
        return
    for predictions, job in zip(labelled, jobs, strict=True):
        if predictions[0].article_id != job[0].id:
            raise ValueError(f"jobs: '{job[0].id}' stands where article '{predictions[0].article_id}' was labelled")
        yield article_view(predictions, job)


def _pages_in(folder: Path) -> set[str]:
    """The names of the pages that earlier calls wrote into a folder, which need not be there."""
    return {page.name for page in folder.glob("*.html") if _is_ours(page)}


def _is_ours(page: Path) -> bool:
    if not (_OUR_PAGES.fullmatch(page.name) and page.is_file()):
        return False
    with page.open("rb") as file:
        return _OUR_MARK in file.read(_MARKED_WITHIN)


def _remove(folder: Path, pages: set[str]) -> None:
    """Remove pages, and the folder if nothing is left in it then."""
    for name in pages:
        (folder / name).unlink()
    if pages and not any(folder.iterdir()):
        folder.rmdir()


def _write_index(views: Iterable[ArticleView], path: Path, folder: Path) -> int:
    folder.mkdir(exist_ok=True)
    stale = _pages_in(folder)
    up = f"../{quote(os.fsencode(path.name))}"
    sums = Sums()
    lists = _write_articles(views, folder, up, sums, stale)
    opening = next(lists)
    entries, number = next(lists, None), 2
    while entries:
        following = next(lists, None)
        links = {"up": up, "number": number, "more": following is not None}
        _write(folder / _list_name(number), "list.html.j2", {"entries": entries} | links)
        stale.discard(_list_name(number))
        entries, number = following, number + 1
    _remove(folder, stale)
    links = {"folder": quote(os.fsencode(folder.name)), "lists": number - 1, "per_list": PER_LIST}
    _write(path, "index.html.j2", {"entries": opening, "sums": sums} | links)
    return sums.articles


def _write_articles(
    views: Iterable[ArticleView], folder: Path, up: str, sums: Sums, stale: set[str]
) -> Iterator[list[Entry]]:
    """Write the articles' pages; give their entries list by list."""
    entries: list[Entry] = []
    number = 1
    for view in views:
        if len(entries) == PER_LIST:
            yield entries
            entries, number = [], number + 1
        sums.add(view)
        file = _page_name(sums.articles, view.id)
        back = up if number == 1 else _list_name(number)
        _write(folder / file, "article.html.j2", {"article": view, "back": back})
        stale.discard(file)
        entries.append(_entry(view, sums.articles, file))
    yield entries


def _entry(view: ArticleView, number: int, file: str) -> Entry:
    first = "" if view.headline else "".join(text for text, _ in view.paragraphs[0][0].pieces)
    shares = tuple((voice, share) for voice, _, _, share in view.table.rows)
    return Entry(number, quote(file), view.id, view.title, first, len(view.cells), view.lanes, view.runs, shares)


def _page_name(number: int, id: str) -> str:
    """A file name of plain letters that no other article has, whatever its id."""
    safe = re.sub(r"[^A-Za-z0-9._]+", "-", fold(id)).strip("-.")[:_LONGEST_NAME]
    return f"{number:04d}{'-' if safe else ''}{safe}.html"


def _list_name(number: int) -> str:
    return f"index-{number}.html"


def _write(path: Path, template: str, content: dict[str, Any]) -> None:
    write_text(path, _environment().get_template(template).render(content))


@cache
def _environment() -> Environment:
    return environment(Path(__file__).parent / "templates")
