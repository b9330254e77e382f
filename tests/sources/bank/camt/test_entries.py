"""What an entry becomes: its transactions, its references, and what it is not."""

from decimal import Decimal
from typing import Any

import pytest

from tests.sources.bank.camt.reading import cash, outcome
from tests.sources.bank.camt.statement import Detail, Entry, batch, direction, printed

RETURNED = "<RtrInf><Rsn><Cd>{}</Cd></Rsn></RtrInf>"
END_TO_END = "<Refs><EndToEndId>{}</EndToEndId></Refs>"
CODE = "<BkTxCd><Domn><Cd>{}</Cd><Fmly><Cd>{}</Cd><SubFmlyCd>{}</SubFmlyCd></Fmly></Domn></BkTxCd>"


def only(entry: Entry, form: str = "camt053") -> dict[str, Any]:
    said = outcome(form, printed([entry], version=8))
    assert len(said) == 1
    return said[0]


def one(more: str = "", *, is_credit: bool = True, entry: str = "") -> Entry:
    detail = Detail(Decimal(50), is_credit, more)
    return Entry(Decimal(50), is_credit, "A1", details=(detail,), more=entry)


@pytest.mark.parametrize(
    ("said", "known"),
    [
        ("NOTPROVIDED", None),
        ("Not Provided", None),
        ("NOT-PROVIDED", None),
        ("notprovided", None),
        ("NONREF", None),
        ("000000", None),
        ("RE-1", "RE-1"),
        ("  RE-1  ", "RE-1"),
    ],
)
def test_words_for_no_reference(said: str, known: str | None) -> None:
    assert only(one(END_TO_END.format(said))).get("end_to_end_id") == known


@pytest.mark.parametrize(
    "code", ["ACMT.MDOP.INTR", "CAMT.ACCB.ZABA", "LDAS.NTAV.DDWN", "PMNT.RCDT.COAT", "PMNT.MCOP.CHRG"]
)
def test_credits_that_no_customer_paid(code: str) -> None:
    assert "skipped" in only(one(entry=CODE.format(*code.split("."))))


@pytest.mark.parametrize(
    "code", ["PMNT.RCDT.ESCT", "PMNT.ICDT.ESCT", "PMNT.RDDT.PMDD", "XTND.NTAV.NTAV", "TRAD.DCCT.CASH"]
)
def test_credits_that_may_be_a_customers(code: str) -> None:
    assert only(one(entry=CODE.format(*code.split("."))))["event"] == "PaymentReceived"


@pytest.mark.parametrize(
    "entry",
    [
        one(entry="<RvslInd>true</RvslInd>"),
        one(RETURNED.format("AC01")),
        one(entry=CODE.format("PMNT", "ICDT", "RRTN")),
        one(entry="<BkTxCd><Prtry><Cd>NRTI+159+1</Cd></Prtry></BkTxCd>"),
        one(entry="<BkTxCd><Prtry><Cd>159</Cd><Issr>DK</Issr></Prtry></BkTxCd>"),
    ],
)
def test_our_own_payment_that_comes_back_is_no_cash(entry: Entry) -> None:
    assert only(entry)["skipped"] == "reversal_of_debit"


@pytest.mark.parametrize(
    ("entry", "reason", "code"),
    [
        (one(RETURNED.format("AC04"), is_credit=False), "nsf", "AC04"),
        (one(RETURNED.format("MD06"), is_credit=False), "chargeback", "MD06"),
        (one(RETURNED.format("XX99"), is_credit=False), "recall", "XX99"),
        (one("<RtrInf><Rsn><Prtry>AM05</Prtry></Rsn></RtrInf>", is_credit=False), "duplicate", "AM05"),
        (one(is_credit=False, entry="<RvslInd>true</RvslInd>"), "recall", None),
        (one(is_credit=False, entry=CODE.format("PMNT", "IDDT", "UPDD")), "nsf", None),
        (one(is_credit=False, entry=CODE.format("PMNT", "RCHQ", "UPCQ")), "nsf", None),
        (
            one(RETURNED.format("MD01"), is_credit=False, entry=CODE.format("PMNT", "IDDT", "UPDD")),
            "chargeback",
            "MD01",
        ),
        (one(is_credit=False, entry="<BkTxCd><Prtry><Cd>NRTI+109+9</Cd></Prtry></BkTxCd>"), "nsf", None),
    ],
)
def test_returns(entry: Entry, reason: str, code: str | None) -> None:
    said = only(entry)
    assert (said["event"], said["reason"], said.get("reason_code")) == ("PaymentReversed", reason, code)


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        (one(is_credit=False), "debit"),
        (one(is_credit=False, entry=CODE.format("PMNT", "IDDT", "CHRG")), "fee"),
        (Entry(Decimal(0), reference="A"), "zero_amount"),
        (Entry(Decimal(9), is_credit=False, status="PDNG", more="<RvslInd>true</RvslInd>"), "pending_return"),
    ],
)
def test_what_is_passed_over(entry: Entry, why: str) -> None:
    assert only(entry)["skipped"] == why


@pytest.mark.parametrize("status", ["PDNG", "INFO", "FUTR"])
def test_what_is_not_booked_is_announced(status: str) -> None:
    said = only(Entry(Decimal(9), reference="A", status=status))
    assert (said["event"], said["action"]) == ("UserActivityLogged", "cash_announced")


def test_returns_of_one_debit_are_taken_apart_although_charges_stand_between() -> None:
    details = tuple(
        Detail(Decimal(50), False, END_TO_END.format(e2e) + RETURNED.format("AM04")) for e2e in ("E1", "E2")
    )
    said = outcome("camt053", printed([Entry(Decimal(106), False, "A1", details=details)]))
    assert [(event["event"], event["reference"]) for event in said] == [
        ("PaymentReversed", "E1"),
        ("PaymentReversed", "E2"),
    ]


def test_a_return_is_never_taken_for_a_payment_of_the_same_reference() -> None:
    """Some banks give one reference to what they book of a file. The end-to-end id says what came back."""
    credit = Entry(Decimal(50), True, "A1", details=(Detail(Decimal(50), more=END_TO_END.format("E2")),))
    back = one(END_TO_END.format("E1") + RETURNED.format("AM04"), is_credit=False)
    paid, returned = outcome("camt053", printed([credit, back]))
    assert paid["payment_id"] == "faf7e1c01073:A1:0"
    assert (returned["reference"], returned["payment_id"]) == ("E1", "faf7e1c01073:A1/return:0")
    # The bank's own reversal of a booking has no end-to-end id: it is of the booking with that reference.
    undone = only(one(is_credit=False, entry="<RvslInd>true</RvslInd>"))
    assert (undone.get("reference"), undone["payment_id"]) == (None, "faf7e1c01073:A1:0")


def test_transactions_that_do_not_make_up_a_credit_are_taken_as_one() -> None:
    """The bank booked 97: it kept something, or its list is a part. More than 97 never becomes cash."""
    details = (Detail(Decimal(50)), Detail(Decimal(50)))
    assert cash("camt053", printed([Entry(Decimal(97), True, "A1", details=details)])) == [
        ("faf7e1c01073:A1:0", Decimal(97))
    ]


def test_transactions_of_an_entry_that_is_taken_as_one_are_named() -> None:
    details = tuple(Detail(Decimal(50), more=END_TO_END.format(f"E{number}")) for number in range(1, 13))
    said = only(Entry(Decimal(97), True, "A1", details=details[:2]))
    assert said["payer_reference"] == "50 E1, 50 E2"
    assert only(Entry(Decimal(97), True, "A1", details=details))["payer_reference"].endswith("E10, … (12 transactions)")


def test_the_amount_is_the_entrys_where_one_transaction_says_another() -> None:
    """5 % were kept abroad: what the payer sent is not what arrived."""
    entry = Entry(Decimal(95), True, "A1", details=(Detail(Decimal(100), more=END_TO_END.format("E1")),))
    said = only(entry)
    assert (said["amount"], said["end_to_end_id"]) == ("95.00", "E1")


def test_one_transaction_that_stands_for_a_batch_names_no_payer() -> None:
    detail = "<TxDtls><Refs><EndToEndId>E1</EndToEndId></Refs></TxDtls>"
    more = f"<NtryDtls><Btch><PmtInfId>P1</PmtInfId><NbOfTxs>7</NbOfTxs></Btch>{detail}</NtryDtls>"
    said = only(Entry(Decimal(95), True, "A1", more=more))
    assert (said["amount"], said.get("end_to_end_id"), said["payer_reference"]) == ("95.00", None, "P1")


BATCH = "<NtryDtls><Btch><NbOfTxs>7</NbOfTxs></Btch></NtryDtls>"
ELSEWHERE = "<AddtlInfInd><MsgNmId>{}</MsgNmId></AddtlInfInd>"


@pytest.mark.parametrize(
    ("form", "more", "event"),
    [
        ("camt053", BATCH, "PaymentReceived"),
        ("camt053", ELSEWHERE.format("camt.054.001.08") + BATCH, "UserActivityLogged"),
        ("camt053", ELSEWHERE.format("camt.054.001.08"), "UserActivityLogged"),
        ("camt053", ELSEWHERE.format("camt.086.001.01"), "PaymentReceived"),
        ("camt053", "<AddtlInfInd><MsgId>N1</MsgId></AddtlInfInd>", "UserActivityLogged"),
        ("camt053-with-camt054", BATCH, "UserActivityLogged"),
        ("camt053-with-camt054", "", "PaymentReceived"),
    ],
)
def test_a_total_whose_transactions_come_elsewhere_is_no_cash(form: str, more: str, event: str) -> None:
    assert only(Entry(Decimal(95), True, "A1", more=more), form)["event"] == event


def test_a_total_of_an_intraday_report_waits_for_the_statement() -> None:
    """The statement may have its transactions: the total would be cash beside them."""
    entry = Entry(Decimal(95), True, "A1", more=BATCH)
    assert cash("camt052", printed([entry], "camt.052")) == []
    assert len(cash("camt053", printed([entry]))) == 1
    assert len(cash("camt052", printed([Entry(Decimal(95), True, "A1")], "camt.052"))) == 1
    assert (
        len(cash("camt052", printed([batch(Detail(Decimal(1)), Detail(Decimal(2)), reference="A1")], "camt.052"))) == 2
    )


def test_a_notice_is_where_the_transactions_come() -> None:
    data = printed([Entry(Decimal(95), True, "A1", more=ELSEWHERE.format("camt.054.001.08"))], "camt.054")
    assert len(cash("camt054", data)) == 1


def test_a_reference_on_several_entries() -> None:
    entries = [
        Entry(Decimal(1), False, "R"),  # a fee before the credit leaves the credit its place
        Entry(Decimal(10), True, "R"),
        batch(Detail(Decimal(20)), Detail(Decimal(30)), reference="R"),
        Entry(Decimal(40), True, "R", status="PDNG"),
        Entry(Decimal(50), True, "R"),
    ]
    found = [(payment.partition(":")[2], amount) for payment, amount in cash("camt053", printed(entries))]
    assert found == [("R:0", Decimal(10)), ("R:1", Decimal(20)), ("R:2", Decimal(30)), ("R:3", Decimal(50))]


def test_references_of_transactions_where_the_entry_has_none() -> None:
    reference = "<Refs><AcctSvcrRef>{}</AcctSvcrRef></Refs>"
    entry = batch(
        *(Detail(Decimal(amount), more=reference.format(r)) for amount, r in ((1, "T1"), (2, "T2"), (3, "T2")))
    )
    found = [payment.partition(":")[2] for payment, _ in cash("camt053", printed([entry]))]
    assert found == ["T1:0", "T2:0", "T2:1"]


BAI = "<BkTxCd><Prtry><Cd>{}</Cd><Issr>BAI</Issr></Prtry></BkTxCd>"


@pytest.mark.parametrize(
    ("code", "is_credit", "outcome_"),
    [
        ("142", True, "PaymentReceived"),
        ("555", False, "PaymentReversed"),
        ("354", True, "interest"),
        ("475", False, "debit"),
        ("698", False, "fee"),
    ],
)
def test_bai_type_codes(code: str, is_credit: bool, outcome_: str) -> None:
    said = only(one(is_credit=is_credit, entry=BAI.format(code)))
    assert (said.get("event") or said["skipped"]) == outcome_


def test_codes_of_a_transaction_stand_beside_those_of_its_entry() -> None:
    own = "<BkTxCd><Prtry><Cd>NRTI+109+9</Cd></Prtry></BkTxCd>"
    said = only(one(own, is_credit=False, entry=CODE.format("PMNT", "IDDT", "ESDD")))
    assert (said["event"], said["reason"]) == ("PaymentReversed", "nsf")


PARTIES = "<RltdPties>{}</RltdPties>"
DEBTOR = "<Dbtr><Pty>{}</Pty></Dbtr>"
ACCOUNT = "<{0}Acct><Id><IBAN>{1}</IBAN></Id></{0}Acct>"
OURS, THEIRS = "DE89370400440532013000", "FR7630006000011234567890189"


@pytest.mark.parametrize(
    ("parties", "name"),
    [
        (DEBTOR.format("<Nm>Ada</Nm>") + ACCOUNT.format("Dbtr", THEIRS), "Ada"),
        (DEBTOR.format("<Nm>Ada</Nm>") + "<UltmtDbtr><Pty><Nm>Bea</Nm></Pty></UltmtDbtr>", "Ada"),
        (DEBTOR.format("") + "<UltmtDbtr><Pty><Nm>Bea</Nm></Pty></UltmtDbtr>", "Bea"),
        ("<Dbtr><Agt><FinInstnId><Nm>A bank</Nm></FinInstnId></Agt></Dbtr>", "A bank"),
        # The other side as the creditor, where the debtor is missing or is us.
        ("<Cdtr><Nm>Ada</Nm></Cdtr>" + ACCOUNT.format("Cdtr", THEIRS), "Ada"),
        (DEBTOR.format("<Nm>We</Nm>") + ACCOUNT.format("Dbtr", OURS) + "<Cdtr><Nm>Ada</Nm></Cdtr>"
         + ACCOUNT.format("Cdtr", THEIRS), "Ada"),
        # Us as the creditor, with another number of ours: no payer.
        (DEBTOR.format("<Id><OrgId><AnyBIC>X</AnyBIC></OrgId></Id>") + "<Cdtr><Nm>We</Nm></Cdtr>"
         + ACCOUNT.format("Cdtr", THEIRS), None),
        ("<Cdtr><Nm>We</Nm></Cdtr>" + ACCOUNT.format("Cdtr", OURS), None),
        ("<Cdtr><Nm>We</Nm></Cdtr>", None),
    ],
)  # fmt: skip
def test_who_paid(parties: str, name: str | None) -> None:
    assert only(one(PARTIES.format(parties))).get("payer_name") == name


TAGS = "<AddtlNtryInf>/TRTP/SEPA X/NAME/{}/REMI/Factuur 7/EREF/E7{}</AddtlNtryInf>"


def test_the_text_of_an_entry_without_transactions_is_taken_apart() -> None:
    said = only(Entry(Decimal(5), True, "A1", more=TAGS.format("Ada", "")))
    assert (said["payer_name"], said["payer_reference"], said["end_to_end_id"]) == ("Ada", "Factuur 7", "E7")
    back = only(Entry(Decimal(5), False, "A1", more=TAGS.format("Ada", "/RTRN/MS03")))
    assert (back["event"], back["reason"], back["reason_code"], back["reference"]) == (
        "PaymentReversed",
        "nsf",
        "MS03",
        "E7",
    )
    batch_ = only(Entry(Decimal(5), True, "A1", more=BATCH + TAGS.format("Ada", "")))
    assert batch_.get("payer_name") is None


def test_a_time_with_its_offset_is_kept_and_one_without_is_a_date() -> None:
    for said, kept in (
        ("2026-03-31T11:17:45+02:00", "2026-03-31T09:17:45Z"),
        ("2026-03-31T11:17:45", "2026-03-31T12:00:00Z"),
        ("2026-03-31T00:00:00+02:00", "2026-03-31T12:00:00Z"),
        ("2026-03-31Z", "2026-03-31T12:00:00Z"),
    ):
        data = printed([Entry(Decimal(5), reference="A1")])
        data = data.replace(b"<BookgDt><Dt>2026-03-31</Dt>", f"<BookgDt><DtTm>{said}</DtTm>".encode())
        assert outcome("camt053", data)[0]["occurred_at"] == kept


def test_credit_and_debit_of_one_entry() -> None:
    more = END_TO_END.format("E9") + RETURNED.format("AM04")
    entry = batch(Detail(Decimal(100)), Detail(Decimal(20), False, more), Detail(Decimal(5), False), reference="A1")
    said = outcome("camt053", printed([entry]))
    assert [event.get("event") or event["skipped"] for event in said] == ["PaymentReceived", "PaymentReversed", "debit"]


def test_transactions_marked_against_their_entry_are_of_its_direction() -> None:
    """Some banks write every transaction as a credit, also in a debit."""
    details = tuple(Detail(Decimal(3), more=RETURNED.format("AM04")) for _ in range(2))
    said = outcome("camt053", printed([Entry(Decimal(6), False, "A1", details=details)]))
    assert [event["event"] for event in said] == ["PaymentReversed"] * 2


def test_the_direction_must_be_known() -> None:
    data = printed([Entry(Decimal(5), reference="A1")], "camt.054")
    data = data[: data.index(b"<TxsSummry>")] + data[data.index(b"</TxsSummry>") + len(b"</TxsSummry>") :]
    said = outcome("camt054", data.replace(direction(True).encode(), b""))
    assert [row["rejected"] for row in said] == ["missing_field"]


def test_a_dtd_in_a_statement_is_refused() -> None:
    laughs = '<!ENTITY a "12">' + "".join(
        f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    for subset in (f"[{laughs}]", 'SYSTEM "file:///etc/passwd"', '[<!ENTITY i SYSTEM "file:///etc/passwd">]'):
        data = printed([Entry(Decimal(5), reference="&i;")]).replace(b"?>", f"?><!DOCTYPE Document {subset}>".encode())
        assert [row["rejected"] for row in outcome("camt053", data)] == ["forbidden_document_type"]
