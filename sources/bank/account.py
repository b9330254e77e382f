"""The bank account that a file reports on."""

import re
from hashlib import sha256

import msgspec

_NOT_ALPHANUMERIC = re.compile(r"[^0-9A-Z]")
_FINGERPRINT_LENGTH = 12


class BankAccount(msgspec.Struct, frozen=True, gc=False):
    """Our own account at a bank. `number` is an IBAN or the bank's own number, as the file has it.

    `currency` is the account's, where the file says it; `servicer` the bank's BIC or routing number.
    """

    number: str
    currency: str | None = None
    servicer: str | None = None

    @property
    def fingerprint(self) -> str:
        """Twelve hexadecimal digits that stand for the number in ids, so that no id tells an account number.

        Spaces, dashes and case do not count: statements of one bank write one account in several ways.
        """
        return sha256(normalised(self.number).encode()).hexdigest()[:_FINGERPRINT_LENGTH]


def normalised(number: str) -> str:
    """A number without spaces and signs, in capitals."""
    return _NOT_ALPHANUMERIC.sub("", number.upper())
