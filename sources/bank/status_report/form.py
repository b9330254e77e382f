"""A status report as a verified form: rejections of collections are logged, every other status is passed over."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any, BinaryIO

from sources.bank.camt.values import EntryFaultError, moment_from
from sources.bank.payers import Payers
from sources.bank.status_report.report import CountOfStatus, Level, Status, statuses
from sources.errors import FileRefusedError
from sources.verified_file import BadEntry, PassedOver, Written

_REJECTED = "RJCT"
_CODE = re.compile(r"[A-Z]{4}")
_OUTGOING = "pain.001"
# A date without a time: noon UTC is the same date from UTC-12 to UTC+11.
_NOON = time(12, tzinfo=UTC)
_ENTITIES: dict[Level, str] = {"transaction": "payment", "collection": "collection", "message": "collection_file"}


class StatusReport:
    """The form of pain.002. `payers` names the accounts of debtors."""

    source = "pain002"

    def __init__(self, payers: Payers) -> None:
        self._payers = payers

    def verify(self, stream: BinaryIO) -> None:
        """Well-formed, the right message, and what it counts by status is not less than what it lists."""
        listed: Counter[str] = Counter()
        totals: dict[str, Decimal | None] = {}
        counts: tuple[CountOfStatus, ...] = ()
        for status in statuses(stream):
            if status.level != "transaction" or status.status is None:
                continue
            counts = status.original.counts
            listed[status.status] += 1
            before = totals.get(status.status, Decimal(0))
            totals[status.status] = None if status.amount is None or before is None else before + status.amount
        for count in counts:
            _check(count, listed[count.status], totals.get(count.status))

    def written(self, stream: BinaryIO) -> Iterator[Written | PassedOver | BadEntry]:
        """The rejections, in the order of the report."""
        for status in statuses(stream):
            yield self._said(status)

    def _said(self, status: Status) -> Written | PassedOver | BadEntry:
        if status.status != _REJECTED:
            is_code = status.status is not None and _CODE.fullmatch(status.status) is not None
            return PassedOver(status.line, f"status {status.status}" if is_code else "status not known")
        if _OUTGOING in status.original.kind:
            return PassedOver(status.line, "outgoing_payment")
        if status.reference is None:
            message = "the rejection names no original (OrgnlEndToEndId, OrgnlInstrId)"
            return BadEntry(status.line, "missing_field", message, status.xml)
        try:
            return Written(status.line, [self._activity(status, status.reference)])
        except EntryFaultError as fault:
            return BadEntry(status.line, fault.reason, f"the report's time: {fault.message}", status.xml)

    def _activity(self, status: Status, reference: str) -> dict[str, Any]:
        amount = None if status.amount is None else f"{status.amount:f} {status.currency or ''}".strip()
        said = {
            "status": status.status,
            "reason_code": status.reason_code,
            "reason": status.reason,
            "amount": amount,
            "collection_date": status.collection_date,
            "mandate": status.mandate,
            "payer_name": status.payer_name,
            "original_message": status.original.message,
        }
        return {
            "event": "UserActivityLogged",
            "occurred_at": _instant(status.original.created),
            "account_id": self._payers.account_of((status.payer_account, status.payer_name)),
            "action": "collection_rejected",
            "entity_type": _ENTITIES[status.level],
            "entity_id": reference,
            "changes": {field: {"old": None, "new": value} for field, value in said.items() if value is not None},
            "succeeded": False,
        }


def _instant(created: str | None) -> str:
    """The time of the report; noon of its date where the time has no offset."""
    if created is None:
        raise EntryFaultError("missing_field", "it is not given (GrpHdr/CreDtTm)")
    day, instant = moment_from(created)
    return (instant or datetime.combine(day, _NOON)).isoformat()


def _check(said: CountOfStatus, listed: int, total: Decimal | None) -> None:
    """A report may leave transactions out; it may not list more than it counts, nor all with another total."""
    if listed > said.count:
        message = f"it counts {said.count:,} transactions of status {said.status}, and lists {listed:,}"
        raise FileRefusedError("control_total_mismatch", f"{message}; ask the bank for another file", said.line)
    if listed and listed == said.count and None not in {total, said.total} and total != said.total:
        message = f"it says its transactions of status {said.status} make {said.total}, they make {total}"
        raise FileRefusedError("control_total_mismatch", f"{message}; ask the bank for another file", said.line)
