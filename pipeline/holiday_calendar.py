"""Public holidays of a country, written out when a company's settings are read, so that the jobs only know dates.

What is published names every day, and stays what held then when a later release of the calendar library knows better
(a holiday that was moved, a new one): the next `arrears companies plan` shows it as a change of `holidays`.
"""

import difflib
from collections.abc import Iterable
from datetime import date
from typing import Any

import holidays as library

KEYS = ("holiday_country", "holiday_subdivision", "holiday_years", "working_days")
YEARS = (2020, 2040)
"""First and last year that are written out unless `holiday_years` says otherwise."""

_YEARS_MAX = 100
_SATURDAY = 5


def with_holidays(mapping: dict[str, Any]) -> dict[str, Any]:
    """The mapping of a company with its country's holidays written out under `holidays`, and without the keys for them.

    `holidays` are further days on which the company does not work; `working_days` are holidays on which it does.
    Weekends are left out, for they are no business days anyway. Raises ValueError that names the key.
    """
    if not any(key in mapping for key in KEYS):
        return mapping
    rest = {key: value for key, value in mapping.items() if key not in KEYS}
    own = _dates("holidays", mapping.get("holidays", []))
    country = mapping.get("holiday_country")
    if country is None:
        given = next(key for key in KEYS if key in mapping)
        raise ValueError(f"{given} needs holiday_country, such as FR")
    public = _public(country, mapping.get("holiday_subdivision"), _years(mapping.get("holiday_years", YEARS)))
    worked = _dates("working_days", mapping.get("working_days", []))
    for day in worked:
        if day not in public:
            what = "a weekend" if day.weekday() >= _SATURDAY else f"no public holiday of {country}"
            raise ValueError(f"working_days: {day} is {what}, so it changes nothing; remove it")
        if day in own:
            raise ValueError(f"working_days: {day} also stands in holidays; keep one of them")
    return {**rest, "holidays": sorted({*public, *own} - {*worked})}


def _public(country: object, subdivision: object, years: range) -> set[date]:
    known = library.list_supported_countries()
    if not isinstance(country, str) or country not in known:
        raise ValueError(f"holiday_country {country!r} is not a country code of ISO 3166{_hint(country, known)}")
    if subdivision is not None and subdivision not in known[country]:
        choice = ", ".join(known[country]) or "none"
        raise ValueError(f"holiday_subdivision {subdivision!r} is not one of {country}; there are {choice}")
    days = library.country_holidays(country, subdiv=subdivision, years=years)
    return {day for day in days if day.weekday() < _SATURDAY}


def _hint(country: object, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(str(country).upper(), [*known], n=1)
    return f"; did you mean {near[0]}?" if near else ", such as FR, JP or US"


def _years(value: object) -> range:
    if not isinstance(value, list | tuple) or len(value) != 2 or not all(type(year) is int for year in value):
        raise ValueError(f"holiday_years is the first and the last year, like [2020, 2040], got {value!r}")
    first, last = value
    if not (1970 <= first <= last <= 2199 and last - first < _YEARS_MAX):
        raise ValueError(f"holiday_years must ascend from 1970 on, at most {_YEARS_MAX} of them, got {[*value]}")
    return range(first, last + 1)


def _dates(key: str, value: object) -> list[date]:
    if not isinstance(value, list | tuple):
        raise ValueError(f"{key} is a list of dates, like [2026-05-01], got {value!r}")  # noqa: TRY004 a value of the file
    for day in value:
        if type(day) is not date:
            raise ValueError(f"{key}: {day!r} is not a date like 2026-05-01, without quotes")
    return list(value)
