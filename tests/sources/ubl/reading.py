"""Runs bytes through a UBL adapter, and tells what became of them; and makes documents that agree with themselves."""

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from avro.text import write_event
from sources import Parsed, ParsedEvent, SourceOptions, SourceReject, adapter

OPTIONS = SourceOptions(company="SE01", now=lambda: datetime(2026, 3, 3, tzinfo=UTC))

_COMPONENTS = "urn:oasis:names:specification:ubl:schema:xsd:Common"
_NAMESPACES = f'xmlns:cac="{_COMPONENTS}AggregateComponents-2" xmlns:cbc="{_COMPONENTS}BasicComponents-2"'
CUSTOMER = "<cac:Party><cac:PartyIdentification><cbc:ID>C-1</cbc:ID></cac:PartyIdentification></cac:Party>"


def document(
    total: str,
    *extra: str,
    kind: str = "Invoice",
    type_code: str = "380",
    currency: str = "EUR",
    customer: str = CUSTOMER,
    number: str = "I-1",
) -> bytes:
    """A document with this LegalMonetaryTotal; `extra` are elements between customer and total."""
    return (
        f'<{kind} xmlns="urn:oasis:names:specification:ubl:schema:xsd:{kind}-2" {_NAMESPACES}>'
        f"<cbc:ID>{number}</cbc:ID><cbc:IssueDate>2026-03-02</cbc:IssueDate>"
        f"<cbc:{kind}TypeCode>{type_code}</cbc:{kind}TypeCode>"
        f"<cbc:DocumentCurrencyCode>{currency}</cbc:DocumentCurrencyCode>"
        f"<cac:AccountingCustomerParty>{customer}</cac:AccountingCustomerParty>"
        f"{''.join(extra)}<cac:LegalMonetaryTotal>{total}</cac:LegalMonetaryTotal></{kind}>"
    ).encode()


def amount(name: str, value: object, currency: str = "EUR") -> str:
    """One amount element."""
    return f'<cbc:{name} currencyID="{currency}">{value}</cbc:{name}>'


def read(data: bytes, form: str = "ubl-invoice", payers: Path | None = None) -> list[Parsed]:
    """All values of a file."""
    options = SourceOptions(company="SE01", now=OPTIONS.now, payers=payers)
    return list(adapter(form, options).read(io.BytesIO(data), "file.xml"))


def events(data: bytes, form: str = "ubl-invoice", payers: Path | None = None) -> list[dict[str, Any]]:
    """The events of a file in their written form; nothing of it may be rejected."""
    values = read(data, form, payers)
    assert [value for value in values if isinstance(value, SourceReject)] == []
    return [write_event(value.name, value.record) for value in values if isinstance(value, ParsedEvent)]


def reject(data: bytes, form: str = "ubl-invoice") -> SourceReject:
    """The reject of a file of which nothing else is taken."""
    values = read(data, form)
    assert len(values) == 1
    assert isinstance(values[0], SourceReject)
    return values[0]
