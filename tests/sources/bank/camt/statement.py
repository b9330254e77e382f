"""Statements printed for tests: what is asked for, in any message and version, with totals that agree."""

from collections.abc import Sequence
from decimal import Decimal

import msgspec

CONTAINERS = {
    "camt.052": ("BkToCstmrAcctRpt", "Rpt"),
    "camt.053": ("BkToCstmrStmt", "Stmt"),
    "camt.054": ("BkToCstmrDbtCdtNtfctn", "Ntfctn"),
}


class Detail(msgspec.Struct, frozen=True):
    """A transaction. `more` is put into it as it stands."""

    amount: Decimal
    is_credit: bool = True
    more: str = ""


class Entry(msgspec.Struct, frozen=True):
    """An entry; its amount is the balance of its transactions where it has any."""

    amount: Decimal
    is_credit: bool = True
    reference: str | None = None
    status: str = "BOOK"
    details: tuple[Detail, ...] = ()
    more: str = ""


def batch(*details: Detail, reference: str | None = None, status: str = "BOOK") -> Entry:
    """An entry made of transactions."""
    balance = sum((one.amount if one.is_credit else -one.amount for one in details), Decimal(0))
    return Entry(abs(balance), balance >= 0, reference, status, details)


def direction(is_credit: bool) -> str:
    """The element of a direction."""
    return f"<CdtDbtInd>{'CRDT' if is_credit else 'DBIT'}</CdtDbtInd>"


def printed(
    entries: Sequence[Entry], message: str = "camt.053", version: int | None = 8, opening: Decimal = Decimal(100)
) -> bytes:
    """A file with one statement: summary, balances (camt.053) and entries, as the version writes them."""
    container, statement = CONTAINERS[message]
    namespace = "" if version is None else f' xmlns="urn:iso:std:iso:20022:tech:xsd:{message}.001.{version:02}"'
    credited = [entry.amount for entry in entries if entry.is_credit]
    debited = [entry.amount for entry in entries if not entry.is_credit]
    booked = [entry for entry in entries if entry.status == "BOOK"]
    closing = opening + sum((entry.amount if entry.is_credit else -entry.amount for entry in booked), Decimal(0))
    head = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Document{namespace}><{container}>'
        "<GrpHdr><MsgId>M</MsgId><CreDtTm>2026-03-31T20:00:00+02:00</CreDtTm></GrpHdr>\n"
        f"<{statement}><Id>S</Id><CreDtTm>2026-03-31T20:00:00+02:00</CreDtTm>"
        "<Acct><Id><IBAN>DE89370400440532013000</IBAN></Id><Ccy>EUR</Ccy></Acct>\n"
    )
    parts = [head]
    if message == "camt.053":
        parts += [_balance("OPBD", opening), _balance("CLBD", closing)]
    parts.append(
        f"<TxsSummry><TtlNtries><NbOfNtries>{len(entries)}</NbOfNtries><Sum>{sum(credited + debited)}</Sum></TtlNtries>"
        f"<TtlCdtNtries><NbOfNtries>{len(credited)}</NbOfNtries><Sum>{sum(credited)}</Sum></TtlCdtNtries>"
        f"<TtlDbtNtries><NbOfNtries>{len(debited)}</NbOfNtries><Sum>{sum(debited)}</Sum></TtlDbtNtries></TxsSummry>\n"
    )
    parts += [_entry(entry, version or 8) for entry in entries]
    parts.append(f"</{statement}></{container}></Document>\n")
    return "".join(parts).encode()


def _balance(code: str, amount: Decimal) -> str:
    return (
        f'<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">{abs(amount)}</Amt>'
        f"{direction(amount >= 0)}<Dt><Dt>2026-03-31</Dt></Dt></Bal>\n"
    )


def _entry(entry: Entry, version: int) -> str:
    status = entry.status if version < 8 else f"<Cd>{entry.status}</Cd>"
    reference = "" if entry.reference is None else f"<AcctSvcrRef>{entry.reference}</AcctSvcrRef>"
    details = "".join(_detail(detail, version) for detail in entry.details)
    if details:
        details = f"<NtryDtls><Btch><NbOfTxs>{len(entry.details)}</NbOfTxs></Btch>{details}</NtryDtls>"
    return (
        f'<Ntry><Amt Ccy="EUR">{entry.amount}</Amt>{direction(entry.is_credit)}<Sts>{status}</Sts>'
        f"<BookgDt><Dt>2026-03-31</Dt></BookgDt><ValDt><Dt>2026-03-31</Dt></ValDt>{reference}{entry.more}{details}"
        "</Ntry>\n"
    )


def _detail(detail: Detail, version: int) -> str:
    if version < 4:
        amount = f'<AmtDtls><TxAmt><Amt Ccy="EUR">{detail.amount}</Amt></TxAmt></AmtDtls>'
        amount += "" if detail.is_credit else direction(detail.is_credit)
    else:
        amount = f'<Amt Ccy="EUR">{detail.amount}</Amt>{direction(detail.is_credit)}'
    return f"<TxDtls>{amount}{detail.more}</TxDtls>"
