"""US01: extracts as an Oracle user would export them: commas, 14-JAN-2026, 1,234.56, credits in parentheses."""

from datetime import date, datetime

from examples.generator.company import Company
from examples.generator.extracts import Extract, Row, decimal_text, one_row_for_lockboxes
from examples.generator.facts import Fact
from examples.generator.history import CASH_EVENTS, INVOICE_EVENTS, History

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_CLASSES = {"InvoiceCancelled": "VOID", "InvoiceAdjusted": "ADJ", "InvoiceWrittenOff": "WO", "WriteOffRecovered": "REC",
            "CreditMemoIssued": "CM"}  # fmt: skip
_ACTIVITIES = {"PaymentIdentified": "IDENTIFY", "PaymentPlacedOnAccount": "ON_ACCOUNT", "PaymentRefunded": "REFUND",
               "PaymentReversed": "REVERSE", "CashUnapplied": "UNAPPLY"}  # fmt: skip
_METHODS = {"transfer": "WIRE", "direct_debit": "ACH", "cheque": "CHECK"}

INVOICE_COLUMNS = (
    "TRX_NUMBER", "TRX_CLASS", "CUSTOMER_NUMBER", "TRX_DATE", "GL_DATE", "DUE_DATE", "TERM_NAME", "CURRENCY_CODE",
    "AMOUNT", "PURCHASE_ORDER", "APPLIED_TO_TRX", "COMMENTS", "CREATION_DATE", "CREATED_BY",
)  # fmt: skip
CASH_COLUMNS = (
    "RECEIPT_NUMBER", "ACTIVITY", "CUSTOMER_NUMBER", "DEPOSIT_DATE", "AMOUNT", "CURRENCY_CODE", "PAYMENT_METHOD",
    "PAYER_NAME", "BANK_REFERENCE", "ON_ACCOUNT_FLAG", "APPLICATION_ID", "CREDIT_MEMO", "APPLIED_TO_TRX",
    "APPLIED_TO_CUSTOMER", "INSTALLMENT", "MATCH", "MATCH_SCORE", "REASON", "CREATION_DATE", "CREATED_BY",
)  # fmt: skip


def render(history: History) -> dict[str, bytes]:
    """The transaction extract and the receipts with their activities."""
    company = history.company
    return {
        "invoices.csv": _invoices(company).render(history.of(INVOICE_EVENTS)),
        "cash.csv": _cash(company).render(one_row_for_lockboxes(history.of(CASH_EVENTS))),
    }


def _day(day: date | None) -> str:
    return f"{day.day:02}-{_MONTHS[day.month - 1]}-{day.year}" if day else ""


def _amount(fact: Fact, *, credit: bool = False) -> str:
    text = decimal_text(fact["amount"], fact["currency"], thousands=",")
    return f"({text})" if credit else text


def _entered(fact: Fact, local: datetime) -> Row:
    return {
        "CUSTOMER_NUMBER": fact.account or "",
        "CREATION_DATE": f"{local:%m/%d/%Y %H:%M:%S}",
        "CREATED_BY": fact.actor,
    }


def _invoices(company: Company) -> Extract:
    def issued(fact: Fact) -> Row:
        return {
            "TRX_NUMBER": fact["invoice_id"],
            "TRX_CLASS": "INV" if fact["document_type"] == "invoice" else "DM",
            "TRX_DATE": _day(fact["document_date"]),
            "GL_DATE": _day(fact["posting_date"]),
            "DUE_DATE": _day(fact["due_date"]),
            "TERM_NAME": fact["payment_terms"],
            "CURRENCY_CODE": fact["currency"],
            "AMOUNT": _amount(fact),
            "PURCHASE_ORDER": fact["reference"],
        }

    def changed(fact: Fact) -> Row:
        row = {
            "TRX_CLASS": _CLASSES[fact.event],
            "APPLIED_TO_TRX": fact["invoice_id"] or "",
            "COMMENTS": fact["reason"] or "",
        }
        row["TRX_NUMBER"] = (
            fact["credit_memo_id"] or fact["adjustment_id"] or fact["write_off_id"] or fact["invoice_id"]
        )
        if fact["amount"] is not None:
            increases = fact.event == "WriteOffRecovered" or (fact.event == "InvoiceAdjusted" and fact["amount"] > 0)
            row |= {"CURRENCY_CODE": fact["currency"], "AMOUNT": _amount(fact, credit=not increases)}
        return {**row, "TRX_DATE": _day(fact["document_date"])}

    rows_of = dict.fromkeys(INVOICE_EVENTS, changed) | {"InvoiceIssued": issued}
    return Extract(company, INVOICE_COLUMNS, rows_of, _entered)


def _cash(company: Company) -> Extract:
    def application(fact: Fact) -> Row:
        return {
            "APPLICATION_ID": fact["application_id"] or "",
            "CREDIT_MEMO": fact["credit_memo_id"] or "",
            "APPLIED_TO_TRX": fact["invoice_id"] or "",
            "APPLIED_TO_CUSTOMER": fact["invoice_account_id"] or "",
            "INSTALLMENT": str(fact["instalment"] or ""),
        }

    def matched(fact: Fact) -> Row:
        return {"MATCH": "AUTO" if fact["confidence"] else "MANUAL", "MATCH_SCORE": fact["confidence"] or ""}

    def received(fact: Fact) -> Row:
        row = {
            "RECEIPT_NUMBER": fact["payment_id"],
            "ACTIVITY": "RECEIPT",
            "DEPOSIT_DATE": _day(fact["value_date"]),
            "AMOUNT": _amount(fact),
            "CURRENCY_CODE": fact["currency"],
            "PAYER_NAME": fact["payer_reference"],
            "BANK_REFERENCE": fact["bank_reference"],
            "ON_ACCOUNT_FLAG": "Y" if fact["on_account"] else "N",
        }
        if fact["application_id"]:  # a lockbox row; `method` is then that of the application
            return {**row, **application(fact), **matched(fact), "PAYMENT_METHOD": "CHECK"}
        return {**row, "PAYMENT_METHOD": _METHODS[fact["method"]]}

    def applied(fact: Fact) -> Row:
        return {"RECEIPT_NUMBER": fact["payment_id"] or "", "ACTIVITY": "APPLY", "AMOUNT": _amount(fact),
                "CURRENCY_CODE": fact["currency"], **application(fact), **matched(fact)}  # fmt: skip

    def other(fact: Fact) -> Row:
        row = {"RECEIPT_NUMBER": fact["payment_id"] or "", "ACTIVITY": _ACTIVITIES[fact.event],
               "APPLICATION_ID": fact["application_id"] or "", "REASON": fact["reason"] or ""}  # fmt: skip
        if fact["amount"] is not None:
            row |= {"AMOUNT": _amount(fact, credit=True), "CURRENCY_CODE": fact["currency"]}
        return row

    rows_of = dict.fromkeys(CASH_EVENTS, other) | {"PaymentReceived": received, "CashApplied": applied}
    return Extract(company, CASH_COLUMNS, rows_of, _entered)
