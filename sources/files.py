"""Files, folders and standard input as byte streams, in a fixed order; what is compressed is unpacked."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import BinaryIO

from sources.compressed import copied, unpacked, without_gzip_suffix
from sources.errors import SourceError
from sources.formats import Adapter
from sources.values import Parsed

STANDARD_INPUT = "-"
STANDARD_INPUT_NAME = "<stdin>"
# Long lines are read eight times as fast as with Python's 8 KiB.
BUFFER_BYTES = 128 * 1024


class Inputs:
    """The inputs of one run. Standard input is copied to a temporary file where it must be read more than once."""

    def __init__(self, files: Sequence[Path | None], standard_input: BinaryIO) -> None:
        self._files = files
        self._standard_input = standard_input
        self._copy: BinaryIO | None = None

    def keep_standard_input(self) -> None:
        """Copy standard input to a temporary file, so that it can be read again."""
        if None in self._files and self._copy is None:
            self._copy = copied(self._standard_input)

    def check(self, adapter: Adapter) -> None:
        """Let the adapter look at the beginning of every file. Raises ``SourceError``.

        Standard input and pipes cannot be looked at without using them up, so their check happens when they are read.
        """
        for file in self._files:
            if file is not None and not file.is_fifo():
                with _opened(file) as stream:
                    adapter.check(stream, str(file))

    def read(self, adapter: Adapter) -> Iterator[Parsed]:
        """The values of all inputs, one after the other."""
        for file in self._files:
            if file is not None:
                with _opened(file) as stream:
                    yield from adapter.read(stream, str(file))
            else:
                stream = self._standard_input
                if self._copy is not None:
                    self._copy.seek(0)
                    stream = self._copy
                yield from adapter.read(stream, STANDARD_INPUT_NAME)

    def close(self) -> None:
        """Remove the temporary copy of standard input, if there is one."""
        if self._copy is not None:
            self._copy.close()


def find_files(paths: Iterable[str], suffixes: Sequence[str]) -> list[Path | None]:
    """The files to read, in order; None is standard input. A folder gives its files of these suffixes, sorted.

    Raises ``SourceError`` for a path that does not exist and for a folder without such files.
    """
    files: list[Path | None] = []
    for given in paths:
        path = Path(given)
        if given == STANDARD_INPUT:
            files.append(None)
        elif path.is_dir():
            found = sorted(
                file
                for file in path.rglob("*")
                if file.is_file()
                and (not suffixes or Path(without_gzip_suffix(file.name)).suffix.lower() in suffixes)
                and not file.name.startswith(".")
            )
            if not found:
                raise SourceError(f"the folder {path} has no {' or '.join(suffixes)} file", "Name the files one by one")
            files += found
        elif path.exists():
            files.append(path)
        else:
            raise SourceError(f"there is no file {path}", "Give files, folders, or - for standard input")
    if files.count(None) > 1:
        raise SourceError("standard input is named more than once", "Give - at most once")
    return files


@contextmanager
def _opened(file: Path) -> Iterator[BinaryIO]:
    try:
        stream = file.open("rb", BUFFER_BYTES)
    except OSError as error:
        raise SourceError(f"cannot read {file}: {error.strerror}", "Check its name and permissions") from error
    with stream:
        try:
            with (
                copied(stream) if file.is_fifo() else nullcontext(stream) as whole,
                unpacked(whole, str(file)) as content,
            ):
                yield content
        except OSError as error:
            raise SourceError(
                f"cannot read {file}: {error.strerror or error}", "There must be room for what is unpacked (TMPDIR)"
            ) from error
