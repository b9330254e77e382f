"""Public holidays are written out when a company's file is read; what a person wrote by hand has the last word."""

from datetime import date
from pathlib import Path

import pytest

from pipeline.companies import plan, read_companies, written_form
from pipeline.errors import Problem

FRENCH = """
timezone = "Europe/Paris"
holiday_country = "FR"
holiday_years = [2026, 2026]
"""


def companies(folder: Path, text: str, code: str = "FR01") -> dict[str, tuple[date, ...]]:
    (folder / f"{code}.toml").write_text(text, encoding="utf-8")
    return {code: settings.holidays for code, settings in read_companies(folder).items()}


def test_a_country_gives_its_holidays_on_working_days(tmp_path: Path) -> None:
    assert companies(tmp_path, FRENCH) == {
        "FR01": (
            date(2026, 1, 1), date(2026, 4, 6), date(2026, 5, 1), date(2026, 5, 8), date(2026, 5, 14),
            date(2026, 5, 25), date(2026, 7, 14), date(2026, 11, 11), date(2026, 12, 25),
        )
    }  # fmt: skip


def test_further_holidays_and_worked_ones_are_the_companys_own(tmp_path: Path) -> None:
    text = FRENCH + "holidays = [2026-12-24]\nworking_days = [2026-05-25]\n"
    days = companies(tmp_path, text)["FR01"]
    assert date(2026, 12, 24) in days
    assert date(2026, 5, 25) not in days
    assert len(days) == 9


def test_a_subdivision_has_holidays_of_its_own(tmp_path: Path) -> None:
    bavarian = 'holiday_country = "DE"\nholiday_subdivision = "BY"\nholiday_years = [2026, 2026]\n'
    german = 'holiday_country = "DE"\nholiday_years = [2026, 2026]\n'
    in_bavaria, in_germany = companies(tmp_path, bavarian)["FR01"], companies(tmp_path, german)["FR01"]
    assert set(in_germany) < set(in_bavaria)
    assert date(2026, 1, 6) in in_bavaria


def test_without_years_twenty_one_are_written_out(tmp_path: Path) -> None:
    days = companies(tmp_path, 'holiday_country = "FR"\n')["FR01"]
    assert {day.year for day in days} == set(range(2020, 2041))


def test_without_a_country_only_the_list_counts(tmp_path: Path) -> None:
    assert companies(tmp_path, "holidays = [2026-05-01]\n") == {"FR01": (date(2026, 5, 1),)}
    assert companies(tmp_path, 'timezone = "UTC"\n') == {"FR01": ()}


def test_what_is_published_names_every_day(tmp_path: Path) -> None:
    companies(tmp_path, FRENCH)
    settings = read_companies(tmp_path)
    (change,) = plan(settings, {})
    assert b'"2026-05-14"' in change.settings
    assert b"holiday_country" not in change.settings
    assert plan(settings, {"FR01": written_form(settings["FR01"])})[0].status == "unchanged"
    companies(tmp_path, FRENCH + "working_days = [2026-05-25]\n")
    assert plan(read_companies(tmp_path), {"FR01": change.settings})[0].keys == ("holidays",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('holiday_country = "FRX"', "holiday_country 'FRX' is not a country code of ISO 3166; did you mean"),
        ("holiday_country = 33", "holiday_country 33 is not a country code of ISO 3166, such as FR, JP or US"),
        ('holiday_country = "DE"\nholiday_subdivision = "XX"', "holiday_subdivision 'XX' is not one of DE; there are"),
        (
            'holiday_country = "JP"\nholiday_subdivision = "13"',
            "holiday_subdivision '13' is not one of JP; there are none",
        ),
        ("working_days = [2026-05-25]", "working_days needs holiday_country, such as FR"),
        ("holiday_years = [2026, 2026]", "holiday_years needs holiday_country, such as FR"),
        (
            'holiday_country = "FR"\nholiday_years = [2026]',
            "holiday_years is the first and the last year, like [2020, 2040], got [2026]",
        ),
        (
            'holiday_country = "FR"\nholiday_years = [2027, 2026]',
            "holiday_years must ascend from 1970 on, at most 100 of them, got [2027, 2026]",
        ),
        (
            FRENCH + "working_days = [2026-05-26]",
            "working_days: 2026-05-26 is no public holiday of FR, so it changes nothing; remove it",
        ),
        (
            FRENCH + "working_days = [2026-05-24]",
            "working_days: 2026-05-24 is a weekend, so it changes nothing; remove it",
        ),
        (
            FRENCH + "working_days = [2026-05-25]\nholidays = [2026-05-25]",
            "working_days: 2026-05-25 also stands in holidays; keep one of them",
        ),
        (FRENCH + 'holidays = ["2026-05-25"]', "holidays: '2026-05-25' is not a date like 2026-05-01, without quotes"),
        (FRENCH + "working_days = 2026-05-25", "working_days is a list of dates, like [2026-05-01], got"),
    ],
)
def test_a_wrong_key_is_named_with_its_file(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(Problem) as refused:
        companies(tmp_path, text)
    assert str(refused.value).startswith(f"{tmp_path / 'FR01.toml'}: {message}")
