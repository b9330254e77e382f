"""FR01: extracts as a French SAP user would download them: semicolons, cp1252, 14.01.2026, 1.234,56, S and H."""

from datetime import date, datetime

from examples.generator.company import Company
from examples.generator.extracts import Extract, Row, decimal_text
from examples.generator.facts import Fact
from examples.generator.history import CASH_EVENTS, INVOICE_EVENTS, History

_TYPES = {"InvoiceCancelled": "ST", "InvoiceAdjusted": "AJ", "InvoiceWrittenOff": "AV", "WriteOffRecovered": "RE",
          "CreditMemoIssued": "DG"}  # fmt: skip
_ACTIVITIES = {"PaymentIdentified": "IDE", "PaymentPlacedOnAccount": "PAC", "PaymentRefunded": "RBT",
               "PaymentReversed": "IMP", "CashUnapplied": "DEL"}  # fmt: skip
_METHODS = {"transfer": "VIR", "direct_debit": "PRL", "cheque": "CHQ"}

INVOICE_COLUMNS = (
    "BUKRS", "BELNR", "BLART", "KUNNR", "BLDAT", "BUDAT", "ZFBDT", "ZTERM", "WAERS", "WRBTR", "SHKZG", "XBLNR", "REBZG",
    "SGTXT", "ECH1_DATE", "ECH1_MONT", "ECH2_DATE", "ECH2_MONT", "ECH3_DATE", "ECH3_MONT", "CPUDT", "CPUTM", "USNAM",
)  # fmt: skip
CASH_COLUMNS = (
    "PIECE", "TYPE", "KUNNR", "DATE_VALEUR", "MONTANT", "DEVISE", "MODE", "REF_PAYEUR", "REF_BANQUE", "REGLEMENT",
    "AVOIR", "FACTURE", "KUNNR_FACTURE", "ECHEANCE", "DATE_EFFET", "LETTRAGE", "CONFIANCE", "MOTIF", "SAISI_LE",
    "SAISI_PAR",
)  # fmt: skip


def render(history: History) -> dict[str, bytes]:
    """The invoice extract and the cash journal."""
    company = history.company
    invoices = history.of(INVOICE_EVENTS)
    total = {"BUKRS": "*", "SGTXT": f"Nombre de pièces : {len(invoices)}"}
    return {
        "invoices.csv": _invoices(company).render(invoices, [total]),
        "cash.csv": _cash(company).render(history.of(CASH_EVENTS)),
    }


def _day(day: date | None) -> str:
    return f"{day:%d.%m.%Y}" if day else ""


def _amount(fact: Fact) -> str:
    return decimal_text(fact["amount"], fact["currency"], point=",", thousands=".")


def _kunnr(account: str | None) -> str:
    return account.rjust(10, "0") if account else ""


def _invoices(company: Company) -> Extract:
    def entered(fact: Fact, local: datetime) -> Row:
        return {"BUKRS": company.code, "KUNNR": _kunnr(fact.account), "CPUDT": _day(local.date()),
                "CPUTM": f"{local:%H:%M:%S}", "USNAM": fact.actor}  # fmt: skip

    def issued(fact: Fact) -> Row:
        parts = {}
        for number, due, amount in fact["instalments"]:
            parts[f"ECH{number}_DATE"] = _day(due)
            parts[f"ECH{number}_MONT"] = decimal_text(amount, fact["currency"], point=",", thousands=".")
        return {
            "BELNR": fact["invoice_id"],
            "BLART": "RV" if fact["document_type"] == "invoice" else "DR",
            "BLDAT": _day(fact["document_date"]),
            "BUDAT": _day(fact["posting_date"]),
            "ZFBDT": _day(fact["due_date"]),
            "ZTERM": fact["payment_terms"],
            "WAERS": fact["currency"],
            "WRBTR": _amount(fact),
            "SHKZG": "S",
            "XBLNR": fact["reference"],
            **parts,
        }

    def changed(fact: Fact) -> Row:
        row = {"BLART": _TYPES[fact.event], "REBZG": fact["invoice_id"] or "", "SGTXT": fact["reason"] or ""}
        row["BELNR"] = fact["credit_memo_id"] or fact["adjustment_id"] or fact["write_off_id"] or fact["invoice_id"]
        if fact["amount"] is not None:
            increases = fact.event == "WriteOffRecovered" or (fact.event == "InvoiceAdjusted" and fact["amount"] > 0)
            row |= {"WAERS": fact["currency"], "WRBTR": _amount(fact), "SHKZG": "S" if increases else "H"}
        if fact["document_date"]:
            row |= {"BLDAT": _day(fact["document_date"]), "BUDAT": _day(fact["document_date"])}
        return row

    rows_of = dict.fromkeys(INVOICE_EVENTS, changed) | {"InvoiceIssued": issued}
    return Extract(company, INVOICE_COLUMNS, rows_of, entered, delimiter=";", encoding="cp1252")


def _cash(company: Company) -> Extract:
    def entered(fact: Fact, local: datetime) -> Row:
        return {"KUNNR": _kunnr(fact.account), "SAISI_LE": f"{local:%d.%m.%Y %H:%M:%S}", "SAISI_PAR": fact.actor}

    def received(fact: Fact) -> Row:
        return {
            "PIECE": fact["payment_id"],
            "TYPE": "ACO" if fact["on_account"] else "REG",
            "DATE_VALEUR": _day(fact["value_date"]),
            "MONTANT": _amount(fact),
            "DEVISE": fact["currency"],
            "MODE": _METHODS[fact["method"]],
            "REF_PAYEUR": fact["payer_reference"],
            "REF_BANQUE": fact["bank_reference"],
        }

    def applied(fact: Fact) -> Row:
        return {
            "PIECE": fact["application_id"],
            "TYPE": "LET",
            "MONTANT": _amount(fact),
            "DEVISE": fact["currency"],
            "REGLEMENT": fact["payment_id"] or "",
            "AVOIR": fact["credit_memo_id"] or "",
            "FACTURE": fact["invoice_id"],
            "KUNNR_FACTURE": _kunnr(fact["invoice_account_id"]),
            "ECHEANCE": str(fact["instalment"] or ""),
            # The day of the clearing stands in the file; elsewhere it follows from the time of entry.
            "DATE_EFFET": _day(company.local(fact.at).date()),
            "LETTRAGE": "A" if fact["method"] == "auto" else "M",
            "CONFIANCE": (fact["confidence"] or "").replace(".", ","),
        }

    def other(fact: Fact) -> Row:
        row = {"PIECE": fact["application_id"] or fact["payment_id"], "TYPE": _ACTIVITIES[fact.event]}
        if fact["amount"] is not None:
            row |= {"MONTANT": _amount(fact), "DEVISE": fact["currency"]}
        return {**row, "MOTIF": fact["reason"] or ""}

    rows_of = dict.fromkeys(CASH_EVENTS, other) | {"PaymentReceived": received, "CashApplied": applied}
    return Extract(company, CASH_COLUMNS, rows_of, entered, delimiter=";", encoding="cp1252")
