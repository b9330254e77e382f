"""UBL 2 invoices and credit notes (Peppol BIS Billing 3, XRechnung, EN 16931) become receivables."""

from sources.bank.payers import Payers
from sources.ubl.form import UblForm

__all__ = ["UblForm", "ubl_credit_note", "ubl_invoice"]


def ubl_invoice(payers: Payers) -> UblForm:
    """Documents with the root element Invoice."""
    return UblForm("Invoice", payers)


def ubl_credit_note(payers: Payers) -> UblForm:
    """Documents with the root element CreditNote."""
    return UblForm("CreditNote", payers)
