"""ASC X12: payment orders and remittance advice (820), lockboxes (823) and invoices (810) become events.

Interchanges are read as a stream of segments; control numbers and counts are checked before anything is taken.
"""

from sources.bank.payers import Payers
from sources.x12.form import X12Form
from sources.x12.invoice import invoices
from sources.x12.lockbox import lockboxes
from sources.x12.payment_order import payment_orders

__all__ = ["X12Form", "x12_810", "x12_820", "x12_820_cash", "x12_823"]


def x12_810(payers: Payers) -> X12Form:
    """Invoices."""
    return X12Form("810", lambda: invoices(payers))


def x12_820(payers: Payers) -> X12Form:
    """Payment orders as remittance advice; the bank reports the cash."""
    return X12Form("820", lambda: payment_orders(payers, is_cash=False))


def x12_820_cash(payers: Payers) -> X12Form:
    """Payment orders as cash and remittance, where nothing else reports the cash."""
    return X12Form("820", lambda: payment_orders(payers, is_cash=True))


def x12_823(payers: Payers) -> X12Form:
    """Lockbox deposits."""
    return X12Form("823", lambda: lockboxes(payers))
