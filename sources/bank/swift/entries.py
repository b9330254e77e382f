"""Postings of statements → bank entries."""

from datetime import date

from sources.bank.entry import BankEntry, EntryKind, ReturnReason
from sources.bank.format import BadEntry, PassedOver
from sources.bank.plain_text import iban_in
from sources.bank.reasons import return_reason
from sources.bank.swift.codes import method, treatment
from sources.bank.swift.messages import Posting

# Why cash went back, where the bank does not say: a credit was taken back, or else a collection has failed.
_UNSAID: dict[bool, ReturnReason] = {True: "recall", False: "nsf"}

Outcome = BankEntry | PassedOver | BadEntry


def outcome(posting: Posting, *, is_booked: bool) -> Outcome:
    """What a posting is. Of a report that is not booked, credits are announced and the others passed over."""
    posted, told = posting.posted, posting.told
    why = treatment(posted.mark, posted.transaction_type, told.business_code, is_return=told.is_return)
    if why not in ("received", "returned"):
        return PassedOver(posting.line, why)
    if not posted.amount:
        return PassedOver(posting.line, "zero_amount")
    if why == "returned" and not is_booked:
        return PassedOver(posting.line, "intraday")
    if posted.dates is None:
        message = "the statement line has a value or entry date that no calendar has"
        return BadEntry(posting.line, "invalid_date", message, posting.original)
    if why == "returned":
        return _entry(posting, "returned", posted.dates)
    return _entry(posting, "received" if is_booked else "announced", posted.dates)


def _entry(posting: Posting, kind: EntryKind, dates: tuple[date, date]) -> BankEntry:
    posted, told, statement = posting.posted, posting.told, posting.statement
    end_to_end = told.end_to_end_id or posted.customer_reference
    is_return = kind == "returned"
    return BankEntry(
        line=posting.line,
        kind=kind,
        account=statement.account,
        amount=posted.amount,
        currency=statement.currency,
        booking_date=dates[0],
        value_date=dates[1],
        servicer_reference=posted.bank_reference,
        reference_repeats=True,
        end_to_end_id=None if is_return else end_to_end,
        payment_reference=told.remittance or _wording(posting),
        payer_name=told.name,
        payer_account=told.account or posted.account,
        method=method(posted.transaction_type),
        original_reference=_original(posting, end_to_end) if is_return else None,
        return_reason=return_reason(told.return_code, _UNSAID[posted.mark == "RC"]) if is_return else None,
        reason_code=(told.return_code or told.business_code) if is_return else None,
    )


def _original(posting: Posting, end_to_end: str | None) -> str | None:
    """What went back. A credit that is reversed may be named by the bank's reference; that of a return is its own."""
    return end_to_end or (posting.posted.bank_reference if posting.posted.mark == "RC" else None)


def _wording(posting: Posting) -> str | None:
    """The supplementary details, where they are words and no account number."""
    text = posting.posted.details
    return text if text is not None and iban_in(text) is None else None
