"""Gates: bounds that a report's figures must reach, for a machine to act on."""

from collections.abc import Mapping, Sequence
from typing import Any

from ...model.errors import InputError, WorkError


def parse_gates(options: Sequence[str]) -> dict[str, float]:
    """Figure → least value, from "side.macro_f1=0.80". Raises `InputError` at one that is not of that
    form."""
    gates = {}
    for option in options:
        name, equals, value = option.partition("=")
        try:
            gates[name.strip()] = float(value)
        except ValueError:
            equals = ""
        if not equals or not name.strip():
            raise InputError(f"--fail-under '{option}': write it as FIGURE=NUMBER, as in side.macro_f1=0.80")
    return gates


def figure_named(content: Mapping[str, Any], name: str) -> float:
    """The figure in a report (its JSON content) under a dotted name; it begins with a head or a key of the
    report.

    "side.macro_f1", "side.by_class.other.f1", "side.macro_f1.low", "joint.accuracy". Raises `InputError` if
    there is none.
    """
    found: Any = content["heads"] | content
    for part in name.split("."):
        if not isinstance(found, Mapping) or part not in found:
            known = f"; it has: {', '.join(map(str, found))}" if isinstance(found, Mapping) and found else ""
            raise InputError(f"--fail-under: the report has no figure '{name}' (at '{part}'){known}")
        found = found[part]
    if isinstance(found, Mapping) and "value" in found:
        found = found["value"]
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise InputError(f"--fail-under: '{name}' is not a figure; name one, as in side.macro_f1")
    return float(found)


def check_gates(content: Mapping[str, Any], gates: Mapping[str, float]) -> None:
    """Raise `WorkError` that names every figure below its gate."""
    values = {name: figure_named(content, name) for name in gates}
    failed = [f"{name} is {values[name]:.4f}, below {gate:g}" for name, gate in gates.items() if values[name] < gate]
    if failed:
        raise WorkError("; ".join(failed))
