"""JP01: extracts of a Japanese system: 20260114, whole yen, codes for everything, due dates by terms alone."""

from datetime import date, datetime

from examples.generator.company import Company
from examples.generator.extracts import Extract, Row, decimal_text
from examples.generator.facts import Fact
from examples.generator.history import CASH_EVENTS, INVOICE_EVENTS, History

_TYPES = {"InvoiceCancelled": "90", "InvoiceAdjusted": "40", "InvoiceWrittenOff": "50", "WriteOffRecovered": "55",
          "CreditMemoIssued": "30"}  # fmt: skip
_ACTIVITIES = {"PaymentIdentified": "3", "PaymentPlacedOnAccount": "4", "PaymentRefunded": "5", "PaymentReversed": "6",
               "CashUnapplied": "7"}  # fmt: skip
_METHODS = {"transfer": "FURIKOMI", "direct_debit": "KOZAFURIKAE", "cheque": "KOGITTE"}

INVOICE_COLUMNS = ("DENPYO_NO", "SHUBETSU", "TOKUISAKI", "HAKKOBI", "KEIJOBI", "JOKEN", "TSUKA", "KINGAKU", "CHUMON_NO",
                   "MOTO_DENPYO", "TEKIYO", "TOROKU", "TANTO")  # fmt: skip
CASH_COLUMNS = ("NYUKIN_NO", "KUBUN", "TOKUISAKI", "NYUKINBI", "TSUKA", "KINGAKU", "HOHO", "FURIKOMININ", "GINKO_REF",
                "KESHIKOMI_NO", "CREDIT_NO", "DENPYO_NO", "DENPYO_TOKUISAKI", "JIDO", "SHINRAIDO", "RIYU", "TOROKU",
                "TANTO")  # fmt: skip


def render(history: History) -> dict[str, bytes]:
    """The slips and the clearing journal."""
    company = history.company
    return {
        "invoices.csv": _invoices(company).render(history.of(INVOICE_EVENTS)),
        "cash.csv": _cash(company).render(history.of(CASH_EVENTS)),
    }


def _day(day: date | None) -> str:
    # An empty date is eight zeros here.
    return f"{day:%Y%m%d}" if day else "00000000"


def _entered(fact: Fact, local: datetime) -> Row:
    return {"TOKUISAKI": fact.account or "", "TOROKU": f"{local:%Y%m%d%H%M%S}", "TANTO": fact.actor}


def _money(fact: Fact) -> Row:
    if fact["amount"] is None:
        return {}
    sign = "-" if fact["amount"] < 0 else ""
    return {"TSUKA": fact["currency"], "KINGAKU": sign + decimal_text(fact["amount"], fact["currency"])}


def _invoices(company: Company) -> Extract:
    def issued(fact: Fact) -> Row:
        return {
            "DENPYO_NO": fact["invoice_id"],
            "SHUBETSU": "10" if fact["document_type"] == "invoice" else "20",
            "HAKKOBI": _day(fact["document_date"]),
            "KEIJOBI": _day(fact["posting_date"]),
            "JOKEN": fact["payment_terms"],
            "CHUMON_NO": fact["reference"],
            **_money(fact),
        }

    def changed(fact: Fact) -> Row:
        number = fact["credit_memo_id"] or fact["adjustment_id"] or fact["write_off_id"] or fact["invoice_id"]
        return {"DENPYO_NO": number, "SHUBETSU": _TYPES[fact.event], "HAKKOBI": _day(fact["document_date"]),
                "KEIJOBI": _day(None), "MOTO_DENPYO": fact["invoice_id"] or "", "TEKIYO": fact["reason"] or "",
                **_money(fact)}  # fmt: skip

    rows_of = dict.fromkeys(INVOICE_EVENTS, changed) | {"InvoiceIssued": issued}
    return Extract(company, INVOICE_COLUMNS, rows_of, _entered, encoding="utf-8-sig")


def _cash(company: Company) -> Extract:
    def received(fact: Fact) -> Row:
        return {"NYUKIN_NO": fact["payment_id"], "KUBUN": "8" if fact["on_account"] else "1",
                "NYUKINBI": _day(fact["value_date"]), "HOHO": _METHODS[fact["method"]],
                "FURIKOMININ": fact["payer_reference"], "GINKO_REF": fact["bank_reference"],
                **_money(fact)}  # fmt: skip

    def applied(fact: Fact) -> Row:
        return {"NYUKIN_NO": fact["payment_id"] or "", "KUBUN": "2", "NYUKINBI": _day(None),
                "KESHIKOMI_NO": fact["application_id"], "CREDIT_NO": fact["credit_memo_id"] or "",
                "DENPYO_NO": fact["invoice_id"], "DENPYO_TOKUISAKI": fact["invoice_account_id"] or "",
                "JIDO": "1" if fact["method"] == "auto" else "0", "SHINRAIDO": fact["confidence"] or "",
                **_money(fact)}  # fmt: skip

    def other(fact: Fact) -> Row:
        return {"NYUKIN_NO": fact["payment_id"] or "", "KUBUN": _ACTIVITIES[fact.event], "NYUKINBI": _day(None),
                "KESHIKOMI_NO": fact["application_id"] or "", "RIYU": fact["reason"] or "", **_money(fact)}  # fmt: skip

    rows_of = dict.fromkeys(CASH_EVENTS, other) | {"PaymentReceived": received, "CashApplied": applied}
    return Extract(company, CASH_COLUMNS, rows_of, _entered, encoding="utf-8-sig")
