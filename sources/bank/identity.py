"""Ids of payments that banks report: the same cash has the same id in whatever file it comes.

With a reference of the bank: account, reference and place in the batch. Without: a digest of what the entry says and
which of several equal ones it is; two equal payments of one day are then two, and a file that overlaps an earlier one
counts them the same way. Where references may repeat, a digest of amount, dates and the payer's reference stands beside
the bank's: a booking keeps its id whatever else is written about it, and two of one reference never become one.
"""

from collections import Counter
from hashlib import blake2b

from sources.bank.entry import BankEntry, EntryKind

_DIGEST_BYTES = 12
_FIELD = "\x1f"
# Entries of which equal ones are counted: at least so many, the last ones, so that memory stays bounded. Equal entries
# are of one account and day, and files are in the order of accounts and days.
_COUNTED_MIN = 100_000


class PaymentIds:
    """The ids of one file. Equal entries are counted from 1."""

    def __init__(self) -> None:
        self._recent: Counter[bytes] = Counter()
        self._before: Counter[bytes] = Counter()

    def of(self, entry: BankEntry) -> str:
        """``<account>:<bank reference>:<place>``, or with digest and count instead of the place or the reference."""
        account = entry.account.fingerprint
        if entry.servicer_reference is None:
            return f"{account}:{self._counted(account, entry.kind, _content(entry))}"
        if entry.reference_repeats:
            return f"{account}:{entry.servicer_reference}:{self._counted(account, entry.kind, _booking(entry))}"
        return f"{account}:{entry.servicer_reference}:{entry.detail_index}"

    def _counted(self, account: str, kind: EntryKind, digest: bytes) -> str:
        # By kind: an announcement does not make the booking that follows it the second one.
        key = digest + f"{account}{kind}".encode()
        count = max(self._recent[key], self._before[key]) + 1
        self._recent[key] = count
        if len(self._recent) >= _COUNTED_MIN:
            self._before, self._recent = self._recent, Counter()
        return f"~{digest.hex()}:{count}"


def _booking(entry: BankEntry) -> bytes:
    """What no bank changes about a booking. A message that deletes an earlier one names the same cash as that one."""
    return _digest(
        "returned" if entry.kind == "returned" and not entry.deletes else None,
        entry.booking_date.isoformat(),
        entry.value_date.isoformat(),
        format(entry.amount.normalize(), "f"),
        entry.currency,
        entry.servicer_reference,
        entry.end_to_end_id or entry.original_reference,
    )


def _content(entry: BankEntry) -> bytes:
    return _digest(
        entry.kind,
        entry.booking_date.isoformat(),
        entry.value_date.isoformat(),
        format(entry.amount.normalize(), "f"),
        entry.currency,
        entry.end_to_end_id,
        entry.payment_reference,
        entry.payer_name,
        entry.payer_account,
        entry.original_reference,
    )


def _digest(*said: str | None) -> bytes:
    text = _FIELD.join("" if part is None else part for part in said)
    return blake2b(text.encode(), digest_size=_DIGEST_BYTES).digest()
