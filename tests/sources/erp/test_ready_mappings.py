"""Ready mappings: their samples give the events committed, and the whole set the open items that the ERP shows."""

import csv
from collections import Counter
from decimal import Decimal

import pytest

from avro.amounts import to_minor
from sources import ParsedEvent, SourceReject
from sources.mapping import ready_erps, ready_mappings
from tests.sources.books import Books, Number, fold
from tests.sources.erp.extracts import COMPANIES, SAMPLES, Extract, all_extracts, extracts_of, whole_set
from tests.sources.erp.golden import lines_of

ALL = pytest.mark.parametrize("extract", all_extracts(), ids=lambda extract: f"{extract.mapping}:{extract.file.stem}")
_NUMBERS = {
    "InvoiceIssued": ("invoice", "invoice_id"),
    "CreditMemoIssued": ("credit_memo", "credit_memo_id"),
    "PaymentReceived": ("payment", "payment_id"),
}
# Which ready mapping lists all that is open, by ERP: the extract whose open amounts the ledger must come to.
OPEN_ITEMS = {
    "oracle-ebs": ["oracle-ebs/open-items"],
    "oracle-fusion": ["oracle-fusion/open-items"],
    "netsuite": ["netsuite/transaction"],
    "dynamics365": ["dynamics365/custtransopen", "dynamics365/custtrans"],
    "jd-edwards": ["jd-edwards/f03b11", "jd-edwards/f03b13"],
    "peoplesoft": ["peoplesoft/ps_item"],
}
# Cash that the items of an ERP show otherwise: the on-account item OA-77, and a payment that is on no worksheet yet.
ALSO_OPEN: dict[str, dict[Number, int]] = {
    "peoplesoft": {("payment", "US001-777-1"): 250_00, ("payment", "US001-778-1"): 123_45}
}


@ALL
def test_a_sample_gives_the_events_committed(extract: Extract) -> None:
    assert lines_of(extract) == extract.golden.read_text(encoding="utf-8").splitlines()


@ALL
def test_every_row_of_a_sample_is_understood(extract: Extract) -> None:
    values = extract.read()
    assert [value for value in values if isinstance(value, SourceReject)] == []
    events = [value for value in values if isinstance(value, ParsedEvent)]
    assert len({event.record["event_id"] for event in events}) == len(events) > 0


def test_every_ready_mapping_says_what_it_is_for() -> None:
    assert {name: mapping.purpose for name, mapping in ready_mappings().items() if len(mapping.purpose) < 20} == {}


def open_amounts(mapping: str) -> dict[Number, int]:
    """What an extract's own column says is open, in minor units."""
    found: dict[Number, int] = {}
    for extract in extracts_of(mapping):
        with extract.file.open("rb") as stream:
            for _, taken in extract.adapter().rows(stream, str(extract.file)):
                for one in taken if isinstance(taken, list) else []:
                    if one.event.name not in _NUMBERS or one.open is None:
                        continue
                    kind, field = _NUMBERS[one.event.name]
                    found[kind, one.event.record[field]] = to_minor(one.open, one.event.record["currency"])
    return found


def books_of(erp: str) -> Books:
    """The ledger of an ERP's whole set."""
    return fold(COMPANIES.get(erp, "US01"), whole_set(erp))


@pytest.mark.parametrize("erp", ready_erps())
def test_a_ledger_refuses_nothing_of_a_whole_set(erp: str) -> None:
    assert [(entry.event_id, entry.message) for entry in books_of(erp).rejected] == []


@pytest.mark.parametrize("erp", ready_erps())
def test_a_whole_set_sent_twice_changes_nothing(erp: str) -> None:
    once, events = books_of(erp), whole_set(erp)
    again = fold(COMPANIES.get(erp, "US01"), [*events, *events])
    assert (again.open, again.balances, again.rejected) == (once.open, once.balances, [])


@pytest.mark.parametrize("erp", sorted(OPEN_ITEMS))
def test_the_ledger_comes_to_the_open_amounts_of_the_extract(erp: str) -> None:
    expected = {number: amount for name in OPEN_ITEMS[erp] for number, amount in open_amounts(name).items() if amount}
    assert expected
    expected |= ALSO_OPEN.get(erp, {})
    assert {number: amount for number, amount in books_of(erp).open.items() if amount} == expected


def test_the_ledger_comes_to_the_balances_of_sap() -> None:
    """BSID holds what is open, as debits (S) and credits (H); partial payments stand there beside their invoice."""
    expected: Counter[tuple[str, str]] = Counter()
    with (SAMPLES / "sap" / "bsid.csv").open(encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            if row["BSTAT"] != "S":
                sign = 1 if row["SHKZG"] == "S" else -1
                # SAP stores every amount with two decimals.
                expected[row["KUNNR"].lstrip("0"), row["WAERS"]] += sign * int(Decimal(row["WRBTR"]) * 100)
    books = books_of("sap")
    assert +books.balances == +expected
    assert {account: balance for account, balance in books.balances.items() if balance} == dict(expected)


def test_sap_open_items_are_net_of_partial_payments_and_cleared_ones_are_closed() -> None:
    books = books_of("sap")
    assert {number: amount for number, amount in books.open.items() if amount} == {
        ("invoice", "1800000101-2026-1"): 1071_00,  # less the credit memo that names it
        ("invoice", "1800000102-2026-1"): 1880_50,  # less a partial payment
        ("invoice", "1800000103-2026-1"): 123_450,  # yen, which SAP stores with two decimals
        ("invoice", "1400000022-2026-3"): 60_00,  # a residual item
        ("payment", "1400000040-2026-2"): 75_25,
        ("payment", "1400000041-2026-1"): 300_00,  # a down payment
        ("credit_memo", "1600000008-2026-1"): 40_00,
    }


def test_the_list_of_items_is_the_same_in_every_language() -> None:
    german, english = (extracts_of(f"sap/fbl5n-{language}")[0] for language in ("de", "en"))
    assert lines_of(german) == lines_of(english)
