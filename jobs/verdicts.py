"""What a job says of an event that it does not apply. A rejected posting is a value, not an exception."""

from typing import Final, Literal, get_args

import msgspec

Reason = Literal[
    "over_application",
    "currency_mismatch",
    "wrong_sign",
    "document_cancelled",
    "conflicting_duplicate",
    "unknown_payment",
    "unknown_document",
    "unknown_company",
    "invalid_amount",
    "invalid_date",
]
REASONS: Final = frozenset(get_args(Reason))


class Rejected(msgspec.Struct, frozen=True):
    """The event changes nothing; `reason` is a code of SCENARIOS §2, `message` names what does not fit."""

    reason: Reason
    message: str


class Duplicate(msgspec.Struct, frozen=True):
    """The same document with the same content came before: nothing to do (SEMANTICS 4.5)."""


DUPLICATE: Final = Duplicate()

Verdict = Rejected | Duplicate | None
"""None = applied."""
