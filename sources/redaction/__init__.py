"""Redaction: what must not leave a source is masked, hashed or dropped before anything is published or printed."""

from sources.redaction.masking import MASK, mask_bytes, mask_numbers, mask_quoted, mask_value
from sources.redaction.redactor import STANDARD, Redactor, Rejects
from sources.redaction.rules import ACCOUNTS, ACTIONS, PROSE, REFERENCES, Action

__all__ = [
    "ACCOUNTS",
    "ACTIONS",
    "MASK",
    "PROSE",
    "REFERENCES",
    "STANDARD",
    "Action",
    "Redactor",
    "Rejects",
    "mask_bytes",
    "mask_numbers",
    "mask_quoted",
    "mask_value",
]
