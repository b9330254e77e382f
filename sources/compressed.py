"""Deliveries that are compressed: gzip is unpacked, with a limit; other archives are refused by name."""

import gzip
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from sources.errors import SourceError

GZIP_SUFFIX = ".gz"
# Ledgers and statements shrink to a tenth, very regular ones to a fiftieth; a thousandth is all that gzip can do.
RATIO_MAX = 200
ALWAYS_ALLOWED_BYTES = 64 * 1024 * 1024

_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"
_CHUNK = 1024 * 1024


@contextmanager
def unpacked(stream: BinaryIO, file: str) -> Iterator[BinaryIO]:
    """The content of a seekable stream: itself, or of gzip data a temporary copy that was read to its end and is whole.

    A compressed file is verified (its check sum, its length, the limit) before its first byte is handed on. Raises
    ``SourceError`` for a damaged or truncated one, for one that grows beyond all measure, and for a ZIP archive;
    ``OSError`` where there is no room for the copy (in TMPDIR).
    """
    beginning = stream.read(len(_ZIP))
    size = stream.seek(0, 2)
    stream.seek(0)
    if beginning == _ZIP:
        raise SourceError(f"{file} is a ZIP archive", "Unpack it, or deliver the file as it is or as .gz")
    if not beginning.startswith(_GZIP):
        yield stream
        return
    with tempfile.TemporaryFile() as content:
        _unpack(stream, content, file, max(ALWAYS_ALLOWED_BYTES, size * RATIO_MAX))
        content.seek(0)
        yield content


def without_gzip_suffix(name: str) -> str:
    """The name of what is in a compressed file."""
    return name[: -len(GZIP_SUFFIX)] if name.lower().endswith(GZIP_SUFFIX) else name


def _unpack(stream: BinaryIO, content: BinaryIO, file: str, bytes_max: int) -> None:
    try:
        with gzip.GzipFile(fileobj=stream) as packed:
            while piece := packed.read(_CHUNK):
                if content.tell() + len(piece) > bytes_max:
                    raise SourceError(
                        f"{file} unpacks to more than {bytes_max:,} bytes, {RATIO_MAX} times its size",
                        "If it is what you expect, unpack it first",
                    )
                content.write(piece)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise SourceError(f"{file} is damaged or cut off: {error}", "Deliver it again") from error


def copied(stream: BinaryIO) -> BinaryIO:
    """A temporary copy of a stream that can be read once only; closing it removes it."""
    copy = tempfile.TemporaryFile()  # noqa: SIM115  its user closes it
    shutil.copyfileobj(stream, copy, _CHUNK)
    copy.seek(0)
    return copy
