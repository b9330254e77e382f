"""The three legal entities, their people and their calendars."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from examples.generator.dice import Dice

_SATURDAY = 5
DECIMALS = {"EUR": 2, "USD": 2, "GBP": 2, "JPY": 0}


@dataclass(frozen=True)
class Company:
    """A legal entity. `currencies` are weights of its customers' currencies."""

    code: str
    timezone: str
    base_currency: str
    region: str
    source: str
    customers: int
    invoices: int
    currencies: tuple[tuple[str, int], ...]
    clerks: tuple[str, ...]
    collectors: tuple[str, ...]
    holidays: frozenset[date]
    zone: ZoneInfo = field(init=False)

    def __post_init__(self) -> None:
        """Look the time zone up once."""
        object.__setattr__(self, "zone", ZoneInfo(self.timezone))

    def is_business_day(self, day: date) -> bool:
        """Neither a weekend nor a holiday."""
        return day.weekday() < _SATURDAY and day not in self.holidays

    def business_day(self, day: date) -> date:
        """The day itself, or the next business day after it."""
        while not self.is_business_day(day):
            day += timedelta(days=1)
        return day

    def business_days_after(self, day: date, count: int) -> date:
        """The day that lies `count` business days after `day`."""
        for _ in range(count):
            day = self.business_day(day + timedelta(days=1))
        return day

    def at(self, day: date, dice: Dice, first_hour: int, last_hour: int) -> datetime:
        """A moment of a local day, from the first hour up to the end of the last."""
        local = datetime(
            day.year,
            day.month,
            day.day,
            dice.between(first_hour, last_hour),
            dice.between(0, 59),
            dice.between(0, 59),
            tzinfo=self.zone,
        )
        return local.astimezone(UTC)

    def local(self, at: datetime) -> datetime:
        """The wall clock of the company."""
        return at.astimezone(self.zone)


def _days(*texts: str) -> frozenset[date]:
    return frozenset(date.fromisoformat(f"2026-{text}") for text in texts)


COMPANIES = (
    Company(
        code="FR01",
        timezone="Europe/Paris",
        base_currency="EUR",
        region="EMEA",
        source="sap",
        customers=85,
        invoices=1250,
        currencies=(("EUR", 82), ("GBP", 14), ("USD", 4)),
        clerks=("MDUPONT", "CLEROY", "SBENALI"),
        collectors=("AMARTIN", "JROUSSEL"),
        holidays=_days("01-01", "04-06", "05-01", "05-08", "05-14", "05-25", "07-14", "08-15"),
    ),
    Company(
        code="US01",
        timezone="America/New_York",
        base_currency="USD",
        region="AMER",
        source="oracle",
        customers=75,
        invoices=1150,
        currencies=(("USD", 90), ("GBP", 5), ("EUR", 5)),
        clerks=("jmiller", "tgarcia", "kwong"),
        collectors=("rjohnson", "dpatel"),
        holidays=_days("01-01", "01-19", "02-16", "05-25", "06-19", "07-03", "09-07"),
    ),
    Company(
        code="JP01",
        timezone="Asia/Tokyo",
        base_currency="JPY",
        region="APAC",
        source="jde",
        customers=40,
        invoices=600,
        currencies=(("JPY", 88), ("USD", 12)),
        clerks=("tanaka.y", "suzuki.k"),
        collectors=("sato.m",),
        holidays=_days("01-01", "01-12", "02-11", "02-23", "03-20", "04-29", "05-04", "05-05", "05-06",
                       "07-20", "08-11", "09-21", "09-22", "09-23"),
    ),
)  # fmt: skip
