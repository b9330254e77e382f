"""Ids derive from documents: the same document gives the same id, two documents give two."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avro import contracts
from avro.written import event_names as all_event_names
from sources.event_fields import event_names, fields_of
from sources.identity import BUSINESS_KEYS, derive_event_id

RECORD: dict[str, Any] = {
    "source": "sap",
    "company": "FR01",
    "account_id": "C1",
    "occurred_at": 1_768_377_600_000_000,
    "document_type": "invoice",
    "invoice_id": "I1",
    "instalment": None,
    "due_date": 20_467,
}


def test_an_id_says_where_it_comes_from() -> None:
    assert derive_event_id("InvoiceIssued", RECORD) == "sap/FR01/InvoiceIssued/invoice/I1"
    assert derive_event_id("InvoiceDueDateChanged", RECORD) == (
        "sap/FR01/InvoiceDueDateChanged/I1//2026-01-14/2026-01-14T08:00:00Z"
    )


@given(st.tuples(*[st.text(alphabet="a/%", max_size=3)] * 4), st.tuples(*[st.text(alphabet="a/%", max_size=3)] * 4))
def test_different_keys_never_share_an_id(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    def identifier(parts: tuple[str, ...]) -> str:
        names = ("source", "company", "document_type", "invoice_id")
        return derive_event_id("InvoiceIssued", dict(zip(names, parts, strict=True)))

    assert (identifier(one) == identifier(other)) == (one == other)


@pytest.mark.parametrize("name", sorted(BUSINESS_KEYS))
def test_a_key_is_made_of_fields_that_the_event_has(name: str) -> None:
    known = {field["name"] for field in contracts().schema(name)["fields"]}
    assert set(BUSINESS_KEYS[name]) <= known
    assert {"source", "company"} <= known


def test_sources_may_send_every_event_of_the_vocabulary_and_no_other() -> None:
    # Those that the pipeline sends to itself are told by their documentation and never have a key here.
    own = {"ApplicationCarried", "ApplicationSettled", "ClockTicked", "CompanyConfigured"}
    assert not own & set(event_names())
    assert set(event_names()) <= set(all_event_names())


@pytest.mark.parametrize("name", ["InvoiceIssued", "RemittanceReceived", "ExchangeRateSet"])
def test_fields_have_their_written_names(name: str) -> None:
    assert not [written for written in fields_of(name) if re.search(r"_minor$|_scale$", written)]


def test_the_table_of_the_documentation_lists_every_key(repository: Path) -> None:
    page = (repository / "docs" / "sources" / "README.md").read_text(encoding="utf-8")
    for name, fields in BUSINESS_KEYS.items():
        assert f"| {name} | {', '.join(fields)} |" in page
