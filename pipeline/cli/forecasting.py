"""From histories in ClickHouse to a forecast, and back (jobs.forecast)."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from clickhouse_connect.driver.client import Client

from jobs.forecast import Forecast, History, average_delays, days_late_by_average, fit
from jobs.money import decimal_of, exponent
from sinks.forecasts import (
    BacktestRow,
    ForecastRow,
    InvoiceHistory,
    OpenPromise,
    invoice_histories,
    kept_rate,
    open_promises,
)

# What was learned from the last years counts; older habits are no habits any more.
LEARNED_DAYS = 730


@dataclass(frozen=True)
class Learned:
    """Everything known of a company at an instant: its open invoices, and what the closed ones teach."""

    company: str
    as_of: date
    known_as_of: datetime
    open: list[InvoiceHistory]
    model: Forecast
    delays: dict[str, float]
    counts: Counter[str]
    promises: list[OpenPromise]
    kept: float


def end_of_day(day: date) -> datetime:
    """What is known at the end of a day (UTC), for a forecast that is made then."""
    return datetime.combine(day, time(23, 59, 59, 999999), UTC)


def learn(client: Client, company: str, as_of: date, known_as_of: datetime) -> Learned:
    """Fit the model to what was known."""
    still_open: list[InvoiceHistory] = []
    histories: list[History] = []
    counts: Counter[str] = Counter()
    for invoice in invoice_histories(client, company, as_of, known_as_of):
        if invoice.open_minor > 0:
            still_open.append(invoice)
        if (as_of - invoice.issued).days <= LEARNED_DAYS:
            histories.append(history_of(invoice, as_of))
            counts[invoice.account_id] += 1
    return Learned(
        company,
        as_of,
        known_as_of,
        still_open,
        fit(histories),
        dict(average_delays(histories)),
        counts,
        open_promises(client, company, as_of, known_as_of),
        kept_rate(client, company, as_of, known_as_of),
    )


def history_of(invoice: InvoiceHistory, as_of: date) -> History:
    """An invoice as the model sees it: ages from the due date, shares of the amount."""
    due, amount = invoice.due_date, invoice.amount_minor
    paid = tuple(sorted(((day - due).days, minor / amount) for day, minor in invoice.paid))
    share = sum(part for _, part in paid)
    return History(
        account=invoice.account_id,
        segment=segment_of(invoice),
        issued=(invoice.issued - due).days,
        known_until=(as_of - due).days,
        paid=paid,
        other=max(0.0, 1.0 - share - invoice.open_minor / amount),
    )


def segment_of(invoice: InvoiceHistory) -> str:
    """Peers: those of the same segment, and disputed invoices apart, because they are paid late by other customs."""
    return f"{invoice.segment}/disputed" if invoice.disputed else invoice.segment


def forecast(learned: Learned, weeks: int) -> Iterator[ForecastRow]:
    """The rows of all open invoices."""
    promised, promised_week = _promised(learned, weeks)
    for invoice in learned.open:
        age = (learned.as_of - invoice.due_date).days
        hazard = learned.model.of(invoice.account_id, segment_of(invoice))
        chances = [hazard.paid_by(age, 7 * week) for week in range(1, weeks + 1)]
        key = invoice.account_id, invoice.currency, invoice.item_id
        held = min(promised.get(key, 0), invoice.open_minor)
        promised[key] = promised.get(key, 0) - held
        by_week = _weekly(chances, invoice.open_minor - held)
        if held and promised_week[key] <= weeks:
            by_week[promised_week[key] - 1] += held * learned.kept
        yield ForecastRow(
            learned.company,
            learned.as_of,
            learned.known_as_of,
            invoice.account_id,
            invoice.currency,
            invoice.item_type,
            invoice.item_id,
            invoice.instalment,
            invoice.due_date,
            decimal_of(invoice.open_minor, invoice.currency),
            age,
            invoice.due_date + timedelta(days=hazard.quantile(age, 0.5)),
            1.0 if age >= 0 else 1.0 - hazard.paid_by(age, -age),
            [round(chance, 6) for chance in chances],
            [_money(minor, invoice.currency) for minor in by_week],
            decimal_of(held, invoice.currency),
            learned.counts[invoice.account_id],
        )


def _promised(learned: Learned, weeks: int) -> tuple[dict[tuple[str, str, str], int], dict[tuple[str, str, str], int]]:
    """What is promised of each invoice, earliest promise and oldest due first, and the week in which it is to come."""
    left: dict[tuple[str, str, str], int] = {}
    due: dict[tuple[str, str, str], date] = {}
    for invoice in learned.open:
        key = invoice.account_id, invoice.currency, invoice.item_id
        left[key] = left.get(key, 0) + invoice.open_minor
        due[key] = min(due.get(key, invoice.due_date), invoice.due_date)
    held: dict[tuple[str, str, str], int] = {}
    week_of: dict[tuple[str, str, str], int] = {}
    for promise in learned.promises:
        rest = promise.amount_minor
        week = max(1, -(-(promise.promised_on - learned.as_of).days // 7))
        covered = {(promise.account_id, promise.currency, item) for item in promise.invoice_ids} & left.keys()
        for key in sorted(covered, key=lambda each: (due[each], each)):
            part = min(rest, left[key] - held.get(key, 0))
            if part > 0:
                held[key] = held.get(key, 0) + part
                week_of.setdefault(key, min(week, weeks + 1))
                rest -= part
    return held, week_of


def _weekly(chances: Sequence[float], minor: int) -> list[float]:
    before = [0.0, *chances[:-1]]
    return [minor * (chance - earlier) for chance, earlier in zip(chances, before, strict=True)]


def _money(minor: float, currency: str) -> Decimal:
    """Expected cash in units of its currency: an estimate, rounded to the minor unit."""
    places = exponent(currency) or 0
    return Decimal(round(minor)).scaleb(-places)


def backtest(client: Client, company: str, as_of: date, weeks: int, known_by: date) -> Iterator[BacktestRow]:
    """What a forecast of a past date would have said, two baselines, and what came by `known_by`."""
    learned = learn(client, company, as_of, end_of_day(as_of))
    names = [(invoice.currency, invoice.item_type, invoice.item_id, invoice.instalment) for invoice in learned.open]
    came = _came(client, company, as_of, known_by, weeks, frozenset(names))
    sums: dict[str, list[list[Decimal]]] = defaultdict(lambda: [[Decimal(0)] * weeks for _ in range(4)])
    for row, invoice in zip(forecast(learned, weeks), learned.open, strict=True):
        model, by_due, by_average, actual = sums[invoice.currency]
        for number, cash in enumerate(row.expected):
            model[number] += cash
        delay = days_late_by_average(learned.delays, invoice.account_id)
        for baseline, late in ((by_due, 0.0), (by_average, delay)):
            days = (invoice.due_date - as_of).days + round(late)
            number = max(0, -(-days // 7) - 1)
            if number < weeks:
                baseline[number] += row.open
        key = invoice.currency, invoice.item_type, invoice.item_id, invoice.instalment
        for number in range(weeks):
            actual[number] += decimal_of(came[(*key, number)], invoice.currency)
    for currency, (model, by_due, by_average, actual) in sorted(sums.items()):
        for number in range(weeks):
            yield BacktestRow(
                company,
                as_of,
                currency,
                number + 1,
                as_of + timedelta(days=7 * number + 1),
                model[number],
                by_due[number],
                by_average[number],
                actual[number],
            )


def _came(
    client: Client,
    company: str,
    as_of: date,
    known_by: date,
    weeks: int,
    wanted: frozenset[tuple[str, str, str, int]],
) -> Counter[tuple[str, str, str, int, int]]:
    """Cash applied to these items by week of its value date, as known later."""
    came: Counter[tuple[str, str, str, int, int]] = Counter()
    for invoice in invoice_histories(client, company, known_by, end_of_day(known_by)):
        key = invoice.currency, invoice.item_type, invoice.item_id, invoice.instalment
        if key not in wanted:
            continue
        for day, minor in invoice.paid:
            number = -(-(day - as_of).days // 7) - 1
            if day > as_of and number < weeks:
                came[(*key, number)] += minor
    return came
