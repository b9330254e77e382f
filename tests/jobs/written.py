"""Events from a few words: amounts and dates as text, usual values for what is not given."""

from datetime import date, datetime
from decimal import Decimal
from typing import TypeVar, get_args

import msgspec

from jobs.company import CompanySettings
from jobs.events import ClockTicked, CompanyConfigured, Event
from jobs.money import exponent
from jobs.values import Day, Instant, Minor, date_of, day_of, instant_of

E = TypeVar("E", bound=Event)

_WHERE_REQUIRED: dict[str, object] = {
    "currency": "EUR",
    "document_type": "invoice",
    "method": "manual",
    "on_account": False,
    "reason": "nsf",
    "reason_code": "PRICE",
    "assigned_to": "u7",
    "region": "",
}


def instant(text: str) -> Instant:
    """An instant from ISO text with a zone."""
    return instant_of(datetime.fromisoformat(text))


def day(text: str) -> Day:
    """A day from an ISO date."""
    return day_of(date.fromisoformat(text))


def iso(of: Day) -> str:
    """The ISO date of a day."""
    return date_of(of).isoformat()


def scaled(amount: str) -> tuple[int, int]:
    """The digits of a written amount and their scale, trailing zeros cut, as events without a currency carry it."""
    number = Decimal(amount).normalize()
    scale = max(0, -int(number.as_tuple().exponent))
    return int(number.scaleb(scale)), scale


def written(kind: type[E], moment: Instant, event_id: str, company: str, /, **payload: object) -> E:
    """An event from its payload: `amount` as text, dates as ISO text, what is not given is None or a usual value."""
    values: dict[str, object] = {"event_id": event_id, "company": company, "occurred_at": moment, "recorded_at": moment}
    fields = msgspec.structs.fields(kind)
    names = {known.name for known in fields}
    for known in fields:
        if known.name not in values:
            optional = type(None) in get_args(known.type)
            values[known.name] = None if optional else _WHERE_REQUIRED.get(known.name)
    for name, value in payload.items():
        is_day = name.endswith("_date") and isinstance(value, str)
        values[name] = day(str(value)) if is_day else value
    for name in ("occurred_at", "recorded_at"):
        given = values[name]
        values[name] = instant(given) if isinstance(given, str) else given
    amount = values.pop("amount", None)
    if amount is not None:
        if "amount_scale" in names:
            values["amount_minor"], values["amount_scale"] = scaled(str(amount))
        else:
            values["amount_minor"] = minor(str(amount), str(values["currency"]))
    return msgspec.convert(values, kind)


def minor(amount: str, currency: str = "EUR") -> Minor:
    """A written amount in minor units."""
    return Minor(int(Decimal(amount).scaleb(exponent(currency) or 0)))


def configured(settings: CompanySettings, version: str = "1") -> CompanyConfigured:
    """The event that makes settings known."""
    return written(
        CompanyConfigured,
        Instant(0),
        f"company/{settings.code}/{version}",
        settings.code,
        version=version,
        settings=msgspec.json.encode(settings).decode(),
    )


def ticked(at: Instant) -> ClockTicked:
    """The event that says what time it is."""
    return written(ClockTicked, at, f"clock/{at}", "*", at=at)
