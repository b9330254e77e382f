"""The format `bai2`: cash management statements of the Bank Administration Institute (version 2, BTRS).

Final data are cash. Interim data (as-of-date modifiers 1 and 3) are announced, for the final ones follow. A group of
status 2 deletes what was sent before, one of status 4 is a test; a correction brings what is new, and what it repeats
has the ids that it had.

A lockbox deposit in a statement and the checks of a lockbox file are one cash. Where both are taken in, the statement's
deposit is announced only.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import BinaryIO

from msgspec import structs

from avro.amounts import InvalidNumber
from sources.bank.bai.addenda import invoices_in
from sources.bank.bai.detail import BadDetailError, Detail, detail
from sources.bank.bai.envelopes import Section, details
from sources.bank.bai.numbers import money
from sources.bank.bai.records import Record
from sources.bank.bai.type_codes import LOCKBOX, METHODS, deposit_of, is_deposit, reason_of_return, treatment
from sources.bank.entry import BankEntry, RemittedInvoice
from sources.bank.format import BadEntry, PassedOver
from sources.bank.plain_text import Repetitions, said
from sources.bank.reasons import return_reason

Outcome = BankEntry | PassedOver | BadEntry


class Bai2:
    """The parser. It holds one record at a time. `lockboxes_apart`: lockbox files bring the cash of lockboxes."""

    source = "bai2"

    def __init__(self, *, lockboxes_apart: bool = False) -> None:
        self._lockboxes_apart = lockboxes_apart
        self._repeated = Repetitions()

    def verify(self, stream: BinaryIO) -> None:
        """Structure, totals and counts of all envelopes. Raises ``FileRefusedError``."""
        self._repeated = Repetitions()
        for _ in details(stream, self._repeated):
            pass

    def entries(self, stream: BinaryIO) -> Iterator[Outcome]:
        """The transactions in order."""
        ordinal = -1
        deposits = _Deposits()
        for section, record in details(stream):
            if section.ordinal != ordinal:
                ordinal, deposits = section.ordinal, _Deposits()
            if ordinal in self._repeated:
                yield PassedOver(record.line, "repeated_statement")
            else:
                yield self._told_once(_outcome(section, record, deposits))

    def _told_once(self, outcome: Outcome) -> Outcome:
        if self._lockboxes_apart and isinstance(outcome, BankEntry):
            is_deposit_of_checks = outcome.kind == "received" and outcome.method == LOCKBOX
            return structs.replace(outcome, kind="announced") if is_deposit_of_checks else outcome
        return outcome


class _Deposits:
    """Deposits of an account section whose items may follow in records of their own: one cash, told twice."""

    def __init__(self) -> None:
        self._left: dict[str, Decimal] = {}

    def covers(self, code: str, amount: Decimal) -> bool:
        """Whether an entry is an item of a deposit that stood before it. Deposits are remembered."""
        deposit = deposit_of(code)
        if deposit is None:
            self._left[code] = amount
            return False
        left = self._left.get(deposit, Decimal(0))
        if amount > left:
            return False
        self._left[deposit] = left - amount
        return True


def _outcome(section: Section, record: Record, deposits: _Deposits) -> Outcome:
    try:
        said_here = detail(record)
        amount = money(said_here.amount, section.currency)
    except BadDetailError as error:
        return _bad(record, "malformed_entry", str(error))
    except InvalidNumber as error:
        return _bad(record, "invalid_currency", str(error))
    why = treatment(said_here.code)
    if why not in ("received", "returned"):
        return PassedOver(record.line, why)
    if amount is None or amount < 0:
        message = f"the amount is {said_here.amount[:30]!r}; a transaction's amount is digits without a sign"
        return _bad(record, "invalid_amount", message)
    group = section.group
    if group.status == "test":
        return PassedOver(record.line, "test")
    if not amount:
        return PassedOver(record.line, "zero_amount")
    if deposits.covers(said_here.code, amount):
        return PassedOver(record.line, "item_of_deposit")
    if why == "returned" and (group.intraday or group.status == "deletion"):
        return PassedOver(record.line, "intraday" if group.intraday else "deletion")
    if group.status == "deletion" and not group.intraday:
        return _deletion(section, record, said_here, amount)
    if why == "returned":
        return _return(section, record, said_here, amount)
    return _credit(section, record, said_here, amount)


def _entry(
    section: Section,
    record: Record,
    said_here: Detail,
    amount: Decimal,
    **more: str | bool | tuple[RemittedInvoice, ...] | None,
) -> BankEntry:
    as_of = section.group.as_of
    return BankEntry(
        line=record.line,
        account=section.account,
        amount=amount,
        currency=section.currency,
        booking_date=as_of,
        value_date=said_here.value_date or as_of,
        servicer_reference=said_here.bank_reference,
        reference_repeats=True,
        method=METHODS.get(said_here.code),
        **more,  # type: ignore[arg-type]  # each caller's are fields of an entry
    )


def _credit(section: Section, record: Record, said_here: Detail, amount: Decimal) -> BankEntry:
    tags = said_here.tags
    end_to_end = said(tags.get("EREF"))
    remittance = said(tags.get("REMI")) or said_here.text
    if is_deposit(said_here.code):
        remittance = said(f"{said_here.customer_reference or ''} {remittance or ''}")
    elif end_to_end is None:
        end_to_end = said_here.customer_reference
    return _entry(
        section,
        record,
        said_here,
        amount,
        kind="announced" if section.group.intraday else "received",
        end_to_end_id=end_to_end,
        payment_reference=remittance,
        payer_name=said(tags.get("DBNM")),
        payer_account=said(tags.get("DACT")),
        invoices=invoices_in(said_here.lines, amount),
    )


def _return(section: Section, record: Record, said_here: Detail, amount: Decimal) -> BankEntry:
    code = said_here.reason_code
    # Not the bank's reference: it is that of the return, and where banks give one to all of a day, another payment's.
    original = said(said_here.tags.get("EREF")) or said_here.customer_reference
    return _entry(
        section,
        record,
        said_here,
        amount,
        kind="returned",
        original_reference=original,
        payment_reference=said_here.text,
        return_reason=return_reason(code, otherwise=reason_of_return(said_here.code)),
        reason_code=code or said_here.code,
    )


def _deletion(section: Section, record: Record, said_here: Detail, amount: Decimal) -> Outcome:
    if said_here.bank_reference is None:
        message = "a deletion without bank reference does not say which cash it deletes; reverse the payment by hand"
        return _bad(record, "deletion_without_reference", message)
    return _entry(
        section,
        record,
        said_here,
        amount,
        kind="returned",
        deletes=True,
        original_reference=said_here.bank_reference,
        return_reason="recall",
        reason_code="deletion",
    )


def _bad(record: Record, reason: str, message: str) -> BadEntry:
    return BadEntry(record.line, reason, message, "\n".join((record.code, *record.parts)).encode())


def bai2_with_lockbox() -> Bai2:
    """Statements of a company that takes in lockbox files too."""
    return Bai2(lockboxes_apart=True)
