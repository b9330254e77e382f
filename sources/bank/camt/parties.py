"""Who paid: the debtor of a transaction, whichever version writes it."""

import msgspec

from sources.bank.account import BankAccount, normalised
from sources.xml import Element, child, text


class Party(msgspec.Struct, frozen=True, gc=False):
    """A payer by what is known of it."""

    name: str | None = None
    account: str | None = None
    id: str | None = None


def payer_of(transaction: Element, own: BankAccount) -> Party:
    """The other side of a transaction.

    It is the debtor, on a credit and on the return of one alike. Banks that write the other side as the creditor are
    understood where they write no debtor, or us as one, and the creditor's account is not ours.
    """
    parties = child(transaction, "RltdPties")
    if parties is None:
        return Party()
    debtor = _party(parties, "Dbtr", "DbtrAcct")
    has_debtor = child(parties, "Dbtr") is not None or debtor.account is not None
    if debtor.account is not None and normalised(debtor.account) == normalised(own.number):
        debtor, has_debtor = Party(), False
    if not has_debtor:
        creditor = _party(parties, "Cdtr", "CdtrAcct")
        if creditor.account is not None and normalised(creditor.account) != normalised(own.number):
            return creditor
    if debtor.name is not None:
        return debtor
    ultimate = _party(parties, "UltmtDbtr", "")
    return Party(ultimate.name, debtor.account, debtor.id or ultimate.id)


def account_number(account: Element | None) -> str | None:
    """The number of an account: IBAN, or the bank's own."""
    identification = child(account, "Id")
    return (
        text(identification, "IBAN")
        or text(identification, "Othr", "Id")
        or text(identification, "BBAN")
        or text(identification, "PrtryAcct", "Id")  # version 01
        or text(identification, "UPIC")
    )


def _party(parties: Element, name: str, account: str) -> Party:
    side = child(parties, name)
    number = account_number(child(parties, account)) if account else None
    if side is None:
        return Party(account=number)
    # Since version 08 a party is a person (Pty) or a bank (Agt).
    person = child(side, "Pty")
    if person is None:
        person = side
    called = text(person, "Nm") or text(side, "Agt", "FinInstnId", "Nm")
    return Party(called, number, _identification(person))


def _identification(person: Element) -> str | None:
    identification = child(person, "Id")
    return (
        text(identification, "OrgId", "Othr", "Id")
        or text(identification, "PrvtId", "Othr", "Id")
        or text(identification, "OrgId", "AnyBIC")
        or text(identification, "OrgId", "BICOrBEI")
        or text(identification, "OrgId", "LEI")
    )
