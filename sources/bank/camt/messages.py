"""Which message a file is: by the name of its container; the namespace tells the version."""

import re
from typing import Final, Literal

import msgspec

from sources.errors import FileRefusedError
from sources.xml import Element, line_of, local_name, namespace

MessageName = Literal["camt.052", "camt.053", "camt.054"]
VERSION_MAX = 13

# Container → message, and the container's statements. Version 01 wrote its number behind the container's name.
_CONTAINERS: Final[dict[str, tuple[MessageName, str]]] = {
    "BkToCstmrAcctRpt": ("camt.052", "Rpt"),
    "BkToCstmrStmt": ("camt.053", "Stmt"),
    "BkToCstmrDbtCdtNtfctn": ("camt.054", "Ntfctn"),
}
_OTHERS: Final[dict[str, str]] = {
    "CstmrPmtStsRpt": "pain002",
    "CstmrCdtTrfInitn": "",
    "CstmrDrctDbtInitn": "",
}
_FIRST_VERSION = re.compile(r"V01$")
_VERSION = re.compile(r"(?:camt|pain)\.\d{3}\.\d{3}\.(\d{2})")


class Message(msgspec.Struct, frozen=True, gc=False):
    """A message of a file. `version` is None where the file has no namespace that tells it."""

    name: MessageName
    statement: str
    version: int | None
    line: int

    @property
    def form(self) -> str:
        """What `--as` calls it."""
        return self.name.replace(".", "")


def version_of(element: Element) -> int | None:
    """The version in the namespace, whoever's namespace it is (ISO, SWIFT, SIX, STUZZA). None where none is told."""
    found = _VERSION.search(namespace(element))
    return int(found[1]) if found else None


def is_container(element: Element) -> bool:
    """Whether an element is the container of a message of this family, whichever."""
    name = _FIRST_VERSION.sub("", local_name(element))
    return name in _CONTAINERS or name in _OTHERS


def message_of(element: Element) -> Message | None:
    """The message that an element is the container of, if it is one.

    Raises ``FileRefusedError`` for a version after the last published one.
    """
    name = _FIRST_VERSION.sub("", local_name(element))
    if name not in _CONTAINERS:
        return None
    message, statement = _CONTAINERS[name]
    version = version_of(element)
    if version is not None and version > VERSION_MAX:
        raise FileRefusedError(
            "unsupported_version",
            f"it is {message} version {version:02}; versions up to {VERSION_MAX} are known",
            line_of(element),
        )
    return Message(message, statement, version, line_of(element))


def wrong_message(seen: str, wanted: str) -> FileRefusedError:
    """The refusal of a file that holds no message of the wanted kind; `seen` is the name of its container or root."""
    name = _FIRST_VERSION.sub("", seen)
    if name in _CONTAINERS:
        form = _CONTAINERS[name][0].replace(".", "")
        return FileRefusedError("wrong_format", f"it holds a {_CONTAINERS[name][0]} message; say --as {form}")
    if _OTHERS.get(name):
        return FileRefusedError("wrong_format", f"it holds a {name} message; say --as {_OTHERS[name]}")
    return FileRefusedError("wrong_format", f"it holds no {wanted} message (it begins with {seen or 'nothing'})")
