"""MT940: what banks write into statement lines and details, and what it is."""

from datetime import date
from decimal import Decimal

import pytest

from sources.bank import BankEntry, PassedOver
from sources.bank.swift import Mt940
from sources.bank.swift.codes import treatment
from sources.bank.swift.details import details
from sources.bank.swift.statement_line import StatementLine, statement_line
from tests.sources.bank.reading import cash, entries


def line(text: str) -> StatementLine:
    found = statement_line(text.split("\n"))
    assert found is not None
    return found


def statement(posted: str, told: str = "", closing: str = "C260102EUR10,") -> bytes:
    """A statement of one line that moves the balance from nothing to `closing`."""
    text = f":20:A\n:25:B\n:28C:1\n:60F:C260101EUR0,\n:61:{posted}\n"
    return (text + (f":86:{told}\n" if told else "") + f":62F:{closing}\n-\n").encode()


@pytest.mark.parametrize(
    ("text", "mark", "amount", "kind"),
    [
        ("2601020102C10,NTRFNONREF", "C", "10", "NTRF"),
        ("2601020102CR10,5NTRFNONREF", "C", "10.5", "NTRF"),
        ("2601020102D10,05FCHGNONREF", "D", "10.05", "FCHG"),
        ("2601020102RC10,NTRFNONREF", "RC", "10", "NTRF"),
        ("2601020102RCR10,NTRFNONREF", "RC", "10", "NTRF"),
        ("2601020102RDR10,NTRFNONREF", "RD", "10", "NTRF"),
        ("2601020102EC10,NTRFNONREF", "EC", "10", "NTRF"),
        ("260102    CD10,NDEFNONREF//", "C", "10", "NDEF"),
        ("260102C10,S051", "C", "10", "S051"),
        ("260102C10,S   X", "C", "10", "S"),
        ("260102C10, NTRFNONREF", "C", "10", "NTRF"),
        ("260102CN10,//19239782213", "C", "10", ""),
        ("260102C000000000010,00N102EREF            ", "C", "10.00", "N102"),
    ],
)
def test_marks_amounts_and_types(text: str, mark: str, amount: str, kind: str) -> None:
    found = line(text)
    assert (found.mark, found.amount, found.transaction_type) == (mark, Decimal(amount), kind)


@pytest.mark.parametrize(
    ("text", "customer", "bank", "account"),
    [
        ("NTRFINV-77//B1", "INV-77", "B1", None),
        ("NTRFNONREF//B1\nNL70ABNA0987654321", None, "B1", "NL70ABNA0987654321"),
        ("NIOBNL56ASNB9999999999\npaulissen", None, None, "NL56ASNB9999999999"),
        ("NTRFBIPI-dvT1FzfMqvzF5HaU4oetlH7SGRkonU//2022070616391534000", "BIPI-dvT1FzfMqvzF5HaU4oetlH7SGRkonU",
         "2022070616391534000", None),
        ("NMSC341241773/1XXXXX//O/341241774\nPaiement", "341241773/1XXXXX", "O/341241774", None),
        ("NTRFKREF+//0724", None, "0724", None),
        ("NTRFEREF", None, None, None),
        ("NTRF0000000000000000//NONREF", None, None, None),
    ],
)  # fmt: skip
def test_references(text: str, customer: str | None, bank: str | None, account: str | None) -> None:
    found = line(f"2601020102C10,{text}")
    assert (found.customer_reference, found.bank_reference, found.account) == (customer, bank, account)


@pytest.mark.parametrize(
    ("text", "booked", "value"),
    [
        ("2601020102", date(2026, 1, 2), date(2026, 1, 2)),
        ("260102", date(2026, 1, 2), date(2026, 1, 2)),
        ("2512310102", date(2026, 1, 2), date(2025, 12, 31)),
        ("2601021231", date(2025, 12, 31), date(2026, 1, 2)),
        ("2603010228", date(2026, 2, 28), date(2026, 3, 1)),
        ("2402290301", date(2024, 3, 1), date(2024, 2, 29)),
        ("2602300302", date(2026, 3, 2), date(2026, 2, 28)),
        ("9912311231", date(1999, 12, 31), date(1999, 12, 31)),
    ],
)
def test_the_entry_date_has_the_year_that_is_nearest_to_the_value_date(text: str, booked: date, value: date) -> None:
    assert line(f"{text}C10,NTRFNONREF").dates == (booked, value)


def test_subfields_that_are_full_go_on_and_others_end() -> None:
    told = details(
        [
            "109?00SEPA-LASTSCHR. RETOURE CORE?109075/629?20EREF+A1.200080779.",
            "400143254?21.4961336 KREF+SEPA-DA202006?2201221740-34972000-P1 MR",
            "EF+2?230852HW2723821 CRED+DE41EON0?240000129793 OAMT+11,85 SVWZ+?",
            "25SONSTIGE GRUENDE ENDABRECHN?26UNG NR. 500106875?30CSDBDE71XXX?31DE50712345600",
            "200691329?32TESTER?33EL",
        ]
    )
    assert (told.business_code, told.end_to_end_id) == ("109", "A1.200080779.400143254.4961336")
    assert told.remittance == "SONSTIGE GRUENDE ENDABRECHNUNG NR. 500106875"
    assert (told.name, told.account) == ("TESTER EL", "DE50712345600200691329")


@pytest.mark.parametrize(
    ("told", "remittance", "end_to_end"),
    [
        ("166?20EREF+INV-1?21SVWZ+Paid in full?32ACME", "Paid in full", "INV-1"),
        ("?20INV 1?32ACME", "INV 1", None),
        ("020^00Wplata^20FV 77/2026^32ACME", "FV 77/2026", None),
        ("000>20HUUR>21 KANTOOR", "HUUR KANTOOR", None),
        ("/EREF/E1//CNTP/NL32INGB0000012345/INGBNL2A/ACME///REMI/USTD//INV 1/", "INV 1", "E1"),
        ("/TRTP/SEPA/IBAN/NL47INGB0009999999/NAME/ACME/REMI/INV 1/EREF/NOTPROVIDED", "INV 1", None),
        ("EREF+E1 SVWZ+INV 1", "INV 1", "E1"),
        ("159 RUE DE RIVOLI PARIS", "159 RUE DE RIVOLI PARIS", None),
        ("159-20 QUEENS BOULEVARD", "159-20 QUEENS BOULEVARD", None),
        ("INV/PO/17/PT/3 AND MORE", "INV/PO/17/PT/3 AND MORE", None),
    ],
)
def test_details_in_all_their_forms(told: str, remittance: str, end_to_end: str | None) -> None:
    (entry,) = cash(Mt940(), statement("2601020102C10,NTRFNONREF", told))
    assert (entry.kind, entry.payment_reference, entry.end_to_end_id) == ("received", remittance, end_to_end)


@pytest.mark.parametrize(
    ("mark", "kind", "code", "is_return", "becomes"),
    [
        ("C", "NTRF", "166", False, "received"),
        ("C", "NMSC", None, False, "received"),
        ("C", "NDIV", None, False, "received"),
        ("C", "NTRF", "159", False, "returned_payment"),
        ("C", "NRTI", None, False, "returned_payment"),
        ("C", "NTRF", None, True, "returned_payment"),
        ("C", "NINT", None, False, "interest"),
        ("C", "NCMZ", None, False, "own_transfer"),
        ("D", "NTRF", "109", False, "returned"),
        ("D", "NRTI", None, False, "returned"),
        ("D", "NTRF", None, True, "returned"),
        ("D", "NTRF", "177", False, "debit"),
        ("D", "NCHG", None, False, "fee"),
        ("RC", "NTRF", None, False, "returned"),
        ("RD", "NTRF", "109", False, "reversal_of_debit"),
        ("EC", "NTRF", None, False, "expected"),
    ],
)
def test_what_a_line_is(mark: str, kind: str, code: str | None, is_return: bool, becomes: str) -> None:
    assert treatment(mark, kind, code, is_return=is_return) == becomes  # type: ignore[arg-type]  # marks as text


def test_a_code_of_a_return_in_the_words_of_a_payer_makes_no_return() -> None:
    (entry,) = cash(Mt940(), statement("2601020102C10,NTRFNONREF", "INVOICE AC04 AND MD06"))
    assert entry.kind == "received"


def test_a_return_names_its_original_and_its_reason() -> None:
    told = "109?00RUECKLASTSCHRIFT?20EREF+INV-7?21SVWZ+RETURN?34903"
    (entry,) = cash(Mt940(), statement("2601020102D10,NTRFNONREF//B9", told, "D260102EUR10,"))
    assert (entry.kind, entry.original_reference, entry.servicer_reference) == ("returned", "INV-7", "B9")
    assert (entry.return_reason, entry.reason_code) == ("nsf", "AC06")


def test_the_banks_reference_of_a_return_is_not_taken_for_that_of_a_payment() -> None:
    posted, closing = "10,NTRFNONREF//B9", "D260102EUR10,"
    (collected,) = cash(Mt940(), statement(f"2601020102D{posted}", "109?00RETOURE", closing))
    (reversed_credit,) = cash(Mt940(), statement(f"2601020102RC{posted}", "", closing))
    assert (collected.original_reference, reversed_credit.original_reference) == (None, "B9")


def test_several_details_of_a_line_are_one() -> None:
    (entry,) = cash(Mt940(), statement("2601020102C10,NTRFNONREF", "FIRST\n:86:SECOND"))
    assert entry.payment_reference == "FIRST SECOND"


def test_details_before_lines_and_behind_the_balance_belong_to_no_line() -> None:
    data = statement("2601020102C10,NTRFNONREF").replace(b":61:", b":86:IBAN of this account\n:61:")
    (entry,) = cash(Mt940(), data.replace(b"-\n", b":64:C260102EUR10,\n:86:OF THE BALANCE\n-\n"))
    assert entry.payment_reference is None


def test_a_line_of_the_text_that_looks_like_a_tag_is_text() -> None:
    (entry,) = cash(Mt940(), statement("2601020102C10,NTRFNONREF", "PAID\n:99:NO TAG\n: 5 PIECES"))
    assert entry.payment_reference == "PAID :99:NO TAG : 5 PIECES"


def test_the_end_of_a_message_needs_no_sign_and_text_between_messages_is_passed_over() -> None:
    one, other = statement("2601020102C10,NTRFNONREF//B1"), statement("2601020102C10,NTRFNONREF//B2")
    bare = one.replace(b"-\n", b"")
    for data in (bare + other, one + b"\r\nABNANL2A\r\n940\r\nABNANL2A\r\n" + other, one + b"\x1a\x00" + other):
        assert [entry.servicer_reference for entry in cash(Mt940(), data)] == ["B1", "B2"]
    blocks = b"{1:F01BANKDEFFXXXX0000000000}{2:I940BANKDEFFXXXXN}{4:\r\n" + one.replace(b"-\n", b"-}{5:}\n")
    assert len(cash(Mt940(), blocks + blocks.replace(b"B1", b"B3"))) == 2


def test_a_dash_in_the_midst_of_a_message_does_not_end_it() -> None:
    data = statement("2601020102C10,NTRFNONREF//B1", "PAID").replace(b":61:", b"-\n:61:").replace(b":62F", b"-\n:62F")
    (entry,) = cash(Mt940(), data)
    assert entry.payment_reference == "PAID"


def test_everything_that_is_passed_over_is_counted() -> None:
    found = entries(Mt940(), statement("2601020102D10,NTRFNONREF", closing="D260102EUR10,"))
    assert [entry.why for entry in found if isinstance(entry, PassedOver)] == ["debit"]
    assert not [entry for entry in found if isinstance(entry, BankEntry)]
