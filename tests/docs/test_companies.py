"""docs/companies.md names every key of a company with its default."""

import re
import tomllib
from pathlib import Path

import msgspec
import pytest

from jobs import CompanySettings, settings_from
from pipeline import holiday_calendar

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "companies.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| `(\w+)` \| (.+?) \|", PAGE, flags=re.MULTILINE))
DEFAULTS = msgspec.to_builtins(CompanySettings(code="A"))


def test_every_key_is_there_and_no_other() -> None:
    assert set(ROWS) == {*CompanySettings.__struct_fields__, *holiday_calendar.KEYS}


@pytest.mark.parametrize("key", [key for key in CompanySettings.__struct_fields__ if key != "code"])
def test_its_default_is_the_one_that_holds(key: str) -> None:
    written = ROWS[key].strip("`")
    value = None if written == "none" else tomllib.loads(f"value = {written}")["value"]
    expected = DEFAULTS[key]
    assert (str(value) if key == "promise_threshold_percent" else value) == (
        list(expected) if isinstance(expected, tuple) else expected
    )


def test_the_years_are_those_that_are_written_out() -> None:
    assert ROWS["holiday_years"] == f"`[{holiday_calendar.YEARS[0]}, {holiday_calendar.YEARS[1]}]`"


def test_the_defaults_written_out_change_nothing() -> None:
    written = {
        key: tomllib.loads(f"value = {default.strip('`')}")["value"]
        for key, default in ROWS.items()
        if default != "none" and key != "code" and key not in holiday_calendar.KEYS
    }
    assert settings_from({"code": "A", **written}) == CompanySettings(code="A")
