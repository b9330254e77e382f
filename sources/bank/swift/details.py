"""What the bank tells the account owner (:86:): structured with ?20 (German banks and many others), with /TAGS/
(Dutch and international ones), or plain text; and in any of them SEPA keywords such as EREF+ and SVWZ+.
"""

import re
from collections.abc import Iterator, Sequence

import msgspec

from sources.bank.plain_text import iban_in, said
from sources.bank.reasons import is_return_code

_WIDTH_MIN = 60  # of a line that is wrapped; the standard's 65 characters, banks differ by a few
_TRIMMED_MAX = 2
_CHUNK = 27  # of a subfield
# Only signs that banks use: "159-20 QUEENS BLVD" is an address and no returned transfer.
_STRUCTURED = re.compile(r"\s*(?:([0-9]{3})([?>~^|<])|\?)(?=[0-9]{2})(.*)", re.DOTALL)
_PURPOSE = tuple(f"{number:02}" for number in (*range(20, 30), *range(60, 64)))
_KEYWORD = re.compile(
    r"(EREF|KREF|MREF|PREF|CRED|DEBT|COAM|OAMT|SVWZ|ABWA|ABWE|IBAN|BIC|PURP|ANAM|BREF|RREF)\+|(MTLG):"
)
_SLASH_TAGS = (
    "EREF|KREF|PREF|MARF|CSID|CNTP|REMI|IBAN|BIC|NAME|TRTP|ORDP|BENM|ISDT|PURP|RTRN|SVCL|ULTC|ULTD|ULTB|ADDR|TRCD|BUSP"
    "|OCMT|CHGS|IACC|BO|BI|PY|PT|PO|DT|OPRP|TYPE|NM|AC|RF"
)
_SLASHED = re.compile(rf"(?:^|(?<=/)|(?<=\s))/?({_SLASH_TAGS})/")
_TELLING = frozenset(("REMI", "PY", "RF", "EREF", "NAME", "NM", "CNTP"))
_REASON = re.compile(r"\b[A-Z]{2}[0-9]{2}\b")
# The codes of German banks for returned payments (?34), where they are those of ISO 20022.
_RETURN_KEYS = {"901": "AC01", "902": "AC04", "903": "AC06", "904": "AG01", "905": "AG02", "914": "MS03"}


class Details(msgspec.Struct, frozen=True):
    """What is known of the other party and of the purpose. `business_code` is the three digits that lead (GVC).

    `is_return`: the bank says in a place for it that the booking is a return (/RTRN/). `return_code` is its reason; it
    may also be a word of the text, so it proves nothing alone.
    """

    business_code: str | None = None
    end_to_end_id: str | None = None
    remittance: str | None = None
    name: str | None = None
    account: str | None = None
    return_code: str | None = None
    is_return: bool = False


def details(lines: Sequence[str]) -> Details:
    """The content of a :86: field, or of several of one statement line."""
    structured = _STRUCTURED.fullmatch(_unwrapped(lines))
    if structured is not None:
        return _structured(structured[1], structured[2] or "?", structured[3])
    text = _unwrapped(lines)
    if text.startswith("/") and _SLASHED.search(text) is not None:
        return _slashed(text)
    return _plain(lines)


def _unwrapped(lines: Sequence[str]) -> str:
    """Lines as one text. A line as long as the longest is full and goes on in the next without a break; one that is
    nearly so has lost the blanks at its end."""
    width = max((len(line) for line in lines[:-1]), default=0)
    trimmed = range(width - _TRIMMED_MAX, width) if width >= _WIDTH_MIN else ()
    return "".join((*(line.ljust(width) if len(line) in trimmed else line for line in lines[:-1]), *lines[-1:]))


def _structured(code: str | None, separator: str, body: str) -> Details:
    subfields = [(part[:2], part[2:]) for part in body.split(separator) if part[:2].isdigit()]
    found: dict[str, str] = {}
    for key, value in subfields:
        found.setdefault(key, value)
    told = _keywords(_chunks([value for key, value in subfields if key in _PURPOSE]))
    account = (
        iban_in(found.get("31", "")) or iban_in(found.get("38", "")) or iban_in(told.get("IBAN", "")) or found.get("31")
    )
    return Details(
        business_code=code,
        end_to_end_id=said(told.get("EREF")),
        remittance=said(told.get("SVWZ")) or said(told.get("")),
        name=said(_chunks([value for key, value in subfields if key in ("32", "33")]).replace("\n", " "))
        or said(told.get("ANAM")),
        account=said(account),
        return_code=_return_code(found.get("34", ""), body),
    )


def _chunks(values: Sequence[str]) -> str:
    """Subfields as one text. One that is full goes on in the next without a break."""
    return "".join(value if len(value) >= _CHUNK else f"{value}\n" for value in values).strip("\n")


def _keywords(text: str) -> dict[str, str]:
    """SEPA keywords and what follows them; under the empty one what precedes them all.

    A reference ends where its subfield ends early, a purpose goes on to the next keyword.
    """
    parts = list(_KEYWORD.finditer(text))
    told = {"": text[: parts[0].start()] if parts else text}
    for part, value in _segments(parts, text):
        keyword = part[1] or part[2]
        told.setdefault(keyword, value if keyword in ("SVWZ", "MTLG") else value.split("\n", 1)[0])
    return {keyword: value.replace("\n", " ") for keyword, value in told.items()}


def _segments(parts: Sequence[re.Match[str]], text: str) -> Iterator[tuple[re.Match[str], str]]:
    """Tags of a text, each with what stands between it and the next."""
    ends = [part.start() for part in parts[1:]] + [len(text)]
    for part, end in zip(parts, ends, strict=False):
        yield part, text[part.end() : end]


def _slashed(text: str) -> Details:
    parts = list(_SLASHED.finditer(text))
    told: dict[str, str] = {}
    for part, value in _segments(parts, text):
        told.setdefault(part[1], value.strip("/ "))
    remittance = said(_purpose(told["REMI"])) if "REMI" in told else said(told.get("PY") or told.get("RF"))
    if not _TELLING.intersection(told):
        remittance = said(text)  # words of the bank that none of these tags is for
    counterparty = told.get("CNTP", "").split("/")
    name = told.get("NAME") or told.get("NM") or (counterparty[2] if len(counterparty) > 2 else "")
    account = told.get("IBAN") or told.get("AC") or counterparty[0]
    return Details(
        end_to_end_id=said(told.get("EREF")),
        remittance=remittance,
        name=said(name),
        account=said(account),
        return_code=_return_code("", told.get("RTRN", "")) or said(told.get("RTRN", "")[:4]),
        is_return="RTRN" in told,
    )


def non_swift(lines: Sequence[str]) -> Details:
    """The content of a :NS: field behind a statement line: 01 to 14 the purpose, 15 and 16 the name, 34 the account."""
    found = [(line[:2], line[2:].strip()) for line in lines if line[:2].isdigit()]
    purpose = [value for key, value in found if "01" <= key <= "14"]
    name = [value for key, value in found if key in ("15", "16")]
    account = [value for key, value in found if key == "34"]
    return Details(remittance=said(" ".join(purpose)), name=said(" ".join(name)), account=said("".join(account)))


def _purpose(remittance: str) -> str:
    """Remittance information without the words for its kind: ``USTD//text``, ``STRD/CUR/reference``."""
    for kind in ("USTD//", "STRD/CUR/", "STRD/ISO/", "USTD/", "STRD/"):
        if remittance.startswith(kind):
            return remittance.removeprefix(kind).strip("/")
    return remittance


def _plain(lines: Sequence[str]) -> Details:
    told = _keywords("\n".join(line.strip() for line in lines if line.strip()))
    return Details(
        end_to_end_id=said(told.get("EREF")),
        remittance=said(told.get("SVWZ")) or said(told.get("")),
        account=iban_in(told.get("IBAN", "")),
        return_code=_return_code("", " ".join(lines)),
    )


def _return_code(key: str, text: str) -> str | None:
    """The ISO code of a return: from the key of a German bank, else a code in the text."""
    if key.strip() in _RETURN_KEYS:
        return _RETURN_KEYS[key.strip()]
    return next((word for word in _REASON.findall(text) if is_return_code(word)), None)
