"""Ids of payments that banks report: the same cash has the same id in whatever file it comes.

With a reference of the bank: account, reference and place in the batch. Without: a digest of what the entry says and
which of several equal ones it is; two equal payments of one day are then two, and a file that overlaps an earlier one
counts them the same way.
"""

from collections import Counter
from hashlib import blake2b

from sources.bank.entry import BankEntry

_DIGEST_BYTES = 12
_FIELD = "\x1f"


class PaymentIds:
    """The ids of one file. Equal entries without a reference are counted from 1, per file and booking date."""

    def __init__(self) -> None:
        self._seen: Counter[bytes] = Counter()

    def of(self, entry: BankEntry) -> str:
        """``<account>:<bank reference>:<place>`` or ``<account>:~<digest>:<count>``."""
        account = entry.account.fingerprint
        if entry.servicer_reference is not None:
            return f"{account}:{entry.servicer_reference}:{entry.detail_index}"
        digest = _content(entry)
        self._seen[digest] += 1
        return f"{account}:~{digest.hex()}:{self._seen[digest]}"


def _content(entry: BankEntry) -> bytes:
    said = (
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
    text = _FIELD.join("" if part is None else part for part in said)
    return blake2b(text.encode(), digest_size=_DIGEST_BYTES).digest()
