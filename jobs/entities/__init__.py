"""The state of a partition: frozen records under string keys, small enough to be written one by one.

Every entity begins with the local day on which it wants to be woken (None = never) and the index it is listed under
('' = none), so that timers and indexes can be rebuilt without decoding the rest.
"""

import msgspec

from jobs.entities.accounts import AccountState, Balance
from jobs.entities.base import SEPARATOR, Head, account_key, key
from jobs.entities.cases import Case, Dispute, ExceptionState
from jobs.entities.cash import Awaited, ForeignSource, ReceiptState, Reference, Remittance
from jobs.entities.documents import Adjustment, Application, Document, WriteOff
from jobs.entities.lines import Line, Placement, Shown
from jobs.entities.partition import Configuration, Seen, Time
from jobs.entities.promises import CountedCash, Coverage, PromisedInstalment, PromiseState

KINDS: dict[str, type[msgspec.Struct]] = {
    "account": AccountState,
    "adjustment": Adjustment,
    "application": Application,
    "awaited": Awaited,
    "balance": Balance,
    "clock": Time,
    "company": Configuration,
    "dispute": Dispute,
    "document": Document,
    "exception": ExceptionState,
    "foreign": ForeignSource,
    "incoming": Application,
    "coverage": Coverage,
    "notice": Adjustment,
    "promise": PromiseState,
    "receipt": ReceiptState,
    "reference": Reference,
    "remittance": Remittance,
    "seen": Seen,
    "unidentified": ReceiptState,
    "unidentified_remittance": Remittance,
    "writeoff": WriteOff,
}

__all__ = [
    "KINDS",
    "SEPARATOR",
    "AccountState",
    "Adjustment",
    "Application",
    "Awaited",
    "Balance",
    "Case",
    "Configuration",
    "CountedCash",
    "Coverage",
    "Dispute",
    "Document",
    "ExceptionState",
    "ForeignSource",
    "Head",
    "Line",
    "Placement",
    "PromiseState",
    "PromisedInstalment",
    "ReceiptState",
    "Reference",
    "Remittance",
    "Seen",
    "Shown",
    "Time",
    "WriteOff",
    "account_key",
    "key",
]
