"""Mappings that come with the product, by name: ``sap/bsid`` is the file `sources/erp/sap/bsid.toml`."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import msgspec

FOLDER = Path(__file__).resolve().parents[1] / "erp"
_ORDER = "order.toml"


class ReadyMapping(msgspec.Struct, frozen=True):
    """A mapping that comes with the product. `purpose` is the first sentence of its comment."""

    name: str
    path: Path
    purpose: str


@cache
def ready_mappings() -> Mapping[str, ReadyMapping]:
    """Every ready mapping by its name, in alphabetical order."""
    found = sorted(path for path in FOLDER.glob("*/*.toml") if path.name != _ORDER)
    names = {f"{path.parent.name}/{path.stem}": path for path in found}
    return {name: ReadyMapping(name, path, _purpose(path.read_text(encoding="utf-8"))) for name, path in names.items()}


@cache
def ready_order(erp: str) -> tuple[str, ...]:
    """The ready mappings of an ERP in the order in which its extracts are to be ingested.

    Lists of open items and audit tables, which stand for themselves, are not among them.
    """
    document = tomllib.loads((FOLDER / erp / _ORDER).read_text(encoding="utf-8"))
    return tuple(f"{erp}/{name}" for name in document["order"])


@cache
def ready_files(erp: str) -> tuple[tuple[str, str], ...]:
    """The ready mappings of an ERP in their order, each with the names of the files it reads, without their endings."""
    document = tomllib.loads((FOLDER / erp / _ORDER).read_text(encoding="utf-8"))
    other = document.get("files", {})
    return tuple((f"{erp}/{name}", file) for name in document["order"] for file in other.get(name, [name]))


def ready_erps() -> tuple[str, ...]:
    """The ERPs for which there are ready mappings."""
    return tuple(sorted(path.parent.name for path in FOLDER.glob(f"*/{_ORDER}")))


def ready_path(name: str) -> Path | None:
    """The file of a ready mapping; None when there is none of this name."""
    known = ready_mappings().get(name)
    return None if known is None else known.path


def _purpose(text: str) -> str:
    lines = []
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.removeprefix("#").strip())
    return " ".join(lines).partition(". ")[0].removesuffix(".")
