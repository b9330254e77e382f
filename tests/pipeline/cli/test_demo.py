"""`arrears demo` for real, over the first of its months: whole stack, real adapters, and every number checked."""

import json
from datetime import datetime
from pathlib import Path

import pytest

from jobs.values import instant_of
from pipeline.cli import demo
from pipeline.cli.demo_feed import read_samples
from pipeline.local.addresses import read_addresses
from sources.values import ParsedEvent
from tests.pipeline.cli.calls import arrears, assert_one_line

ROOT = Path(__file__).resolve().parents[3]
COMPANIES = {"ARREARS_COMPANIES__FOLDER": str(ROOT / "config" / "companies")}
FREE_PORTS = {"ARREARS_STACK__KAFKA_PORT": "0", "ARREARS_STACK__CLICKHOUSE_PORT": "0"}


@pytest.fixture
def one_month(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The sample files, and what is expected of them, up to the first close."""
    samples = tmp_path / "samples"
    samples.mkdir()
    expected = json.loads((ROOT / "examples" / "expected.json").read_text())
    first = min(row["known_as_of"] for row in expected["as_reported"])
    rows = [row for row in expected["as_reported"] if row["known_as_of"] == first]
    (samples / "expected.json").write_text(json.dumps({"restated": [], "as_reported": rows}))
    for company in ("FR01", "JP01", "US01"):
        (samples / company).symlink_to(ROOT / "examples" / company)
    last = instant_of(datetime.fromisoformat(first)) + 2 * 86_400_000_000

    def read_first(folder: Path, companies: list[str]) -> list[ParsedEvent]:
        return [event for event in read_samples(folder, companies) if event.record["recorded_at"] <= last]

    monkeypatch.setattr(demo, "_EXAMPLES", (samples,))
    monkeypatch.setattr(demo, "read_samples", read_first)
    return samples


@pytest.mark.kafka
@pytest.mark.clickhouse
def test_it_runs_and_everything_adds_up(one_month: Path, tmp_path: Path) -> None:
    compared = 5 * len(json.loads((one_month / "expected.json").read_text())["as_reported"])
    folder = tmp_path / "demo"
    done = arrears("demo", "--folder", str(folder), folder=tmp_path, **COMPANIES, **FREE_PORTS)
    assert done.code == 0, done.output[-3000:] + done.errors
    assert "everything adds up" in done.output
    assert f"{compared} of {compared} agree" in done.output
    for words in ("Aging as of", "Promises to pay", "Reconciliation", "ClickHouse answers at http://127.0.0.1:"):
        assert words in done.output
    assert done.output.count("curl ") == 3
    assert read_addresses(folder) is None


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "dear.txt").write_text("Dear …")
    done = arrears("demo", "--folder", "letters", folder=tmp_path, **COMPANIES)
    assert_one_line(done, "letters is not empty and not the demo's", "Name another --folder")
    assert (tmp_path / "letters" / "dear.txt").read_text() == "Dear …"
