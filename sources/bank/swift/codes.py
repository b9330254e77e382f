"""What a statement line is, by its mark, its transaction type (N plus SWIFT's code) and business code (GVC).

A credit is customers' cash unless a code says that it is something else: unidentified cash can be parked, lost cash
cannot be found. Codes that banks use in other senses (DIV, MSC, SEC) are not believed.
"""

from typing import Final

from sources.bank.swift.statement_line import Mark

# GVC of the German banks. Returns of direct debits, cheques and cards that we had collected.
_RETURNED: Final = frozenset(("009", "108", "109", "110", "111"))
# Our own payments that came back: returned transfers, direct debits given back to us as their payer.
_OWN_RETURNED: Final = frozenset(("059", "159", "160", "181", "182", "184"))
_INTEREST: Final = frozenset(("805", "814"))
_OWN_TRANSFER: Final = frozenset(("820", "821", "822", "823", "833"))
_TYPES: Final = {
    "INT": "interest",
    "CHG": "fee",
    "COM": "fee",
    "BRF": "fee",
    "CMI": "own_transfer",
    "CMN": "own_transfer",
    "CMS": "own_transfer",
    "CMT": "own_transfer",
    "CMZ": "own_transfer",
    "RTI": "returned_payment",
}
_METHODS: Final = {"CHK": "check", "TRF": "transfer", "DDT": "direct_debit", "LBX": "lockbox", "COL": "collection"}


def treatment(mark: Mark, transaction_type: str, business_code: str | None, *, is_return: bool) -> str:
    """`received`, `returned`, or the word under which the line is passed over.

    `is_return`: the bank says so in a place for it (/RTRN/).
    """
    kind = transaction_type[1:]
    if mark == "RC":
        return "returned"
    if mark == "RD":
        return "reversal_of_debit"
    if mark == "D":
        if business_code in _RETURNED or kind == "RTI" or is_return:
            return "returned"
        return "fee" if kind in ("CHG", "COM", "BRF") else "debit"
    if mark in ("EC", "ED"):
        return "expected"
    if business_code in _OWN_RETURNED or is_return:
        return "returned_payment"
    if business_code in _INTEREST:
        return "interest"
    if business_code in _OWN_TRANSFER:
        return "own_transfer"
    return _TYPES.get(kind, "received")


def method(transaction_type: str) -> str | None:
    """How it was paid, in a word, where the type says so."""
    return _METHODS.get(transaction_type[1:])
