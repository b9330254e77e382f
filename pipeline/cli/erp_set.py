"""`arrears ingest FOLDER --as csv --mapping sap`: all extracts of an ERP in a folder, in the order they need."""

from collections.abc import Callable
from pathlib import Path

import typer

from pipeline.errors import Problem
from sources.mapping import ready_erps, ready_files

_SUFFIXES = (".csv", ".tsv", ".txt")


def is_erp(mapping: Path | None) -> bool:
    """Whether the name is that of an ERP, and no mapping file is meant."""
    return mapping is not None and mapping.as_posix() in ready_erps() and not mapping.is_file()


def ingest_set(paths: list[str], erp: str, ingest: Callable[[Path, Path], None]) -> None:
    """Call `ingest` with each extract that is in the folder, and its mapping. Raises ``Problem`` when there is none.

    An extract with bad rows does not keep the next ones out; the exit code tells it in the end.
    """
    if len(paths) != 1 or not Path(paths[0]).is_dir():
        raise Problem(f"the set of {erp} is read from one folder", "Give the folder that holds its extracts")
    folder = Path(paths[0])
    by_name = {
        file.stem.lower(): file
        for file in sorted(folder.iterdir())
        if file.is_file() and file.suffix.lower() in _SUFFIXES and not file.name.startswith(".")
    }
    found = [(by_name[name], mapping) for mapping, name in ready_files(erp) if name in by_name]
    if not found:
        names = ", ".join(dict.fromkeys(f"{name}.csv" for _, name in ready_files(erp)))
        raise Problem(f"{folder} has no extract of {erp}", f"They are called {names}")
    has_rejects = False
    for file, mapping in found:
        typer.echo(f"{file} through {mapping}", err=True)
        try:
            ingest(file, Path(mapping))
        except typer.Exit as ended:
            has_rejects = has_rejects or bool(ended.exit_code)
    if has_rejects:
        raise typer.Exit(1)
