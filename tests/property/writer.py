"""The writer of random histories: its clock, what it remembers of each account, and how it chooses."""

from dataclasses import dataclass, field
from random import Random

import msgspec

from jobs import settings_from
from jobs.company import CompanySettings
from jobs.events import ClockTicked, CompanyConfigured, Event
from jobs.money import exponent
from jobs.values import Day, Instant
from tests.jobs.written import configured, instant, ticked, written

COMPANIES: tuple[CompanySettings, ...] = (
    settings_from(
        {"code": "FR01", "timezone": "Europe/Paris", "buckets": [5, 20], "small_balance": {"EUR": "1.00", "JPY": "5"},
         "reminder_days_before": [2], "hold_max_days": 30}
    ),
    settings_from({"code": "NZ01", "timezone": "Pacific/Chatham", "credit_mode": "own_date", "default_terms_days": 3}),
)  # fmt: skip
ACCOUNTS = (("FR01", "C1"), ("FR01", "C2"), ("NZ01", "C3"))

_START = instant("2026-01-05T09:00:00Z")
_MINUTE = 60_000_000
DAY = 1_440 * _MINUTE
_AMOUNTS = (1, 5, 10, 10, 20, 25, 40, 50, 60, 75, 100, 100)
_OFFSETS = (0, 0, 0, 0, 0, 0, -1, -2, -5, -20, -45, 1, 2, 7, 30)
_JUMPS = (1, 1, 30, 600, 1_440, 1_440, 3 * 1_440, 10 * 1_440, 45 * 1_440)


@dataclass
class AccountBook:
    """What the writer remembers of an account."""

    company: str
    account_id: str
    invoices: list[tuple[str, str]] = field(default_factory=list)  # (id, currency)
    payments: list[tuple[str, str]] = field(default_factory=list)
    credit_memos: list[tuple[str, str]] = field(default_factory=list)
    applications: list[str] = field(default_factory=list)
    write_offs: list[str] = field(default_factory=list)
    disputes: list[str] = field(default_factory=list)
    promises: list[str] = field(default_factory=list)
    exceptions: list[str] = field(default_factory=list)
    ids: dict[str, int] = field(default_factory=dict)  # how many of a kind were given
    left: dict[str, int] = field(default_factory=dict)  # about what is open of a document or left of a payment

    @property
    def empty(self) -> bool:
        """Nothing yet to refer to."""
        return not (self.invoices and self.payments)


class Writer:
    """A log in the making, and what a plausible next event would refer to."""

    def __init__(self, *, crossing: bool) -> None:
        self.now = _START
        self.crossing = crossing
        self.unidentified: list[str] = []
        self.events: list[Event] = [*map(configured, COMPANIES), ticked(self.now)]
        self.accounts = [AccountBook(company, account) for company, account in ACCOUNTS]
        self.count = 0

    def advance(self, choose: Random) -> None:
        """The clock ticks: minutes, days, weeks, and rarely beyond the time for which closed items are kept."""
        self.now = Instant(self.now + choose.choice(_JUMPS) * _MINUTE + choose.randrange(_MINUTE))
        if choose.random() < 0.01:
            self.now = Instant(self.now + 430 * DAY)
        self.events.append(ticked(self.now))

    def again(self, choose: Random) -> None:
        """An event a second time: as it was, under a new id, or with other content."""
        former = choose.choice(
            [event for event in self.events if not isinstance(event, ClockTicked | CompanyConfigured)]
        )
        if choose.random() < 0.6:
            former = msgspec.structs.replace(former, event_id=self.event_id(), recorded_at=self.now)
        if hasattr(former, "amount_minor") and former.amount_minor and choose.random() < 0.4:
            former = msgspec.structs.replace(former, event_id=self.event_id(), amount_minor=former.amount_minor + 1)
        self.events.append(former)

    def add(self, event_type: type[Event], choose: Random, account: AccountBook, /, **payload: object) -> None:
        """An event of an account, now; sometimes it occurred earlier, a little later, or was recorded late."""
        occurred = self.now + choose.choice((0, 0, 0, 0, -DAY, -9 * DAY, DAY // 2, 3 * DAY))
        recorded = self.now + choose.choice((0, 5, 5, -DAY))
        given: dict[str, object] = {
            "account_id": account.account_id,
            "occurred_at": occurred,
            "recorded_at": recorded,
            **payload,
        }
        self.events.append(written(event_type, self.now, self.event_id(), account.company, **given))

    def event_id(self) -> str:
        self.count += 1
        return f"e{self.count}"

    def day(self, choose: Random) -> Day:
        """Today, mostly; else a day before or after."""
        return Day(self.now // DAY + choose.choice(_OFFSETS))

    def effective(self, choose: Random) -> Day | None:
        """A date of its own, or none."""
        return self.day(choose) if choose.random() < 0.5 else None


def minor_amount(choose: Random, currency: str) -> int:
    """A round amount in minor units, rarely an odd one, zero or below."""
    amount = choose.choice(_AMOUNTS) * 10 ** (exponent(currency) or 0)
    odd = choose.random()
    return 0 if odd < 0.02 else -amount if odd < 0.04 else amount + choose.randrange(1, 100) if odd < 0.1 else amount


def scaled_amount(choose: Random, currency: str) -> dict[str, object]:
    """An amount without its currency, as written with or without trailing zeros."""
    decimals = exponent(currency) or 0
    amount = minor_amount(choose, currency)
    if amount and amount % 10**decimals == 0 and choose.random() < 0.3:
        return {"amount_minor": amount // 10**decimals, "amount_scale": 0}
    if choose.random() < 0.01:
        return {"amount_minor": amount * 10 + 1, "amount_scale": decimals + 1}
    return {"amount_minor": amount, "amount_scale": decimals}


def fitting_amount(choose: Random, currency: str, *limits: int | None) -> dict[str, object]:
    """Mostly an amount that is open, or left, by the writer's own reckoning."""
    limit = min((limit for limit in limits if limit is not None), default=0)
    if limit <= 0 or choose.random() < 0.1:
        return scaled_amount(choose, currency)
    amount = limit if choose.random() < 0.5 else max(1, limit * choose.choice((1, 2, 3, 9, 10)) // 10)
    return {"amount_minor": amount, "amount_scale": exponent(currency) or 0}


def currency_of(choose: Random, account: AccountBook) -> str:
    """Mostly that of the account."""
    return {"C1": "EUR", "C2": "KWD", "C3": "JPY"}[account.account_id] if choose.random() < 0.85 else "EUR"


def new_id(choose: Random, prefix: str, account: AccountBook) -> str:
    """Mostly a new id, sometimes one that is taken."""
    taken = account.ids.get(prefix, 0)
    if taken and choose.random() < 0.05:
        return f"{account.account_id}-{prefix}{choose.randrange(taken)}"
    account.ids[prefix] = taken + 1
    return f"{account.account_id}-{prefix}{taken}"


def next_id(prefix: str, account: AccountBook) -> str:
    """The id that will be given next: of something that has not arrived."""
    return f"{account.account_id}-{prefix}{account.ids.get(prefix, 0)}"


def one_of(choose: Random, known: list[tuple[str, str]], missing: str) -> tuple[str, str]:
    """Mostly one of the latest, sometimes one that does not exist (yet)."""
    if not known or choose.random() < 0.05:
        return missing, "EUR"
    return choose.choice(known[-4:]) if choose.random() < 0.8 else choose.choice(known)


def id_of(choose: Random, known: list[str]) -> str:
    """Mostly one of the latest."""
    return choose.choice(known[-4:]) if known and choose.random() > 0.05 else "none"


def no_longer(choose: Random, known: list[tuple[str, str]], gone: str) -> None:
    """Mostly nobody refers to it any more."""
    if choose.random() < 0.8:
        known[:] = [each for each in known if each[0] != gone]
