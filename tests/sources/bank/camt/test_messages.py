"""Which message a file is, in all versions and whatever stands around it."""

from decimal import Decimal

import pytest

from sources.bank.camt.messages import VERSION_MAX
from tests.sources.bank.camt.reading import cash, outcome
from tests.sources.bank.camt.statement import CONTAINERS, Detail, Entry, batch, printed

PAYER = "<RltdPties><Dbtr>{}</Dbtr></RltdPties>"
ENTRIES = [
    Entry(Decimal("12.50"), reference="A1"),
    batch(Detail(Decimal(5)), Detail(Decimal(7)), reference="A2"),
    Entry(Decimal(3), is_credit=False, reference="A3"),
    Entry(Decimal(99), reference="A4", status="PDNG"),
]
IDS = ["A1:0", "A2:0", "A2:1"]


def ids(form: str, data: bytes) -> list[str]:
    return [payment.partition(":")[2] for payment, _ in cash(form, data)]


@pytest.mark.parametrize("message", CONTAINERS)
@pytest.mark.parametrize("version", [None, *range(2, VERSION_MAX + 1)])
def test_every_version_of_every_message(message: str, version: int | None) -> None:
    data = printed(ENTRIES, message, version)
    assert ids(message.replace(".", ""), data) == IDS
    assert ids("camt", data) == IDS
    said = outcome("camt", data)
    assert [event["action"] for event in said if event.get("event") == "UserActivityLogged"] == ["cash_announced"]
    assert [row["skipped"] for row in said if "skipped" in row] == ["debit"]


@pytest.mark.parametrize("version", range(2, VERSION_MAX + 1))
def test_a_payer_as_each_version_writes_it(version: int) -> None:
    party = "<Nm>Ada</Nm>" if version < 8 else "<Pty><Nm>Ada</Nm></Pty>"
    data = printed([batch(Detail(Decimal(5), more=PAYER.format(party)))], version=version)
    assert [event["payer_name"] for event in outcome("camt053", data)] == ["Ada"]


def test_the_same_cash_has_the_same_id_in_all_three_messages() -> None:
    said = {message: cash("camt", printed(ENTRIES, message)) for message in CONTAINERS}
    assert len({tuple(payments) for payments in said.values()}) == 1
    assert len(said["camt.052"]) == 3


@pytest.mark.parametrize("form", ["camt052", "camt053", "camt054", "pain002"])
@pytest.mark.parametrize("message", CONTAINERS)
def test_a_file_of_another_message_is_refused_with_the_right_name(form: str, message: str) -> None:
    right = message.replace(".", "")
    if form == right:
        return
    said = outcome(form, printed(ENTRIES, message))
    assert [row["rejected"] for row in said] == ["wrong_format"]
    assert f"--as {right}" in said[0]["message"]


def test_a_status_report_is_no_statement() -> None:
    data = b"<Document><CstmrPmtStsRpt><GrpHdr/></CstmrPmtStsRpt></Document>"
    assert "--as pain002" in outcome("camt053", data)[0]["message"]


@pytest.mark.parametrize("data", [b"<Invoice/>", b"<Document/>", b"<Document><CstmrCdtTrfInitn/></Document>"])
def test_other_xml_is_refused(data: bytes) -> None:
    assert [row["rejected"] for row in outcome("camt", data)] == ["wrong_format"]


def test_a_version_that_is_not_published_is_refused() -> None:
    said = outcome("camt053", printed(ENTRIES, version=VERSION_MAX + 1))
    assert [row["rejected"] for row in said] == ["unsupported_version"]


@pytest.mark.parametrize(
    "namespace",
    [
        "urn:swift:xsd:$camt.053.001.02",
        "ISO:camt.053.001.02:APC:STUZZA:payments:003",
        "http://www.six-interbank-clearing.com/de/camt.053.001.02.ch.01.xsd",
        "urn:iso:std:iso:20022:tech:xsd:camt.053.001.02",
    ],
)
def test_namespaces_of_others(namespace: str) -> None:
    data = printed(ENTRIES, version=2).replace(b"urn:iso:std:iso:20022:tech:xsd:camt.053.001.02", namespace.encode())
    assert namespace.encode() in data
    assert ids("camt053", data) == IDS


def test_several_statements_and_messages_in_one_envelope() -> None:
    one = printed(ENTRIES).partition(b"?>")[2]
    other = one.replace(b"DE89370400440532013000", b"FR7630006000011234567890189")
    data = b"<Envelope xmlns='urn:x'><Header/><Body>" + one + other + one + b"</Body></Envelope>"
    found = cash("camt053", data)
    assert len(found) == 9
    # The first and the last statement are the same: their cash is the same cash.
    assert len({payment for payment, _ in found}) == 6


def test_the_first_version() -> None:
    data = printed([Entry(Decimal(8), reference="A1")], "camt.052", 2)
    data = data.replace(b"BkToCstmrAcctRpt", b"BkToCstmrAcctRptV01").replace(b"052.001.02", b"052.001.01")
    data = data.replace(b"<IBAN>DE89370400440532013000</IBAN>", b"<PrtryAcct><Id>123-4</Id></PrtryAcct>")
    detail = b"<TxDtls><RltdPties><Dbtr><Nm>Ada</Nm></Dbtr></RltdPties></TxDtls></Ntry>"
    said = outcome("camt052", data.replace(b"</Ntry>", detail))
    assert [(event["amount"], event["payer_name"]) for event in said] == [("8.00", "Ada")]


def test_an_empty_statement_has_no_cash() -> None:
    assert outcome("camt053", printed([])) == []


def test_a_statement_without_an_account_is_refused() -> None:
    data = printed(ENTRIES).replace(b"<IBAN>DE89370400440532013000</IBAN>", b"")
    assert [row["rejected"] for row in outcome("camt053", data)] == ["malformed_file"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"</Stmt>", b"</Stmt><Ntry/>"),
        (b"<NtryDtls>", b"<X><NtryDtls/></X><NtryDtls>"),
        (b'</Ntry>\n<Ntry><Amt Ccy="EUR">3<', b'</Ntry><TxDtls/>\n<Ntry><Amt Ccy="EUR">3<'),
    ],
)
def test_entries_and_transactions_outside_their_statement_are_refused(old: bytes, new: bytes) -> None:
    data = printed(ENTRIES)
    assert data.count(old) == 1
    assert [row["rejected"] for row in outcome("camt053", data.replace(old, new))] == ["malformed_file"]


def test_an_account_behind_the_entries_is_too_late() -> None:
    data = printed(ENTRIES)
    start, end = data.index(b"<Acct>"), data.index(b"</Acct>") + len(b"</Acct>")
    account = data[start:end]
    data = (data[:start] + data[end:]).replace(b"</Stmt>", account + b"</Stmt>")
    assert [row["rejected"] for row in outcome("camt053", data)] == ["malformed_file"]
