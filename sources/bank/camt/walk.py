"""The parts of a file of messages, one by one, in its order; what lies around the messages is passed by.

A file is a message, a `Document`, or an envelope of any make with messages in it (a business message with its head.001,
several documents in one file).
"""

from collections.abc import Iterator
from typing import BinaryIO, Literal

import msgspec

from sources.bank.camt.messages import Message, is_container, message_of
from sources.errors import FileRefusedError
from sources.xml import Element, line_of, local_name, read_xml

PartKind = Literal[
    "root", "other", "message", "header", "statement", "account", "balance", "summary", "page", "created", "detail",
    "details", "entry", "statement_end",
]  # fmt: skip

_WANTED = frozenset(
    {"GrpHdr", "Acct", "Bal", "TxsSummry", "Ntry", "NtryDtls", "TxDtls", "StmtPgntn", "RptPgntn", "NtfctnPgntn"}
)
_IN_STATEMENT: dict[str, PartKind] = {
    "Acct": "account",
    "Bal": "balance",
    "TxsSummry": "summary",
    "StmtPgntn": "page",
    "RptPgntn": "page",
    "NtfctnPgntn": "page",
    "CreDtTm": "created",
    "Ntry": "entry",
}
_IN_ENTRY: dict[str, PartKind] = {"TxDtls": "detail", "NtryDtls": "details"}


class Part(msgspec.Struct, frozen=True, gc=False):
    """A part of a file. `element` is whole, except where it begins something, and lives until the next part.

    `root` is the first element, `other` the container of a message that is none of these.

    A `detail` comes before the `details` and the `entry` that it stands in, and is no more in them then.
    """

    kind: PartKind
    element: Element
    message: Message | None = None
    within: Element | None = None

    @property
    def entry(self) -> Element:
        """The entry in which a transaction or its details stand; what follows the details is not in it yet."""
        assert self.within is not None, "only a part of an entry has one"  # noqa: S101
        return self.within


def parts(stream: BinaryIO) -> Iterator[Part]:
    """The parts of a file. Raises ``FileRefusedError``."""
    message: Message | None = None
    is_root = True
    for moment, element in read_xml(stream, _WANTED):
        name = local_name(element)
        if moment == "start":
            if is_root:
                is_root = False
                yield Part("root", element)
            if message is None and (message := message_of(element)) is not None:
                yield Part("message", element, message)
            elif message is not None and name == message.statement:
                yield Part("statement", element, message)
            elif message is None and is_container(element):
                yield Part("other", element)
            continue
        if message is None:
            continue
        if message_of(element) is not None:
            message = None
            continue
        yield from _ended(name, element, message)


def _ended(name: str, element: Element, message: Message) -> Iterator[Part]:
    parent = element.getparent()
    within = "" if parent is None else local_name(parent)
    if name == "GrpHdr":
        yield Part("header", element, message)
    elif name == message.statement:
        yield Part("statement_end", element, message)
    elif within == message.statement and name in _IN_STATEMENT:
        yield Part(_IN_STATEMENT[name], element, message)
    elif name in _IN_ENTRY:
        entry = _entry_of(element, message)
        if entry is None:
            raise _misplaced(element)
        yield Part(_IN_ENTRY[name], element, message, entry)
    elif name == "Ntry":
        raise _misplaced(element)


def _entry_of(detail: Element, message: Message) -> Element | None:
    """The entry of a transaction or its details, if they stand where the message has them."""
    entry = detail.getparent()
    if entry is not None and local_name(entry) == "NtryDtls" and local_name(detail) == "TxDtls":
        entry = entry.getparent()
    statement = None if entry is None else entry.getparent()
    is_one = entry is not None and local_name(entry) == "Ntry"
    return entry if is_one and statement is not None and local_name(statement) == message.statement else None


def _misplaced(element: Element) -> FileRefusedError:
    message = f"a {local_name(element)} stands outside its statement or entry, so that it is of no account"
    return FileRefusedError("malformed_file", message, line_of(element))
