"""One movement on a bank account, as far as receivables are concerned. Amounts are exact decimals, never floats."""

from datetime import date, datetime
from decimal import Decimal
from typing import Literal

import msgspec

from sources.bank.account import BankAccount

EntryKind = Literal["received", "returned", "announced"]
"""`received`: a booked credit. `returned`: a booked debit that takes back cash received before, or a notice of that.
`announced`: pending or intraday; it is logged and never cash."""

ReturnReason = Literal["nsf", "chargeback", "recall", "duplicate"]
"""Why cash went back, in the words of ``PaymentReversed``."""


class RemittedInvoice(msgspec.Struct, frozen=True, gc=False):
    """An invoice that the payer says is paid. No amount = all of the payment, where it is the only one.

    `deduction_amount` is what the payer keeps back beside it, with the payer's reason code.
    """

    invoice_id: str
    amount: Decimal | None = None
    deduction_amount: Decimal | None = None
    deduction_reason: str | None = None


class BankEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One credit, return or announcement: a transaction of a batch, or an entry that has no transactions.

    `line` is where it begins in the file, from 1. `amount` is positive, in `currency`. `servicer_reference` is the
    bank's own reference of the booking and `detail_index` the transaction's place in it, from 0; together with the
    account they identify the cash in whatever file reports it. Where the bank gives no reference, the content does,
    with a count of equal entries. `reference_repeats` is set where the format's references may repeat (one for all
    items of a day): amount, dates and the payer's reference then tell entries of one reference apart. `deletes` is set
    on a return that takes an earlier message back and so names its cash. `occurred_at` is the bank's time, where the
    file has one.
    `original_reference` names what a return takes back: end-to-end id or servicer reference of the original.
    `payment_reference` is what the payer wrote: creditor reference or remittance text.
    """

    line: int
    kind: EntryKind
    account: BankAccount
    amount: Decimal
    currency: str
    booking_date: date
    value_date: date
    occurred_at: datetime | None = None
    servicer_reference: str | None = None
    reference_repeats: bool = False
    deletes: bool = False
    detail_index: int = 0
    end_to_end_id: str | None = None
    payment_reference: str | None = None
    payer_name: str | None = None
    payer_account: str | None = None
    payer_id: str | None = None
    method: str | None = None
    invoices: tuple[RemittedInvoice, ...] = ()
    original_reference: str | None = None
    return_reason: ReturnReason | None = None
    reason_code: str | None = None
