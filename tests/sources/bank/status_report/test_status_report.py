"""Status reports: rejections are logged, never cash, and a report that contradicts itself is refused."""

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources import ParsedEvent, SourceOptions, SourceReject, adapter
from tests.sources.bank.camt.reading import outcome

HEAD = "<GrpHdr><MsgId>M</MsgId><CreDtTm>2026-03-27T08:12:44+01:00</CreDtTm></GrpHdr>"
REJECTED = (
    "<TxInfAndSts><OrgnlEndToEndId>{}</OrgnlEndToEndId><TxSts>RJCT</TxSts><StsRsnInf><Rsn><Cd>AC04</Cd></Rsn>"
    '</StsRsnInf><OrgnlTxRef><Amt><InstdAmt Ccy="EUR">10.00</InstdAmt></Amt><Dbtr><Nm>Ada</Nm></Dbtr></OrgnlTxRef>'
    "</TxInfAndSts>"
)


def report(*transactions: str, group: str = "", payment: str = "", version: int = 3) -> bytes:
    return (
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.{version:02}"><CstmrPmtStsRpt>{HEAD}'
        f"<OrgnlGrpInfAndSts><OrgnlMsgId>O</OrgnlMsgId>{group or '<OrgnlMsgNmId>pain.008.001.02</OrgnlMsgNmId>'}"
        f"</OrgnlGrpInfAndSts><OrgnlPmtInfAndSts><OrgnlPmtInfId>P</OrgnlPmtInfId>{payment}{''.join(transactions)}"
        "</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>"
    ).encode()


def only(data: bytes) -> dict[str, Any]:
    said = outcome("pain002", data)
    assert len(said) == 1
    return said[0]


@pytest.mark.parametrize("version", range(3, 15))
def test_a_rejection_is_an_activity(version: int) -> None:
    said = only(report(REJECTED.format("E1"), version=version))
    assert (said["event"], said["action"], said["entity_id"]) == ("UserActivityLogged", "collection_rejected", "E1")
    assert said["changes"]["reason_code"] == {"new": "AC04"}
    assert said["changes"]["amount"] == {"new": "10.00 EUR"}
    assert said["succeeded"] is False


def test_the_second_version() -> None:
    data = (
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.02"><pain.002.001.02>'
        f"{HEAD}<OrgnlGrpInfAndSts><OrgnlMsgId>O</OrgnlMsgId><OrgnlMsgNmId>pain.008.001.01</OrgnlMsgNmId>"
        "<GrpSts>PART</GrpSts></OrgnlGrpInfAndSts><TxInfAndSts><OrgnlEndToEndId>E1</OrgnlEndToEndId><TxSts>RJCT</TxSts>"
        "<StsRsnInf><StsRsn><Cd>AC04</Cd></StsRsn></StsRsnInf></TxInfAndSts></pain.002.001.02></Document>"
    ).encode()
    said = only(data)
    assert (said["entity_id"], said["changes"]["reason_code"]) == ("E1", {"new": "AC04"})


def test_the_account_of_a_known_debtor(tmp_path: Path) -> None:
    payers = tmp_path / "payers.csv"
    payers.write_text("payer,account_id\nADA,C-17\n")
    options = SourceOptions(company="FR01", payers=payers, now=lambda: datetime(2026, 9, 19, tzinfo=UTC))
    stream = io.BytesIO(report(REJECTED.format("E1")))
    (event,) = adapter("pain002", options).read(stream, "r.xml")
    assert isinstance(event, ParsedEvent)
    assert event.record["account_id"] == "C-17"


def test_other_statuses_are_passed_over() -> None:
    said = only(report(REJECTED.format("E1").replace("RJCT", "ACSC")))
    assert said["skipped"] == "status ACSC"
    assert only(report(REJECTED.format("E1").replace("RJCT", "any words")))["skipped"] == "status not known"


def test_our_own_outgoing_payments_are_none_of_receivables() -> None:
    said = only(report(REJECTED.format("E1"), group="<OrgnlMsgNmId>pain.001.001.03</OrgnlMsgNmId>"))
    assert said["skipped"] == "outgoing_payment"


def test_a_status_may_be_that_of_the_collection() -> None:
    transaction = REJECTED.format("E1").replace("<TxSts>RJCT</TxSts>", "")
    assert only(report(transaction, payment="<PmtInfSts>RJCT</PmtInfSts>"))["entity_id"] == "E1"


def test_a_rejection_of_nothing_that_is_named_is_rejected() -> None:
    assert only(report(REJECTED.format("NOTPROVIDED")))["rejected"] == "missing_field"


COUNT = "<NbOfTxsPerSts><DtldNbOfTxs>{}</DtldNbOfTxs><DtldSts>RJCT</DtldSts>{}</NbOfTxsPerSts>"


@pytest.mark.parametrize(
    ("count", "total", "is_refused"),
    [
        ("2", "", False),
        ("2", "<DtldCtrlSum>20.00</DtldCtrlSum>", False),
        ("2", "<DtldCtrlSum>20.01</DtldCtrlSum>", True),
        ("3", "<DtldCtrlSum>30.00</DtldCtrlSum>", False),
        ("1", "", True),
        ("two", "", True),
    ],
)
def test_what_the_report_counts(count: str, total: str, is_refused: bool) -> None:
    said = outcome("pain002", report(REJECTED.format("E1"), REJECTED.format("E2"), group=COUNT.format(count, total)))
    assert ["rejected" in row for row in said] == ([True] if is_refused else [False, False])


@pytest.mark.parametrize("version", [15, 99])
def test_a_version_that_is_not_published_is_refused(version: int) -> None:
    assert only(report(REJECTED.format("E1"), version=version))["rejected"] == "unsupported_version"


@given(st.data())
@settings(deadline=None)
def test_damage_never_crashes_and_never_makes_cash(data: st.DataObject) -> None:
    whole = bytearray(report(REJECTED.format("E1"), REJECTED.format("E2")))
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] = data.draw(st.integers(0, 255))
    length = data.draw(st.one_of(st.just(len(whole)), st.integers(0, len(whole))))
    options = SourceOptions(company="FR01")
    said = list(adapter("pain002", options).read(io.BytesIO(bytes(whole[:length])), "r.xml"))
    names = {value.name for value in said if isinstance(value, ParsedEvent)}
    assert names <= {"UserActivityLogged"}
    if length < len(whole):
        assert [type(value) for value in said] == [SourceReject]
