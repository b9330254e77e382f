"""The parts of a status report: the message that it answers, and statuses of transactions, collections, the whole."""

from collections.abc import Iterator
from decimal import Decimal
from typing import BinaryIO, Literal

import msgspec

from sources.bank.camt.messages import is_container, version_of, wrong_message
from sources.bank.camt.parties import account_number
from sources.bank.camt.values import EntryFaultError, amount_of, count_of, reference
from sources.errors import FileRefusedError
from sources.xml import Element, child, children, line_of, local_name, read_xml, source_of, text

VERSION_MAX = 14
_CONTAINERS = frozenset({"CstmrPmtStsRpt", "pain.002.001.02"})
_WANTED = frozenset({"GrpHdr", "OrgnlGrpInfAndSts", "OrgnlPmtInfAndSts", "TxInfAndSts"})

Level = Literal["transaction", "collection", "message"]


class CountOfStatus(msgspec.Struct, frozen=True, gc=False):
    """How many transactions have a status, as the report counts them, and Σ of their amounts."""

    status: str
    count: int
    total: Decimal | None
    line: int


class Original(msgspec.Struct, frozen=True, gc=False):
    """The message that the report answers. `created` is the time of the report."""

    created: str | None = None
    message: str | None = None
    kind: str = ""
    status: str | None = None
    counts: tuple[CountOfStatus, ...] = ()


class Status(msgspec.Struct, frozen=True, gc=False):
    """The status of a transaction, a collection without transactions, or the whole message. `xml` is its source."""

    line: int
    level: Level
    original: Original
    status: str | None
    reference: str | None
    reason_code: str | None
    reason: str | None
    amount: Decimal | None
    currency: str | None
    collection_date: str | None
    mandate: str | None
    payer_name: str | None
    payer_account: str | None
    xml: bytes


def statuses(stream: BinaryIO) -> Iterator[Status]:
    """The statuses of a report, in its order. Raises ``FileRefusedError``."""
    root, is_report = "", False
    created, original = None, Original()
    whole: Status | None = None
    in_collection = in_message = 0
    for moment, element in read_xml(stream, _WANTED):
        name = local_name(element)
        if moment == "start":
            root = name if not root or is_container(element) else root
            if name in _CONTAINERS:
                _check_version(element)
                is_report, in_message, whole = True, 0, None
            elif name == "OrgnlPmtInfAndSts":
                in_collection = 0
        elif name == "GrpHdr":
            created = text(element, "CreDtTm")
        elif name == "OrgnlGrpInfAndSts":
            original = _original(element, created)
            whole = _status(element, "message", original)
        elif name == "TxInfAndSts":
            in_collection, in_message = in_collection + 1, in_message + 1
            yield _status(element, "transaction", original)
        elif name == "OrgnlPmtInfAndSts":
            in_message += 1
            if not in_collection:
                yield _status(element, "collection", original)
        elif name in _CONTAINERS and not in_message and whole is not None:
            yield whole
    if not is_report:
        raise wrong_message(root, "pain.002")


def _check_version(element: Element) -> None:
    version = version_of(element)
    if version is not None and version > VERSION_MAX:
        message = f"it is pain.002 version {version:02}; versions up to {VERSION_MAX} are known"
        raise FileRefusedError("unsupported_version", message, line_of(element))


def _original(element: Element, created: str | None) -> Original:
    counts = []
    for said in children(element, "NbOfTxsPerSts"):
        total, count = child(said, "DtldCtrlSum"), count_of(text(said, "DtldNbOfTxs"))
        amount = None if total is None else _amount(total)
        if count is None or (total is not None and amount is None):
            message = "a count of transactions by status (NbOfTxsPerSts) cannot be read"
            raise FileRefusedError("malformed_file", message, line_of(said))
        counts.append(CountOfStatus(text(said, "DtldSts") or "", count, amount, line_of(said)))
    return Original(
        created,
        text(element, "OrgnlMsgId"),
        text(element, "OrgnlMsgNmId") or "",
        text(element, "GrpSts"),
        tuple(counts),
    )


def _status(element: Element, level: Level, original: Original) -> Status:
    sought = child(element, "OrgnlTxRef")
    said = child(element, "StsRsnInf")
    amount = child(sought, "Amt", "InstdAmt")
    if amount is None:
        amount = child(sought, "IntrBkSttlmAmt")
    collection = element.getparent() if level == "transaction" else element
    return Status(
        line=line_of(element),
        level=level,
        original=original,
        status=text(element, "TxSts") or text(collection, "PmtInfSts") or original.status,
        reference=_reference(element, level),
        reason_code=text(said, "Rsn", "Cd") or text(said, "Rsn", "Prtry") or text(said, "StsRsn", "Cd"),  # version 02
        reason=text(said, "AddtlInf"),
        amount=None if amount is None else _amount(amount),
        currency=None if amount is None else amount.get("Ccy"),
        collection_date=text(sought, "ReqdColltnDt"),
        mandate=text(sought, "MndtRltdInf", "MndtId") or text(sought, "MndtRltdInf", "DrctDbtMndt", "MndtId"),
        payer_name=text(sought, "Dbtr", "Pty", "Nm") or text(sought, "Dbtr", "Nm"),
        payer_account=account_number(child(sought, "DbtrAcct")),
        xml=source_of(element),
    )


def _reference(element: Element, level: Level) -> str | None:
    if level == "transaction":
        return reference(text(element, "OrgnlEndToEndId")) or reference(text(element, "OrgnlInstrId"))
    return reference(text(element, "OrgnlPmtInfId") if level == "collection" else text(element, "OrgnlMsgId"))


def _amount(element: Element) -> Decimal | None:
    try:
        return amount_of(element)
    except EntryFaultError:
        return None
