"""How a row of `events` is written down to be hashed: form 1. A form never changes; another way is another form.

Every value is a text with its length in bytes before it (`5:FR01,` has the wrong one), so that no two rows are written
alike. Instants are microseconds, amounts have four decimals, null is `-,`.

- `labels`: company, event type, both instants. They go into the chain as they are, so a row can be placed unread.
- `public`: everything else but persons, with the payload's personal texts blanked. Erasure changes nothing of it.
- `personal`: the actor, and the payload as it is. Hashed with a salt, or erased names could be found by trying.

content = SHA-256(SHA-256(public) + SHA-256(salt + personal)); all of it is computed by ClickHouse, which is where the
rows are. `sinks/audit/verify_export.py` does the same in Python.
"""

FORM = 1
SALT_BYTES = 16

# Texts in the payload that may tell of a person, at any depth. Of form 1: never to be changed.
PERSONAL_KEYS = (
    "assigned_to",
    "collector_id",
    "ip",
    "name",
    "new",
    "note",
    "old",
    "payer_account",
    "payer_name",
    "payer_reference",
)
# A key inside of a text has a backslash before its closing quote, so only real members match.
PATTERN = rf'"({"|".join(PERSONAL_KEYS)})":"(?:[^"\\]|\\.)*"'
BLANK = r'"\1":""'

# Written out and not taken from `sinks.event_row`: what was hashed once is hashed the same way for ever, whatever
# columns the table gets. `verify_export` has them a third time, because it stands alone beside an export.
_TEXTS_BEFORE = ("event_id", "account_id")
_PUBLIC = (
    "category",
    "region",
    "invoice_id",
    "payment_id",
    "credit_memo_id",
    "application_id",
    "promise_id",
    "dispute_id",
    "exception_id",
    "adjustment_id",
    "write_off_id",
    "remittance_id",
    "activity_id",
    "notice_id",
    "subject_type",
    "subject_id",
    "currency",
    "source",
    "actor_role",
    "correlation_id",
)
# Columns of events in the order in which `public` has them, without occurred_at, amount and payload behind them.
PUBLIC_TEXTS = (*_TEXTS_BEFORE, *_PUBLIC)


def _text(expression: str) -> str:
    return f"toString(length({expression})), ':', {expression}, ','"


def _number(expression: str) -> str:
    return _text(f"toString({expression})")


def literal(text: str) -> str:
    """A string literal of ClickHouse."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def blanked(column: str = "payload") -> str:
    """An expression for the payload without personal texts. Done twice it changes nothing."""
    return f"replaceRegexpAll({column}, {literal(PATTERN)}, {literal(BLANK)})"


LABELS = f"""concat({_text("toString(company)")}, {_text("toString(event_type)")},
    {_number("toUnixTimestamp64Micro(recorded_at)")}, {_number("toUnixTimestamp64Milli(appended_at)")})"""
"""Labels as one text, of columns that are called as in event_chain."""

EVENT_LABELS = LABELS.replace("appended_at", "_appended_at")

_AMOUNT = "toDecimalString(assumeNotNull(amount), 4)"
PUBLIC_HASH = f"""SHA256(concat({", ".join(_text(f"toString({name})") for name in PUBLIC_TEXTS)},
    {_number("toUnixTimestamp64Micro(occurred_at)")},
    if(isNull(amount), '-,', concat({_text(_AMOUNT)})),
    {_text(blanked())}))"""
"""SHA-256 of the public part, of columns of events."""

PERSONAL = f"concat({_text('actor_id')}, {_text('payload')})"
"""The personal part, of columns of events."""


def content(public_hash: str, personal_hash: str) -> str:
    """An expression for the content hash out of both hashes."""
    return f"SHA256(concat({public_hash}, {personal_hash}))"
