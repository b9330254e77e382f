"""The fields of SWIFT messages in a file: with envelopes ({1:…}{4: … -}) or bare, one message or many.

A message begins with `:20:` and goes on to the next one, to `-}` or to the end of the file. A line with nothing but a
dash may end it too, but some banks have such lines in its midst. What stands outside is envelope. A line that begins
with the tag of no field of these messages belongs to the field before it: free text may well begin with a colon.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO

import msgspec

from sources.bank.format import FileRefusedError
from sources.bank.plain_text import text_lines

_TAGS = "20|21|25P?|28C?|13D?|34F|60[FM]|61|62[FM]|64|65|86|90[CD]|NS"
_FIELD = re.compile(rf"\s?:({_TAGS}):(.*)")
_MESSAGE_TYPE = re.compile(r":(94[0-9]):")
_MESSAGE_END = re.compile(r"-\}(?:\s*\{.*)?\s*")
_TEXT_BLOCK = "{4:"
_LINE_BYTES_MAX = 16 * 1024
_FIELD_LINES_MAX = 200


class Field(msgspec.Struct, frozen=True, gc=False):
    """A field: tag and the lines of its content, with the line of the file on which it begins.

    `tag` is empty for the end of a message, which has no content.
    """

    line: int
    tag: str
    lines: list[str]

    @property
    def text(self) -> str:
        """The content of a field of one line. What follows it, before the next message, is envelope."""
        return self.lines[0].strip()


def fields(stream: BinaryIO) -> Iterator[Field]:
    """The fields of all messages in order. Raises ``FileRefusedError`` for what is no such file."""
    current: Field | None = None
    in_message = False
    for line in text_lines(stream, "a SWIFT statement", _LINE_BYTES_MAX):
        text = _unwrapped(line.text)
        found = _FIELD.fullmatch(text)
        if found is not None:
            if found[1] == "20":
                if in_message:
                    yield from _and_end(current, line.number)
                in_message = True
            elif not in_message:
                raise _outside(f"field :{found[1]}:", line.number)
            elif current is not None:
                yield current
            current = Field(line.number, found[1], [found[2]])
        elif not in_message:
            _pass_over(text, line.number)
        elif _MESSAGE_END.fullmatch(text) is not None:
            yield from _and_end(current, line.number)
            current, in_message = None, False
        elif current is not None and text.strip() != "-":
            _continue(current, text, line.number)
        elif current is not None:
            yield current
            current = None  # what follows, up to a field, is envelope
    if in_message:
        yield from _and_end(current, current.line if current else 0)


def _unwrapped(text: str) -> str:
    """A line without the blocks of the envelope before it, where it has them and the text on one line."""
    if text.lstrip().startswith("{") and _TEXT_BLOCK in text:
        return text.split(_TEXT_BLOCK, 1)[1].lstrip()
    return text


def _pass_over(text: str, line: int) -> None:
    """A line outside of messages: what banks put there, but nothing that looks like a field."""
    if text.lstrip().startswith(":") and _MESSAGE_TYPE.match(text.strip()) is None:
        raise _outside(repr(text[:40]), line)


def _outside(what: str, line: int) -> FileRefusedError:
    return FileRefusedError("malformed_file", f"{what} stands outside a message; a statement begins with :20:", line)


def _and_end(current: Field | None, line: int) -> Iterator[Field]:
    if current is not None:
        yield current
    yield Field(line, "", [])


def _continue(field: Field, text: str, line: int) -> None:
    if len(field.lines) >= _FIELD_LINES_MAX:
        message = f"field :{field.tag}: has more than {_FIELD_LINES_MAX} lines; is it a SWIFT statement?"
        raise FileRefusedError("malformed_file", message, line)
    field.lines.append(text)
