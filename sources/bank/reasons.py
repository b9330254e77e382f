"""Why cash went back, from the codes of banks and schemes to the four words of ``PaymentReversed``.

`nsf`: the debit could not be collected (no funds, closed or blocked account, debtor's bank refuses).
`chargeback`: the payer objects (no mandate, unauthorised, refund asked for, payment stopped).
`recall`: the sender or its bank asks the cash back (fraud, technical error, on request). `duplicate`: paid twice.
The code itself stays beside the word in the event.
"""

from collections.abc import Mapping
from typing import Final

from sources.bank.entry import ReturnReason

# ISO 20022 external code sets: payment return, payment reversal, status and cancellation reasons.
_ISO: Final[Mapping[ReturnReason, str]] = {
    "nsf": (
        "AC01 AC02 AC03 AC04 AC05 AC06 AC07 AC12 AC13 AC14 AC15 AC16 AG01 AG02 AG03 AG10 AG11 AM01 AM02 AM03 AM04 "
        "AM06 AM07 AM14 BE01 BE04 BE05 BE06 BE07 CNOR DNOR DT01 ED05 FF01 FF03 FF05 MD02 MD07 MS02 MS03 RC01 RC03 "
        "RC04 RC07 RR01 RR02 RR03 RR04 RR05 TM01"
    ),
    "chargeback": "MD01 MD05 MD06 MD08 MD09 MD16 MD17 MD20 SL01 SL11 SL12 SL13 SL14 NOOR ARDR",
    "recall": "AGNT AM09 AM10 AM11 AM12 CURR CUST CUTA COVR DS24 FOCR FR01 FRAD FRNA FRTR LEGL NARR SVNR TECH UPAY",
    "duplicate": "AM05 DUPL",
}
# Nacha return reasons of ACH debits and credits.
_NACHA: Final[Mapping[ReturnReason, str]] = {
    "nsf": (
        "R01 R02 R03 R04 R09 R12 R13 R14 R15 R16 R17 R18 R19 R20 R21 R22 R23 R25 R26 R27 R28 R30 R32 R33 R34 R35 R36"
    ),
    "chargeback": "R05 R07 R08 R10 R11 R29 R31 R37 R38 R39 R51 R52 R53",
    "recall": "R06 R61 R62",
    "duplicate": "R24 R67",
}
_REASONS: Final[Mapping[str, ReturnReason]] = {
    code: reason for table in (_ISO, _NACHA) for reason, codes in table.items() for code in codes.split()
}


def return_reason(code: str | None, otherwise: ReturnReason = "recall") -> ReturnReason:
    """The word for a code; `otherwise` for none, and for one that is not known."""
    return _REASONS.get(code.strip().upper(), otherwise) if code else otherwise


def is_return_code(word: str) -> bool:
    """Whether a word is one of the codes."""
    return word.upper() in _REASONS
