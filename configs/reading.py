"""Reading YAML that people write: every fault is one line that names the file and the line."""

import difflib
from collections.abc import Hashable, Iterable
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

_SHAPES = {
    "list_type": "must be a list; write it as [a, b]",
    "dict_type": "must be a mapping; write it as {key: value}",
    "model_type": "must be a mapping; write it as {key: value}",
    "model_attributes_type": "must be a mapping; write it as {key: value}",
}
"""pydantic's words for these are about Python."""


class UniqueKeyLoader(yaml.SafeLoader):
    """The safe loader, but a key given twice is an error: YAML would silently keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """The mapping of `node`; raises `yaml.MarkedYAMLError` at a repeated key."""
        seen: set[Hashable] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, Hashable):
                raise yaml.MarkedYAMLError(problem="a key must be text", problem_mark=key_node.start_mark)
            if key in seen:
                raise yaml.MarkedYAMLError(problem=f"'{key}' is given twice", problem_mark=key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file. Raises `ValueError`, one line that names file and line, if it holds none."""
    try:
        data = yaml.load(path.read_text(encoding="utf-8"), Loader=UniqueKeyLoader)  # noqa: S506 - a SafeLoader
    except FileNotFoundError:
        raise ValueError(f"{path}: no such file") from None
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not UTF-8 text (byte {error.start})") from None
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise ValueError(f"{path}{line}: not valid YAML: {error.problem}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ValueError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(data, dict):
        raise ValueError(f"{path}: must be a YAML mapping of names to values")
    return data


def first_fault(error: ValidationError) -> ErrorDetails:
    """The fault to tell of those that pydantic found: an unknown key, as it may be another misspelt, else the first."""
    faults = error.errors()
    return next((fault for fault in faults if fault["type"] == "extra_forbidden"), faults[0])


def first_problem(error: ValidationError, known: Iterable[str] = ()) -> str:
    """The `first_fault` in one line: the field, what is wrong, the value. Of `known` keys one like it is proposed."""
    fault = first_fault(error)
    field = ".".join(str(part) for part in fault["loc"])
    message = fault["msg"].removeprefix("Value error, ")
    if not field:  # of the whole, which would be long
        return message
    if fault["type"] == "extra_forbidden":
        close = difflib.get_close_matches(field, known, 1) if len(fault["loc"]) == 1 else []
        fix = f"did you mean '{close[0]}'?" if close else "remove it or correct its spelling"
        return f"{field}: unknown key; {fix}"
    if fault["type"] == "missing":
        return f"{field}: missing; add it"
    if fault["type"] in _SHAPES:
        message = _SHAPES[fault["type"]]
    return f"{field}: {message} (got {fault['input']!r:.80})"
