"""Every expectation says what is not as expected, and what it does not know (SCENARIOS §2)."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.scenarios import load, run

STEPS: list[dict[str, Any]] = [
    {"at": "2026-03-02T09:00:00Z", "event": "InvoiceIssued", "account_id": 7, "invoice_id": 4711,
     "document_date": "2026-03-02", "due_date": "2026-03-10", "amount": 100, "currency": "EUR"},
    {"at": "2026-03-02T09:01:00Z", "event": "InvoiceIssued", "account_id": 7, "invoice_id": 4711,
     "document_type": "debit_memo", "document_date": "2026-03-02", "due_date": "2026-03-20", "amount": "5",
     "currency": "EUR", "instalments": [{"number": 2, "due_date": "2026-03-20", "amount": 3},
                                        {"number": 1, "due_date": "2026-03-20", "amount": 2}]},
    {"at": "2026-03-02T09:02:00Z", "event": "AccountChanged", "account_id": 7, "credit_limit": "50.00"},
    {"at": "2026-03-02T09:03:00Z", "event_id": "too-much", "event": "InvoiceAdjusted", "account_id": 7,
     "adjustment_id": "J", "invoice_id": 4711, "amount": "-101"},
    {"clock": "2026-03-11T09:00:00Z"},
]  # fmt: skip


def failures(folder: Path, *expectations: dict[str, Any]) -> list[tuple[str, object, object]]:
    content = {"name": "x", "company": {"code": "FR01", "base_currency": "EUR"}, "steps": STEPS}
    path = folder / "case.yaml"
    path.write_text(yaml.safe_dump({**content, "expect": [*expectations]}), encoding="utf-8")
    return [
        (mismatch.field, mismatch.expected, str(mismatch.actual))
        for failure in run(load(path))
        for mismatch in failure.mismatches
    ]


@pytest.mark.parametrize(
    "expectation",
    [
        {"invoice": 4711, "open": 100, "bucket": "1-30"},
        {"invoice": "4711", "document_type": "debit_memo", "open": "5.00", "bucket": "not_due"},
        {"invoice": 4711, "document_type": "debit_memo", "instalments": [{"number": 1, "open": 2}, {"number": 2}]},
        {"transitions": 4711, "list": [["2026-03-11", "not_due", "1-30"]]},
        {"transitions": 4711, "document_type": "debit_memo", "list": []},
        {"rejected": [{"event": 4, "reason": "over_application"}]},
        {"rejected": [{"event": "too-much", "reason": "over_application"}]},
        {"alerts": [{"kind": "credit_limit_exceeded", "subject": 7, "amount": "105.0", "currency": "EUR"}]},
        {"alerts": [{"account_id": 7, "company": "FR01", "supersedes": False}], "account_id": 7, "company": "FR01"},
        {"alerts_of": "credit_limit_exceeded", "list": [{"status": "raised"}]},
        {"alerts_of": "promise_broken", "list": []},
        {"account": 7, "level": 0, "exposure": "105"},
        {"account": 7, "level": None},
        {"aging": {"account_id": 7, "currency": "EUR"}, "as_of": "2026-03-10", "not_due": "105"},
        {"worklist": ["7"], "company": "FR01"},
        {"notices_due": [{"account_id": 7, "level": 1, "invoice_ids": [4711]}]},
    ],
)
def test_what_holds(tmp_path: Path, expectation: dict[str, Any]) -> None:
    assert failures(tmp_path, expectation) == []


@pytest.mark.parametrize(
    ("expectation", "mismatch"),
    [
        ({"invoice": 4711, "opened": "1"}, ("opened", "1", "no such field; there are open, status, bucket, days_past_due, disputed, collectible, instalments")),  # noqa: E501
        ({"invoice": 9}, ("invoice", 9, "no such document")),
        ({"invoice": 4711, "open": "hundred"}, ("open", "hundred", "100.00")),
        ({"payment": "R1", "status": "applied"}, ("payment", "R1", "no such payment")),
        ({"invoce": 1}, ("expectation", "one of invoice, payment, aging, transitions, rejected, account, alerts, alerts_of, promise, exception, dispute, notices_due, worklist, kpi", "invoce")),  # noqa: E501
        ({"alerts_of": "promise_broken"}, ("alerts_of", "promise_broken", "alerts_of needs `list:`, the list that is expected")),  # noqa: E501
        ({"alerts": "none"}, ("alerts", "none", "alerts must be a list, not 'none'")),
        ({"alerts": [], "of": "promise_broken"}, ("of", "promise_broken", "no such field of alerts; there are account_id, alerts, company")),  # noqa: E501
        ({"aging": {"account_id": 7}}, ("aging", {"account_id": 7}, "the expectation needs 'currency'")),
        ({"aging": "7"}, ("aging", "7", "aging looks at a mapping like {account_id: C1, currency: EUR}")),
        ({"aging": {"account_id": 7, "currency": "EUR", "total": "1"}}, ("aging", {"account_id": 7, "currency": "EUR", "total": "1"}, "aging knows no 'total'; a column stands beside `aging`, not in it")),  # noqa: E501
        ({"kpi": "dso", "currency": "EUR", "from": "2026-03-01"}, ("kpi", "dso", "the expectation needs 'to'")),
        (
            {"kpi": "dso", "company": "DE01", "currency": "EUR", "from": "2026-03-01", "to": "2026-03-02"},
            ("kpi", "dso", "the scenario has no company DE01"),
        ),
        (
            {"kpi": "dso", "currency": "EUR", "from": "2026-03-02", "to": "2026-03-01"},
            ("kpi", "dso", "the window ends before it begins; from and to are inclusive"),
        ),
        ({"account": 7, "company": "DE01", "exposure": 1}, ("account", 7, "the scenario has no company DE01")),
        ({"worklist": [], "company": "DE01"}, ("worklist", [], "the scenario has no company DE01")),
        ({"rejected": [{"event": 3, "reason": "over_application"}]}, ("rejected", [{"event": 3, "reason": "over_application"}], "[{'event': 'too-much', 'reason': 'over_application'}]")),  # noqa: E501
    ],
)  # fmt: skip
def test_what_does_not_hold_is_said(
    tmp_path: Path, expectation: dict[str, Any], mismatch: tuple[str, object, str]
) -> None:
    assert failures(tmp_path, expectation) == [mismatch]
