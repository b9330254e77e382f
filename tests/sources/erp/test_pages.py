"""Pages of ERPs, snapshots and activities: their commands run, their events are made, their mappings hold."""

import json
import re
import shlex
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from avro.text import write_event
from pipeline.cli import app
from sources.activity.vocabulary import NAMES
from sources.mapping import check_mapping, load_mapping, ready_erps, ready_mappings
from tests.docs.pages import DOCS, ROOT, blocks
from tests.sources.erp.extracts import COMPANIES, SAMPLES, whole_set

SOURCES = DOCS / "sources"
ERPS = ("sap", "oracle", "netsuite", "dynamics365", "jd-edwards", "peoplesoft")
PAGES = [SOURCES / f"{name}.md" for name in (*ERPS, "snapshots", "user-activity")]
EVERY_PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


def run(command: str, monkeypatch: pytest.MonkeyPatch, folder: Path = ROOT) -> list[str]:
    """The lines that a command prints."""
    monkeypatch.chdir(folder)
    done = CliRunner().invoke(app, shlex.split(command)[1:])
    assert done.exit_code == 0, (command, done.output)
    return done.stdout.splitlines()


def commands(page: Path) -> list[str]:
    """The commands of a page that read the samples of the repository."""
    lines = [line for block in blocks(page) if not block.language for line in block.text.splitlines()]
    return [line for line in lines if line.startswith("arrears ") and "examples/" in line]


@EVERY_PAGE
def test_the_commands_of_a_page_make_the_events_that_it_shows(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = [json.loads(line) for command in commands(page) for line in run(command, monkeypatch)]
    shown = [
        json.loads(line)
        for block in blocks(page)
        if block.language == "json" and block.heading != "Logs"
        for line in block.text.splitlines()
    ]
    assert shown
    assert [event for event in shown if event not in made] == []


@EVERY_PAGE
def test_the_mappings_of_a_page_hold(page: Path, tmp_path: Path) -> None:
    for block in blocks(page):
        if block.language == "toml" and tomllib.loads(block.text).get("extends"):
            (tmp_path / "own.toml").write_text(block.text, encoding="utf-8")
            check_mapping(load_mapping(tmp_path / "own.toml"))


@pytest.mark.parametrize("name", ready_mappings())
def test_every_ready_mapping_is_on_a_page(name: str) -> None:
    erp, _, mapping = name.partition("/")
    page = SOURCES / f"{erp.removesuffix('-ebs').removesuffix('-fusion')}.md"
    text = page.read_text(encoding="utf-8")
    assert f"`{name}`" in text or f"`{mapping}`" in text


def test_the_logs_of_the_page_give_what_it_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = SOURCES / "user-activity.md"
    log, shown = (block.text for block in blocks(page) if block.heading == "Logs" and block.language == "json")
    (tmp_path / "actions.log").write_text(log, encoding="utf-8")
    (command,) = [block.text for block in blocks(page) if block.heading == "Logs" and not block.language]
    made = [json.loads(line) for line in run(command, monkeypatch, tmp_path)]
    assert [{**event, "recorded_at": None} for event in made] == [
        {**json.loads(line), "recorded_at": None} for line in shown.splitlines()
    ]


def test_the_names_of_an_activity_are_those_of_the_page() -> None:
    text = (SOURCES / "user-activity.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| (\w+) \| (`.*`) \|$", text, re.MULTILINE))
    assert rows == {field: ", ".join(f"`{name}`" for name in names) for field, names in NAMES.items()}


def test_the_guide_to_an_own_mapping_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heading = "What ERPs do, and how to say it"
    found = [block for block in blocks(SOURCES / "csv-mapping.md") if block.heading == heading]
    (items, customers), (mapping,), (shown,) = (
        [block.text for block in found if block.language == language] for language in ("csv", "toml", "json")
    )
    for name, text in (("items.csv", items), ("customers.csv", customers), ("items.toml", mapping)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    run("arrears mappings check items.toml items.csv", monkeypatch, tmp_path)
    lines = run(
        "arrears ingest items.csv --as csv --mapping items.toml --company FR01 --dry-run", monkeypatch, tmp_path
    )
    assert [json.loads(line) for line in lines] == [json.loads(line) for line in shown.splitlines()]


def test_the_extension_that_the_guide_shows_holds(tmp_path: Path) -> None:
    text = (SOURCES / "csv-mapping.md").read_text(encoding="utf-8")
    (extension,) = re.findall(r"^   ```toml\n(.*?)^   ```$", text, re.MULTILINE | re.DOTALL)
    (tmp_path / "own.toml").write_text(extension, encoding="utf-8")
    check_mapping(load_mapping(tmp_path / "own.toml"))


def test_the_lists_of_a_folder_are_compared_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = "examples/erp/snapshots"
    lists = f"{folder}/open-items-2026-03-02.csv {folder}/open-items-2026-03-03.csv"
    lines = run(
        f"arrears ingest {lists} --as snapshot --mapping {folder}/open-items.toml --company FR01 --dry-run", monkeypatch
    )
    names = [json.loads(line)["event"] for line in lines]
    assert names[:6] == ["InvoiceIssued"] * 5 + ["CreditMemoIssued"]
    assert sorted(names[6:]) == ["CashApplied", *["InvoiceAdjusted"] * 3, "InvoiceDueDateChanged", "InvoiceIssued"]
    assert not list((ROOT / folder).glob(".*"))


def test_the_list_of_mappings_names_each_with_its_purpose(monkeypatch: pytest.MonkeyPatch) -> None:
    (line,) = run("arrears mappings list --json", monkeypatch)
    assert {row["name"]: row["purpose"] for row in json.loads(line)} == {
        name: mapping.purpose for name, mapping in ready_mappings().items()
    }
    assert [name for name in ready_mappings() if name not in "\n".join(run("arrears mappings list", monkeypatch))] == []


def test_a_mapping_is_shown_as_it_stands_and_an_erp_in_its_order(monkeypatch: pytest.MonkeyPatch) -> None:
    text = ready_mappings()["sap/bsid"].path.read_text(encoding="utf-8")
    assert run("arrears mappings show sap/bsid", monkeypatch) == text.splitlines()
    order = [line.partition(":")[0] for line in run("arrears mappings show netsuite", monkeypatch)]
    assert order == ["1. netsuite/transaction", "2. netsuite/nexttransactionlinelink"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["show", "sap/bsat"], "there is no ready mapping sap/bsat"),
        (["check", "sap/bsat"], "there is no mapping sap/bsat (did you mean sap/bsid?)"),
        (["check", "sap/bsid", "examples/erp/sap/cdhdr.csv"], "cdhdr.csv has no column 'BUKRS'; it has MANDANT"),
        (["check", "sap/bsid", "nowhere.csv"], "cannot read nowhere.csv"),
    ],
)
def test_what_is_wrong_with_a_mapping_is_told(words: list[str], message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    done = CliRunner().invoke(app, ["mappings", *words])
    assert done.exit_code == 1
    assert message in str(done.exception)


@pytest.mark.parametrize("erp", ready_erps())
def test_the_extracts_of_a_folder_are_taken_in_their_order(erp: str, monkeypatch: pytest.MonkeyPatch) -> None:
    company = COMPANIES.get(erp, "US01")
    lines = run(
        f"arrears ingest examples/erp/{erp} --as csv --mapping {erp} --company {company} --dry-run", monkeypatch
    )
    assert [json.loads(line) for line in lines] == [write_event(event.name, event.record) for event in whole_set(erp)]


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        (["examples/erp/netsuite"], "has no extract of sap. They are called bsad.csv, bsid.csv"),
        (["examples/erp/sap/bsid.csv"], "the set of sap is read from one folder"),
        (["examples/erp/sap", "examples/erp/netsuite"], "the set of sap is read from one folder"),
    ],
)
def test_a_folder_without_extracts_is_named(paths: list[str], message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    done = CliRunner().invoke(app, ["ingest", *paths, "--as", "csv", "--mapping", "sap", "--dry-run"])
    assert done.exit_code == 1
    assert message in str(done.exception)


def test_bad_rows_of_one_extract_keep_the_next_ones_not_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for file in (SAMPLES / "netsuite").iterdir():
        (tmp_path / file.name).write_text(file.read_text().replace("1500.00,0,", "15OO.00,0,"))
    monkeypatch.chdir(tmp_path)
    words = ["--as", "csv", "--mapping", "netsuite", "--company", "US01", "--dry-run"]
    done = CliRunner().invoke(app, ["ingest", str(tmp_path), *words])
    assert done.exit_code == 1
    assert sum('"event": "CashApplied"' in line for line in done.stdout.splitlines()) == 4
