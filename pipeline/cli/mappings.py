"""`arrears mappings list / show / check`: the mappings that come with the product, and whether yours is right."""

import json
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from pipeline.errors import Problem
from sources import SourceError, SourceOptions
from sources.csv_file import CsvFile
from sources.mapping import check_mapping, load_mapping, ready_erps, ready_mappings, ready_order

app = typer.Typer(no_args_is_help=True, help="List, print and check the mappings of extracts.")


@app.command("list")
def list_mappings(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON list on stdout, for programs.")] = False,
) -> None:
    """List the ready mappings: `arrears ingest FILE --as csv --mapping NAME` takes them by name."""
    if as_json:
        rows = [{"name": one.name, "purpose": one.purpose} for one in ready_mappings().values()]
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    table = Table(box=None, header_style="bold")
    table.add_column("mapping", no_wrap=True)
    table.add_column("reads")
    for one in ready_mappings().values():
        table.add_row(one.name, one.purpose)
    Console(highlight=False).print(table)


@app.command("show")
def show_mapping(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="A ready mapping such as sap/bsid, or an ERP such as sap.")
    ],
) -> None:
    """Print a ready mapping, to be read or copied; of an ERP, the order in which its extracts are ingested."""
    if name in ready_erps():
        for number, mapping in enumerate(ready_order(name), start=1):
            typer.echo(f"{number}. {mapping}: {ready_mappings()[mapping].purpose}")
        return
    known = ready_mappings().get(name)
    if known is None:
        raise Problem(f"there is no ready mapping {name}", "`arrears mappings list` shows them")
    typer.echo(known.path.read_text(encoding="utf-8"), nl=False)


@app.command("check")
def check(
    mapping: Annotated[str, typer.Argument(metavar="MAPPING", help="A TOML file, or a ready mapping by its name.")],
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILE]...", help="Extracts whose columns are held against it.")
    ] = None,
) -> None:
    """Hold a mapping against the events, and against the columns of extracts, without reading their rows."""
    try:
        loaded = load_mapping(Path(mapping))
        check_mapping(loaded)
        # Which company it is for is said when rows are read.
        adapter = CsvFile(SourceOptions(company="-"), loaded)
        for file in files or ():
            with closing(file.open("rb")) as stream:
                adapter.check(stream, str(file))
    except SourceError as error:
        raise Problem(error.message, error.advice) from error
    except OSError as error:
        raise Problem(f"cannot read {error.filename}: {error.strerror}", "Check its name and permissions") from error
    events = ", ".join(dict.fromkeys(rule.event for rule in loaded.mapping.event))
    checked = f" and {len(files)} files" if files else ""
    typer.echo(f"{mapping}{checked}: right; it makes {events}")
