"""What a booking is: customer's cash, cash that went back, or neither; by the bank transaction codes.

Codes are those of ISO 20022 (domain, family, sub-family), the German Geschäftsvorfallcode (GVC), which Austrian banks
write too, and the BAI type codes of North American ones. A code that is not known says nothing: a credit is then cash,
for a clerk can see a payment that is none, but not one that is missing.
"""

import re
from typing import Final, Literal

import msgspec

from sources.bank.bai.type_codes import METHODS as BAI_METHODS
from sources.bank.bai.type_codes import reason_of_return, treatment
from sources.bank.entry import ReturnReason
from sources.xml import Element, child, children, text

Nature = Literal["cash", "return"]

_GVC = re.compile(r"(?:[A-Z]{4}\+)?([0-9]{3})(?:\+.*)?")
_BAI = re.compile(r"[1-9][0-9]{2}")
_GVC_ISSUERS: Final = frozenset({"DK", "ZKA", "GVC", "APC"})

# Domains whose credits are not paid by customers.
_OTHER_BUSINESS: Final = {
    "ACMT": "account_management",
    "CAMT": "own_transfer",
    "CMDT": "treasury",
    "DERV": "treasury",
    "FORX": "treasury",
    "LDAS": "loan_or_deposit",
    "PMET": "treasury",
    "SECU": "securities",
}
_FEES: Final = frozenset({"CHRG", "COMM", "COME", "COMI", "COMT", "FEES", "TAXE"})
_INTEREST: Final = frozenset({"INTR"})
_OWN_TRANSFERS: Final = frozenset({"COAT", "ICCT", "SWEP", "ZABA", "TOPG"})
# Sub-families of bookings that undo another one, and why, where no reason code says more.
_UNDONE: Final[dict[str, ReturnReason]] = {
    "UPDD": "nsf",  # unpaid direct debit
    "UPCQ": "nsf",  # unpaid cheque
    "UPCT": "nsf",  # unpaid card transaction
    "UDFT": "nsf",  # dishonoured draft
    "NPCC": "nsf",
    "PRDD": "recall",  # reversal of a direct debit
    "RCDD": "recall",  # direct debit cancelled on request
    "RPCR": "recall",  # credit transfer cancelled on request
    "RRTN": "recall",  # returned credit transfer
}
_GVC_UNDONE: Final[dict[str, ReturnReason]] = {"108": "nsf", "109": "nsf", "159": "recall", "181": "nsf", "184": "nsf"}
_GVC_OTHER: Final = {"805": "fee", "808": "fee", "814": "interest", "833": "own_transfer", "834": "own_transfer"}
_GVC_METHODS: Final = {
    "152": "sepa_ct", "153": "sepa_ct", "165": "sepa_ct", "166": "sepa_ct", "167": "sepa_ct", "168": "sepa_ct",
    "169": "sepa_ct", "194": "sepa_ct", "171": "sepa_dd", "174": "sepa_dd", "192": "sepa_dd", "196": "sepa_dd",
    "170": "cheque",
}  # fmt: skip
_METHODS: Final = {
    ("RCDT", "ESCT"): "sepa_ct", ("RRCT", "ESCT"): "sepa_ct", ("IDDT", "ESDD"): "sepa_dd", ("IDDT", "BBDD"): "sepa_dd",
    ("RCDT", "XBCT"): "wire",
}  # fmt: skip
_METHODS_OF_FAMILIES: Final = {
    "RCDT": "credit_transfer", "RRCT": "credit_transfer", "IDDT": "direct_debit", "RCHQ": "cheque", "MCRD": "card",
    "CCRD": "card", "CNTR": "cash", "LBOX": "lockbox", "DRFT": "draft",
}  # fmt: skip


class BankCode(msgspec.Struct, frozen=True, gc=False):
    """The codes of a booking, empty where they are not given. `gvc` is the German one, `bai` a BAI type code."""

    domain: str = ""
    family: str = ""
    sub_family: str = ""
    gvc: str = ""
    bai: str = ""

    def within(self, entry: "BankCode") -> "BankCode":
        """The codes of a transaction, and those of its entry where it has none."""
        ours = self if self.domain else entry
        return BankCode(ours.domain, ours.family, ours.sub_family, self.gvc or entry.gvc, self.bai or entry.bai)

    @property
    def method(self) -> str | None:
        """How it was paid, in the words of ``PaymentReceived``; None where the codes do not tell."""
        return (
            _METHODS.get((self.family, self.sub_family))
            or _GVC_METHODS.get(self.gvc)
            or _METHODS_OF_FAMILIES.get(self.family)
            or BAI_METHODS.get(self.bai)
        )

    @property
    def undone(self) -> ReturnReason | None:
        """Why a booking that undoes another one does so; None where the codes say no such thing."""
        found = _UNDONE.get(self.sub_family) or _GVC_UNDONE.get(self.gvc)
        if found is None and self.bai and treatment(self.bai) == "returned":
            return reason_of_return(self.bai)
        return found


def bank_code(element: Element) -> BankCode:
    """The codes of an entry or a transaction."""
    code = child(element, "BkTxCd")
    if code is None:
        return BankCode()
    domain = child(code, "Domn")
    return BankCode(
        text(domain, "Cd") or "",
        text(domain, "Fmly", "Cd") or "",
        text(domain, "Fmly", "SubFmlyCd") or "",
        next((gvc for prtry in children(code, "Prtry") if (gvc := _gvc(prtry)) is not None), ""),
        next((bai for prtry in children(code, "Prtry") if (bai := _bai(prtry)) is not None), ""),
    )


def _gvc(proprietary: Element) -> str | None:
    said = text(proprietary, "Cd") or ""
    found = _GVC.fullmatch(said)
    if found is None or ("+" not in said and (text(proprietary, "Issr") or "").upper() not in _GVC_ISSUERS):
        return None
    return found[1]


def _bai(proprietary: Element) -> str | None:
    said = text(proprietary, "Cd") or ""
    is_one = _BAI.fullmatch(said) is not None and (text(proprietary, "Issr") or "").upper() == "BAI"
    return said if is_one else None


def nature(code: BankCode, *, is_credit: bool, is_reversal: bool, is_return: bool) -> tuple[Nature | None, str]:
    """What a booking is; where it is neither cash nor a return, the word under which it is counted.

    `is_reversal`: the bank says that the entry reverses one of the other direction. `is_return`: it gives a reason.
    """
    other = _other_business(code)
    undoes = is_reversal or is_return or code.undone is not None
    if is_credit:
        if undoes:
            # Our own payment that came back, or a debit that was taken back: no customer paid.
            return None, "reversal_of_debit"
        return (None, other) if other else ("cash", "")
    if other:
        return None, other
    return ("return", "") if undoes else (None, "debit")


def _other_business(code: BankCode) -> str:
    if code.sub_family in _FEES:
        return "fee"
    if code.sub_family in _INTEREST:
        return "interest"
    if code.sub_family in _OWN_TRANSFERS:
        return "own_transfer"
    other = _OTHER_BUSINESS.get(code.domain) or _GVC_OTHER.get(code.gvc)
    if other is None and code.bai and treatment(code.bai) not in {"received", "returned", "debit"}:
        return treatment(code.bai)
    return other or ""
