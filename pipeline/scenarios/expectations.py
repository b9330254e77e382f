"""Expectations of a scenario, answered from what the fold put out (SCENARIOS §2)."""

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, TypeVar, get_args

from jobs.as_of import OpenLine, open_lines, rolled_up
from jobs.company import CompanySettings, CreditMode
from jobs.effects import Item
from jobs.kpi import FIGURES, Window, figure
from jobs.money import decimal_of, exponent
from jobs.values import Day, Instant, Minor, day_of
from pipeline.scenarios import lists
from pipeline.scenarios.comparison import Answers, Mismatch, UnansweredError, compare, zero_if_expected
from pipeline.scenarios.format import calendar_date, instant
from pipeline.scenarios.world import World

T = TypeVar("T")

_OF_A_DOCUMENT = frozenset({"as_of", "known_as_of", "account_id", "company", "document_type"})
_OF_THE_AGING = ("company", "as_of", "known_as_of", "credit_mode", "rollup")


def check(expectation: dict[str, Any], world: World) -> list[Mismatch]:
    """What of an expectation does not hold; an expectation that nothing answers does not hold."""
    subject = next((name for name in SUBJECTS if name in expectation), None)
    if subject is None:
        return [Mismatch("expectation", "one of " + ", ".join(SUBJECTS), next(iter(expectation), None))]
    try:
        return SUBJECTS[subject](expectation, world)
    except KeyError as error:
        return [Mismatch(subject, expectation[subject], f"the expectation needs {error.args[0]!r}")]
    except (UnansweredError, ValueError, TypeError) as error:
        return [Mismatch(subject, expectation[subject], f"{error}")]


# Looking at one thing


def _invoice(expectation: dict[str, Any], world: World) -> list[Mismatch]:
    item = _item(expectation, world)
    settings = world.companies[item.company]
    as_of = _as_of(expectation, world, item.company)
    known = _known_as_of(expectation)
    lines = {
        line: amount
        for line, amount in open_lines(world.entries, as_of, known).items()
        if (line.company, line.item_type, line.item_id) == (item.company, item.document_type, item.document_id)
    }
    open_amount = Minor(sum(lines.values()))
    disputed = min(
        _disputed(world, item.company, as_of, known).get((item.document_type, item.document_id), 0), open_amount
    )
    oldest = min((line.due_date for line in lines), default=None)
    days_past_due = None if oldest is None or not open_amount else as_of - oldest
    answers: Answers = {
        "open": decimal_of(open_amount, item.currency),
        "status": item.status,
        "bucket": None if days_past_due is None else settings.aging.name(days_past_due),
        "days_past_due": days_past_due,
        "disputed": decimal_of(disputed, item.currency),
        "collectible": decimal_of(open_amount - disputed, item.currency),
        "instalments": _instalments(item, lines, as_of, settings),
    }
    return compare(expectation, "invoice", answers, _OF_A_DOCUMENT)


def _item(expectation: dict[str, Any], world: World) -> Item:
    found = [
        item
        for (company, document_type, document_id), item in world.items.items()
        if document_id == str(expectation["invoice"])
        and company == expectation.get("company", company)
        and item.account_id == str(expectation.get("account_id", item.account_id))
        and document_type == expectation.get("document_type", document_type)
    ]
    invoices = [item for item in found if item.document_type == "invoice"]
    if len(invoices or found) != 1:
        count = len(invoices or found)
        raise UnansweredError(
            "no such document" if not count else f"{count} documents of that number; name company or account_id"
        )
    return (invoices or found)[0]


def _instalments(item: Item, lines: dict[OpenLine, Minor], as_of: Day, settings: CompanySettings) -> list[Answers]:
    answers: list[Answers] = []
    for instalment in item.instalments:
        own = {line: amount for line, amount in lines.items() if line.instalment == instalment.number}
        amount = sum(own.values())
        bucket = settings.aging.name(as_of - min(line.due_date for line in own)) if own and amount else None
        answers.append({"number": instalment.number, "open": decimal_of(amount, item.currency), "bucket": bucket})
    return answers


def _payment(expectation: dict[str, Any], world: World) -> list[Mismatch]:
    receipt = _only(world.receipts, expectation, "payment")
    answers: Answers = {
        "status": receipt.status,
        "unapplied": decimal_of(receipt.unapplied_minor, receipt.currency),
        "applied": decimal_of(receipt.applied_minor, receipt.currency),
    }
    return compare(expectation, "payment", answers)


def _promise(expectation: dict[str, Any], world: World) -> list[Mismatch]:
    promise = _only(world.promises, expectation, "promise")
    answers: Answers = {
        "status": promise.status,
        "level": promise.level,
        "paid_in_window": decimal_of(promise.paid_in_window_minor, promise.currency),
        "paid_late": decimal_of(promise.paid_late_minor, promise.currency),
        "paid_late_days": zero_if_expected(expectation.get("paid_late_days"), promise.paid_late_days),
        "instalments": [{"number": part.number, "status": part.status} for part in promise.instalments],
    }
    return compare(expectation, "promise", answers)


def _exception(expectation: dict[str, Any], world: World) -> list[Mismatch]:
    case = _only(world.exceptions, expectation, "exception")
    amount = None if case.amount_minor is None else decimal_of(case.amount_minor, case.currency or "")
    return compare(expectation, "exception", {"status": case.status, "subject": case.subject_id, "amount": amount})


def _dispute(expectation: dict[str, Any], world: World) -> list[Mismatch]:
    case = _only(world.dispute_cases, expectation, "dispute")
    # A resolved dispute may be asked for as `resolved` or by its outcome.
    status = case.outcome if case.outcome is not None and expectation.get("status") == case.outcome else case.status
    amount = decimal_of(case.amount_minor, case.currency)
    return compare(expectation, "dispute", {"status": status, "subject": case.document_id, "amount": amount})


def _only(found: dict[tuple[str, str], T], expectation: dict[str, Any], subject: str) -> T:
    """The one of that id, in the company named or in any."""
    matches = [
        entity
        for (company, identifier), entity in found.items()
        if identifier == str(expectation[subject]) and company == expectation.get("company", company)
    ]
    if len(matches) != 1:
        raise UnansweredError(
            f"no such {subject}" if not matches else f"several companies have that {subject}; name company"
        )
    return matches[0]


def _aging(expectation: dict[str, Any], world: World) -> list[Mismatch]:
    asked = expectation["aging"]
    if not isinstance(asked, dict):
        raise UnansweredError("aging looks at a mapping like {account_id: C1, currency: EUR}")
    asked = {**{key: expectation[key] for key in _OF_THE_AGING if key in expectation}, **asked}
    unknown = [key for key in asked if key not in {"account_id", "currency", *_OF_THE_AGING}]
    if unknown:
        raise UnansweredError(f"aging knows no {unknown[0]!r}; a column stands beside `aging`, not in it")
    mode = asked.get("credit_mode")
    if mode not in {None, *get_args(CreditMode)}:
        raise UnansweredError(f"credit_mode is one of {', '.join(get_args(CreditMode))}, not {mode!r}")
    account, currency = str(asked["account_id"]), str(asked["currency"])
    company = _company(asked, world, account)
    settings = world.companies[company]
    as_of = _as_of(asked, world, company)
    known = _known_as_of(asked)
    accounts = {account}
    if asked.get("rollup"):
        accounts = _descendants(account, world.parents(company, as_of, known))
    lines = {
        line: amount
        for line, amount in open_lines(world.entries, as_of, known).items()
        if line.company == company and line.currency == currency and line.account_id in accounts
    }
    report = rolled_up(lines, as_of, settings.aging, mode or settings.credit_mode)
    disputed = 0
    for (document_type, document_id), amount in _disputed(world, company, as_of, known).items():
        open_amount = sum(
            part for line, part in lines.items() if (line.item_type, line.item_id) == (document_type, document_id)
        )
        disputed += max(0, min(amount, open_amount))
    rate = world.rate(company, currency, settings.base_currency, as_of, known)
    answers: Answers = {
        **{name: decimal_of(amount, currency) for name, amount in report.buckets.items()},
        "unapplied": decimal_of(report.unapplied, currency),
        "on_account": decimal_of(report.on_account, currency),
        "credits": decimal_of(report.credits, currency),
        "disputed": decimal_of(disputed, currency),
        "total": decimal_of(report.total, currency),
        "reconciliation_gap": decimal_of(report.reconciliation_gap, currency),
        "base_total": None if rate is None else _in_base(report.total, currency, settings.base_currency, rate),
    }
    return compare(expectation, "aging", answers, frozenset(_OF_THE_AGING))


def _in_base(amount: Minor, currency: str, base: str, rate: Decimal) -> Decimal:
    unit = Decimal(1).scaleb(-(exponent(base) or 0))
    return (decimal_of(amount, currency) * rate).quantize(unit, ROUND_HALF_UP)


def _descendants(account: str, parents: dict[str, str]) -> set[str]:
    found = {account}
    grown = True
    while grown:
        children = {child for child, parent in parents.items() if parent in found} - found
        found |= children
        grown = bool(children)
    return found


def _disputed(world: World, company: str, as_of: Day, known: Instant | None) -> dict[tuple[str, str], int]:
    amounts: dict[tuple[str, str], int] = {}
    for entry in world.disputes:
        if entry.company == company and entry.effective_date <= as_of and (known is None or entry.recorded_at <= known):
            document = entry.document_type, entry.document_id
            amounts[document] = amounts.get(document, 0) + entry.delta_minor
    return amounts


def _account(expectation: dict[str, Any], world: World) -> list[Mismatch]:
    account = str(expectation["account"])
    company = _company(expectation, world, account)
    standing = world.fold.credit(company, account, expectation.get("currency"))
    answers: Answers = {
        "exposure": decimal_of(standing.exposure, standing.currency),
        "on_hold": standing.on_hold,
        "hold_recommended": bool(standing.hold_reasons),
        "level": zero_if_expected(expectation.get("level"), standing.level),
    }
    return compare(expectation, "account", answers, frozenset({"company", "currency"}))


def _kpi(expectation: dict[str, Any], world: World) -> list[Mismatch]:
    name, currency = str(expectation["kpi"]), str(expectation["currency"])
    company = _known(expectation.get("company", next(iter(world.companies))), world)
    if name not in FIGURES:
        raise UnansweredError(f"unknown figure {name!r}; known are {', '.join(FIGURES)}")
    window = Window(day_of(calendar_date(expectation["from"])), day_of(calendar_date(expectation["to"])))
    if window.days < 1:
        raise UnansweredError("the window ends before it begins; from and to are inclusive")
    value = figure(name, world.books(company, currency), window)
    if value is not None and name == "unapplied_amount":
        value = decimal_of(int(value), currency)
    return compare(expectation, "kpi", {"value": value}, frozenset({"company", "currency", "from", "to"}))


# What is named


def _company(asked: dict[str, Any], world: World, account: str) -> str:
    if "company" in asked:
        return _known(asked["company"], world)
    having = {entry.company for entry in world.entries if entry.account_id == account}
    having |= {state.company for state in world.accounts if account in {state.account_id, state.parent_account_id}}
    if len(having) > 1:
        raise UnansweredError(f"several companies have account {account}; name company")
    return having.pop() if having else next(iter(world.companies))


def _known(code: object, world: World) -> str:
    if code not in world.companies:
        raise UnansweredError(f"the scenario has no company {code}")
    return str(code)


def _as_of(asked: dict[str, Any], world: World, company: str) -> Day:
    return day_of(calendar_date(asked["as_of"])) if asked.get("as_of") is not None else world.today(company)


def _known_as_of(asked: dict[str, Any]) -> Instant | None:
    return instant(asked["known_as_of"]) if asked.get("known_as_of") is not None else None


SUBJECTS: dict[str, Callable[[dict[str, Any], World], list[Mismatch]]] = {
    "invoice": _invoice,
    "payment": _payment,
    "aging": _aging,
    "transitions": lists.transitions,
    "rejected": lists.rejected,
    "account": _account,
    "alerts": lists.alerts,
    "alerts_of": lists.alerts_of,
    "promise": _promise,
    "exception": _exception,
    "dispute": _dispute,
    "notices_due": lists.notices_due,
    "worklist": lists.worklist,
    "kpi": _kpi,
}
