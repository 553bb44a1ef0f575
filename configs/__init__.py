"""Files that ship with the package: training recipes and the sides files of known conflicts."""

from pathlib import Path

_HERE = Path(__file__).parent


def packaged_names(folder: str) -> list[str]:
    """Names (file stems) of the packaged YAML files in `folder`, "recipes" or "conflicts", sorted."""
    return sorted(path.stem for path in (_HERE / folder).glob("*.yaml"))


def packaged_path(folder: str, name: str) -> Path | None:
    """Path of the packaged YAML file `name` in `folder`, or None if there is none of that name."""
    return _HERE / folder / f"{name}.yaml" if name in packaged_names(folder) else None
