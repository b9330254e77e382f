"""What banks report: entries of statements, notices and lockboxes become payments, reversals and remittances.

A format is a parser that reads a file into ``BankEntry`` values and checks its totals (``BankFormat``); ids, payers
and events are made here, the same way for all of them.
"""

from sources.bank.account import BankAccount
from sources.bank.adapter import BankFile
from sources.bank.entry import BankEntry, EntryKind, RemittedInvoice
from sources.bank.format import BadEntry, BankFormat, FileRefusedError, PassedOver

__all__ = [
    "BadEntry",
    "BankAccount",
    "BankEntry",
    "BankFile",
    "BankFormat",
    "EntryKind",
    "FileRefusedError",
    "PassedOver",
    "RemittedInvoice",
]
