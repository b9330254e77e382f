"""What an entry says of itself (`Ntry`), apart from its transactions."""

from datetime import date, datetime
from decimal import Decimal
from typing import Literal

import msgspec

from sources.bank.camt.codes import BankCode, bank_code
from sources.bank.camt.values import (
    EntryFaultError,
    Moment,
    amount_of,
    count_of,
    currency_of,
    indicator,
    is_credit,
    moment_of,
    reference,
)
from sources.xml import Element, child, line_of, text

Status = Literal["booked", "not_booked"]


class EntryHead(msgspec.Struct, frozen=True, gc=False):
    """The head of an entry. Dates that are not given are those that are, or the statement's.

    `details_elsewhere`: the bank says that another message has the transactions (`AddtlInfInd`).
    `batch_reference` is that of the collection or the payment file (`Btch/PmtInfId`), `batch_size` its transactions.
    """

    line: int
    amount: Decimal
    currency: str
    is_credit: bool
    is_reversal: bool
    is_booked: bool
    booking_date: date
    value_date: date
    occurred_at: datetime | None
    servicer_reference: str | None
    code: BankCode
    details_elsewhere: bool
    batch_reference: str | None
    batch_size: int | None
    information: str | None


class StatedAmount(msgspec.Struct, frozen=True, gc=False):
    """The part of a head that totals are made of."""

    amount: Decimal
    currency: str
    is_credit: bool
    is_booked: bool


def stated_amount(entry: Element, currency: str | None) -> StatedAmount:
    """The amount of an entry. Raises ``EntryFaultError``."""
    amount = child(entry, "Amt")
    if amount is None:
        raise EntryFaultError("missing_field", "the entry has no amount (Amt)")
    direction = is_credit(entry)
    if direction is None:
        raise EntryFaultError("missing_field", "the entry does not say whether it is a credit or a debit (CdtDbtInd)")
    return StatedAmount(amount_of(amount), currency_of(amount, currency), direction, is_booked(entry))


def is_booked(entry: Element) -> bool:
    """Whether an entry is on the account: its status is BOOK, or it has none. Others are pending, future, information.

    Since version 08 the status is a choice of a code and a proprietary word; such a word does not say BOOK.
    """
    status = child(entry, "Sts")
    if status is None:
        return True
    code = text(status, "Cd") or text(status)
    return len(status) == 0 if code is None else code == "BOOK"


def entry_head(entry: Element, currency: str | None, otherwise: date | None) -> EntryHead:
    """The head of an entry. `currency` is the account's, `otherwise` the statement's date.

    Raises ``EntryFaultError``.
    """
    stated = stated_amount(entry, currency)
    booked, valued = moment_of(child(entry, "BookgDt")), moment_of(child(entry, "ValDt"))
    dated = None if otherwise is None else Moment((otherwise, None))
    # What is not booked yet is known since the statement; what is has the same dates in every message.
    first = booked or (valued or dated if stated.is_booked else dated or valued)
    if first is None:
        raise EntryFaultError("missing_field", "the entry has neither a booking date nor a value date")
    batch = child(entry, "Btch")  # version 01; later it stands in the details
    return EntryHead(
        line=line_of(entry),
        amount=stated.amount,
        currency=stated.currency,
        is_credit=stated.is_credit,
        is_reversal=indicator(entry, "RvslInd") is True,
        is_booked=stated.is_booked,
        booking_date=first[0],
        value_date=(valued or first)[0],
        occurred_at=booked[1] if booked is not None else None,
        servicer_reference=reference(text(entry, "AcctSvcrRef")),
        code=bank_code(entry),
        details_elsewhere=_details_elsewhere(entry),
        batch_reference=batch_reference(batch),
        batch_size=batch_size(batch),
        information=None,
    )


def completed(head: EntryHead, entry: Element, size: int | None, batch: str | None) -> EntryHead:
    """The head with what stands behind it: the batch of the details, and what the bank says at the end."""
    return msgspec.structs.replace(
        head,
        batch_size=size or head.batch_size,
        batch_reference=batch or head.batch_reference,
        information=text(entry, "AddtlNtryInf"),
    )


def batch_reference(batch: Element | None) -> str | None:
    """The reference of a collection or a payment file: ours, where we sent it."""
    return reference(text(batch, "PmtInfId") or text(batch, "MsgId"))


def batch_size(batch: Element | None) -> int | None:
    """How many transactions a batch says it has."""
    return count_of(text(batch, "NbOfTxs"))


def _details_elsewhere(entry: Element) -> bool:
    indication = child(entry, "AddtlInfInd")
    if indication is None:
        return False
    message = text(indication, "MsgNmId")
    return "camt.05" in message if message is not None else text(indication, "MsgId") is not None
