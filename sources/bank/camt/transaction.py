"""What a transaction says (`TxDtls`), apart from its amounts, and how it becomes an entry of the bank's book."""

from decimal import Decimal

import msgspec

from sources.bank.account import BankAccount
from sources.bank.camt.codes import BankCode, bank_code, nature
from sources.bank.camt.details import DetailAmounts, detail_amounts
from sources.bank.camt.head import EntryHead
from sources.bank.camt.parties import Party, payer_of
from sources.bank.camt.remittance import Remittance, remittance
from sources.bank.camt.values import reference
from sources.bank.entry import BankEntry, EntryKind
from sources.bank.format import PassedOver
from sources.bank.reasons import return_reason
from sources.bank.swift.details import Details
from sources.xml import Element, child, line_of, text


class Transaction(msgspec.Struct, frozen=True, gc=False):
    """One transaction. `reason_code` is why it was returned; `is_return` that it was, whatever the reason."""

    line: int
    amounts: DetailAmounts
    code: BankCode
    payer: Party
    remittance: Remittance
    servicer_reference: str | None
    end_to_end_id: str | None
    is_return: bool
    reason_code: str | None
    information: str | None


def transaction_of(element: Element, head: EntryHead, own: BankAccount) -> Transaction:
    """What a transaction says. Raises ``EntryFaultError``."""
    amounts = detail_amounts(element, head.currency)
    stated = amounts.amount(0)
    said = remittance(element, head.currency, head.amount if stated is None else stated)
    references = child(element, "Refs")
    returned = child(element, "RtrInf")
    return Transaction(
        line=line_of(element),
        amounts=amounts,
        code=bank_code(element).within(head.code),
        payer=payer_of(element, own),
        remittance=said,
        servicer_reference=reference(text(references, "AcctSvcrRef")),
        end_to_end_id=reference(text(references, "EndToEndId")) or said.end_to_end_id,
        is_return=returned is not None,
        reason_code=text(returned, "Rsn", "Cd") or text(returned, "Rsn", "Prtry") or text(returned, "RtrRsn", "Cd"),
        information=text(element, "AddtlTxInf"),
    )


class Booked(msgspec.Struct, frozen=True, gc=False):
    """The place of a transaction in the books: which account, which reference, which amount in which direction."""

    account: BankAccount
    amount: Decimal
    is_credit: bool
    servicer_reference: str | None
    detail_index: int


def bank_entry(
    head: EntryHead,
    transaction: Transaction | None,
    booked: Booked,
    information: str | None = None,
    *,
    tags: Details | None = None,
    announced: bool = False,
) -> BankEntry | PassedOver:
    """An entry, or one transaction of it, as customer's cash, as a return, as an announcement; or why it is neither.

    `information` is what the bank says of the whole entry, for an entry that is taken as one, `tags` what that
    text says in tags of a single payment. `announced`: its cash comes with another message.
    """
    line = head.line if transaction is None else transaction.line
    if not booked.amount:
        return PassedOver(line, "zero_amount")
    code = head.code if transaction is None else transaction.code
    meant, why = nature(
        code,
        is_credit=booked.is_credit,
        is_reversal=head.is_reversal and booked.is_credit == head.is_credit,
        is_return=transaction.is_return if transaction is not None else tags is not None and tags.is_return,
    )
    if meant is None:
        return PassedOver(line, why)
    if meant == "return" and not head.is_booked:
        return PassedOver(line, "pending_return")
    kind: EntryKind = "received" if head.is_booked and not announced else "announced"
    if meant == "return":
        kind = "returned"
    entry = BankEntry(
        line=line,
        kind=kind,
        account=booked.account,
        amount=booked.amount,
        currency=head.currency,
        booking_date=head.booking_date,
        value_date=head.value_date,
        occurred_at=head.occurred_at,
        servicer_reference=booked.servicer_reference,
        detail_index=booked.detail_index,
        payment_reference=information,
        method=code.method,
    )
    if transaction is None:
        if tags is not None:
            entry = msgspec.structs.replace(
                entry,
                end_to_end_id=reference(tags.end_to_end_id),
                payment_reference=tags.remittance or information,
                payer_name=tags.name,
                payer_account=tags.account,
            )
        return entry if meant == "cash" else _as_return(entry, None if tags is None else tags.return_code, code)
    entry = msgspec.structs.replace(
        entry,
        end_to_end_id=transaction.end_to_end_id,
        payment_reference=transaction.remittance.payment_reference or transaction.information or information,
        payer_name=transaction.payer.name,
        payer_account=transaction.payer.account,
        payer_id=transaction.payer.id,
        invoices=transaction.remittance.invoices if meant == "cash" else (),
    )
    return entry if meant == "cash" else _as_return(entry, transaction.reason_code, code)


def _as_return(entry: BankEntry, reason_code: str | None, code: BankCode) -> BankEntry:
    """What it takes back is named by the original's end-to-end id, which returns carry on.

    Without one it is what has the same reference of the bank. With one, such a payment is another to which the bank
    gave the same reference, and must not be meant.
    """
    return msgspec.structs.replace(
        entry,
        servicer_reference=_apart(entry.servicer_reference) if entry.end_to_end_id else entry.servicer_reference,
        original_reference=entry.end_to_end_id,
        return_reason=return_reason(reason_code, otherwise=code.undone or "recall"),
        reason_code=reason_code,
    )


def _apart(reference_: str | None) -> str | None:
    """A reference of the bank as no payment has it."""
    return None if reference_ is None else f"{reference_}/return"
