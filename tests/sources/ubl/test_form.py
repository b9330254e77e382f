"""Large documents, and documents that would reach out of themselves."""

import pytest

from tests.sources.ubl.reading import amount, document, events, reject

PAYABLE = amount("PayableAmount", "100.00")


def test_lines_and_attachments_are_let_go_as_they_pass() -> None:
    """More elements together than a reader may hold at once."""
    item = "<cac:Item>" + "<cbc:Description>a</cbc:Description>" * 50 + "</cac:Item>"
    line = f"<cac:InvoiceLine>{amount('LineExtensionAmount', '0.05')}{item}</cac:InvoiceLine>"
    attached = "<cac:AdditionalDocumentReference>" + "<cbc:ID>1</cbc:ID>" * 1000 + "</cac:AdditionalDocumentReference>"
    totals = amount("LineExtensionAmount", "100.00") + PAYABLE
    (event,) = events(document(totals, *[attached] * 110, *[line] * 2000))
    assert event["amount"] == "100.00"


@pytest.mark.parametrize(
    "declaration",
    [
        '<!DOCTYPE Invoice [<!ENTITY a "x"><!ENTITY b "&a;&a;&a;">]>',
        '<!DOCTYPE Invoice SYSTEM "file:///etc/passwd">',
        '<!DOCTYPE Invoice [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
    ],
)
def test_a_document_type_is_refused(declaration: str) -> None:
    data = declaration.encode() + document(PAYABLE).replace(
        b"I-1", b"&a;" if b"ENTITY" in declaration.encode() else b"1"
    )
    assert reject(data).reason == "forbidden_document_type"


def test_a_file_with_several_documents_is_refused_whole_when_one_disagrees() -> None:
    bad = document(amount("TaxInclusiveAmount", 99) + PAYABLE)
    assert reject(b"<batch>" + document(PAYABLE) + bad + b"</batch>").reason == "control_total_mismatch"
