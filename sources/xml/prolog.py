"""The bytes of an XML file on their way to the parser: how it begins, how it ends, and that it has no DTD.

A DTD is where XML becomes dangerous: entities that multiply, entities that read files or addresses. No message of a
bank or of an invoice network needs one, so a DOCTYPE is refused before anything of it is parsed.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO

from sources.errors import FileRefusedError

PROLOG_BYTES_MAX = 64 * 1024
"""How much may stand before the first element: declaration, comments, blanks."""

_CHUNK = 64 * 1024
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_BLANKS = b" \t\r\n"
_WIDE_BEGINNINGS = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be", b"<\0": "utf-16-le", b"\0<": "utf-16-be"}
# What some systems put after the last byte of a file: the end-of-file sign of CP/M, and zeros up to a block's end.
_PADDING = b"\x1a\x00"
_DECLARATION_END = b"?>"
_WIDE_DECLARED = re.compile(rb"""<\?xml[^>]*encoding\s*=\s*["']utf-?16""", re.IGNORECASE)
_FIRST_ELEMENT = re.compile(r"<[^?!\s]")
_COMMENT_OR_INSTRUCTION = re.compile(r"<!--.*?-->|<\?.*?\?>", re.DOTALL)
_DOCTYPE = re.compile(r"<!\s*DOCTYPE", re.IGNORECASE)


def pieces(stream: BinaryIO) -> Iterator[bytes]:
    """The bytes in pieces, from the first sign on; the first piece shows the first element. None of an empty file.

    Raises ``FileRefusedError`` for a DOCTYPE, and where no element begins.
    """
    head = _without_leading_blanks(stream.read(_CHUNK))
    if not head:
        return
    if not _begins_with_a_tag(head):
        raise FileRefusedError("malformed_file", "it does not begin with a <, so it is no XML", 1)
    while not _shows_element(head) and (more := stream.read(_CHUNK)):
        head += more
    padding = b"" if _wide_encoding(head) else _PADDING
    held = b""
    piece = head
    while piece:
        kept = piece.rstrip(padding)
        if kept:
            yield held + kept
            held = b""
        held += piece[len(kept) :]
        if len(held) > _CHUNK:  # more than a block's rest: the parser shall say what it thinks of it
            yield held
            held = b""
        piece = stream.read(_CHUNK)


def encoding_override(head: bytes) -> str | None:
    """UTF-8 for a file that says UTF-16 in single bytes: programs write so when they save a string they made.

    The declaration cannot be true, for it could not be read if it were. Else None: the declaration decides.
    """
    return "utf-8" if _WIDE_DECLARED.match(head) else None


def document_type_refused() -> FileRefusedError:
    """The refusal of a DTD."""
    return FileRefusedError(
        "forbidden_document_type", "it declares a document type (DOCTYPE), which no message needs; remove it", 1
    )


def _without_leading_blanks(data: bytes) -> bytes:
    """XML allows no blank before its declaration, files have some; the lines are put behind it, so that they count."""
    kept = data.removeprefix(_BYTE_ORDER_MARK).lstrip(_BLANKS)
    if not kept.startswith(b"<?xml"):
        return data
    lines = data[: len(data) - len(kept)].count(b"\n")
    declaration, end, rest = kept.partition(_DECLARATION_END)
    return declaration + end + b"\n" * lines + rest


def _begins_with_a_tag(head: bytes) -> bool:
    return _wide_encoding(head) is not None or head.removeprefix(_BYTE_ORDER_MARK).lstrip(_BLANKS).startswith(b"<")


def _shows_element(head: bytes) -> bool:
    """Whether the first element has begun. Raises ``FileRefusedError`` for a DOCTYPE or a prolog without an end."""
    said = _COMMENT_OR_INSTRUCTION.sub("", head[:PROLOG_BYTES_MAX].decode(_wide_encoding(head) or "latin-1", "replace"))
    element, declared = _FIRST_ELEMENT.search(said), _DOCTYPE.search(said)
    if declared is not None and (element is None or declared.start() < element.start()):
        raise document_type_refused()
    if element is None and len(head) >= PROLOG_BYTES_MAX:
        raise FileRefusedError(
            "malformed_file", f"no element begins in its first {PROLOG_BYTES_MAX:,} bytes, so it is no XML message", 1
        )
    return element is not None


def _wide_encoding(head: bytes) -> str | None:
    """UTF-16 by its mark or by the zero beside the first sign; None where a sign below 128 is one byte."""
    return _WIDE_BEGINNINGS.get(head[:2])
