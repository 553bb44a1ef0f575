"""Heads and their labels.

A scheme is data: a tuple of heads, each with its labels. One head may *point*: besides its fixed labels its
classes are the sides of whatever conflict an article is about, so the network holds no weights for any side.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .errors import InputError

NONE, OTHER, BOTH = "none", "other", "both"
RESERVED_VOICES = (NONE, OTHER, BOTH)
"""The voices that are no side: the outlet itself, anybody else who is cited, several sides at once."""
# The columns of output rows beside the labels, and those that each head has there: predictions, articles, reports.
_COLUMNS = (
    "article_id", "conflict", "index", "start", "end", "text", "evidence", "evidence_start", "evidence_end", "truncated"
)  # fmt: skip
_OF_REPORTS, _OF_REPORTS_ON_SIDES = ("no answer",), ("side", "wrong side")
"""The classes of reports that are no labels: of any head, and of one that points."""
_COLUMNS_OF_HEAD = ("score", "probabilities", "margin", "counts", "shares", "gold")


@dataclass(frozen=True)
class Head:
    """One question asked of every sentence.

    `labels` are its fixed classes in the order of the network's outputs. If `points` is true, the sides of the
    article's conflict follow them as further classes.
    """

    name: str
    labels: tuple[str, ...]
    points: bool = False

    def classes(self, sides: tuple[str, ...]) -> tuple[str, ...]:
        """All class names for an article whose conflict has the side keys `sides`.

        Raises `InputError` if the head points and one of these keys is a label of it too.
        """
        if not self.points:
            return self.labels
        for key in sides:
            if key in self.labels:
                raise InputError(f"head '{self.name}': '{key}' is a label and a side's key; rename one of them")
        return self.labels + sides


@dataclass(frozen=True)
class Scheme:
    """The heads of a model.

    Raises `InputError` when names repeat or cannot be names, labels are no text, a head has no choice, one that points
    has no label of its own, or two heads point. A head is named as the column of its labels, so it cannot have the name
    of another column.
    """

    heads: tuple[Head, ...]

    def __post_init__(self) -> None:
        names = [head.name for head in self.heads]
        if not names or len(set(names)) != len(names):
            raise InputError(f"scheme: heads need distinct names and there must be one at least, not {names}")
        taken = {*_COLUMNS, *(f"{name}_{column}" for name in names for column in _COLUMNS_OF_HEAD)}
        for name in names:
            if not isinstance(name, str) or not name or "." in name:
                raise InputError(f"scheme: head {name!r}: a head's name is text without a dot")
            if name in taken:
                raise InputError(f"scheme: head '{name}': the output has another column of that name; choose another")
        if sum(head.points for head in self.heads) > 1:
            raise InputError("scheme: only one head can point at sides")
        for head in self.heads:
            where = f"scheme: head '{head.name}'"
            for label in head.labels:
                if not isinstance(label, str):
                    raise InputError(f"{where}: label {label!r} is not text; put it in quotation marks")
                if label in (*_OF_REPORTS, *(_OF_REPORTS_ON_SIDES if head.points else ())):
                    raise InputError(f"{where}: reports mean something else by '{label}'; give the label another name")
                if not label.strip():
                    raise InputError(f"{where}: label {label!r} is empty; give it a name")
            if head.points and not head.labels:
                raise InputError(f"{where} points and needs a label of its own for what no side says; add one, as none")
            if len(set(head.labels)) != len(head.labels) or len(head.labels) + 2 * head.points < 2:
                raise InputError(f"{where} needs two or more distinct labels: {head.labels}")

    def __getitem__(self, name: str) -> Head:
        for head in self.heads:
            if head.name == name:
                return head
        raise KeyError(name)

    @property
    def names(self) -> tuple[str, ...]:
        """The heads' names in order."""
        return tuple(head.name for head in self.heads)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types; `from_dict` reads them back."""
        return {head.name: {"labels": list(head.labels), "points": head.points} for head in self.heads}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Scheme":
        """A scheme from `{head: {labels: [...], points: bool}}`.

        Raises `InputError` if it is not of that form, if a head has another key, or a name that PyTorch's modules keep
        for themselves.
        """
        heads = []
        try:
            for name, body in data.items():
                where = f"scheme: head '{name}'"
                for key, value in body.items():
                    if key not in ("labels", "points"):
                        raise InputError(f"{where}: unknown key '{key}' ({value!r:.80}); a head has labels and points")
                if not isinstance(body["labels"], list):
                    raise InputError(f"{where}: labels must be a list; write it as [a, b]")
                points = body.get("points", False)
                if not isinstance(points, bool):
                    raise InputError(
                        f"{where}: points {points!r:.80} is neither true nor false; write it without quotation marks"
                    )
                heads.append(Head(name, tuple(body["labels"]), points))
        except (AttributeError, KeyError, TypeError) as error:
            raise InputError(f"scheme: needs {{head: {{labels: [...], points: false}}}}, got {data!r}") from error
        scheme = cls(tuple(heads))
        # Not at the top, and not for the default scheme, which is made there: commands that need no network wait for
        # no PyTorch.
        from torch import nn

        parts = nn.ModuleDict(), nn.ParameterDict()  # what the network keeps of each head
        for name in scheme.names:
            if any(hasattr(part, name) for part in parts):  # a method or field, which a head cannot replace
                raise InputError(f"scheme: head '{name}': PyTorch keeps that name for itself; choose another")
        return scheme


DEFAULT_SCHEME = Scheme(
    (
        Head("side", RESERVED_VOICES, points=True),
        Head("stance", ("affirm", "deny", "accuse", "hedge", "neutral")),
    )
)
