"""What stops a whole file or a whole run, as opposed to one bad row."""


class SourceError(Exception):
    """A source cannot be taken in: no such file, a wrong mapping, a missing column, a broker that does not answer.

    ``message`` says what is the matter, ``advice`` what to do about it, in one sentence each. Nothing of the file in
    question has been sent when a mapping or a header is at fault. A bad row is never a ``SourceError``: it becomes a
    ``SourceReject``.
    """

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message, advice)
        self.message = message
        self.advice = advice

    def __str__(self) -> str:
        """Both sentences on one line."""
        return f"{self.message}. {self.advice}" if self.advice else self.message


class FileRefusedError(Exception):
    """A file that cannot be taken at all: its totals disagree, it is cut off, it is of another format.

    `reason` is a code (`control_total_mismatch`, `truncated_file`, `malformed_file`, `unsupported_version`, …),
    `message` a sentence that says what is wrong and what to do, `line` where it shows (0 = the file as a whole).
    """

    def __init__(self, reason: str, message: str, line: int = 0) -> None:
        super().__init__(reason, message, line)
        self.reason = reason
        self.message = message
        self.line = line


class UnreadableError(Exception):
    """A record or a value that cannot be taken; it becomes a ``SourceReject``. `column` is the source's name of it."""

    def __init__(self, reason: str, message: str, column: str | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.column = column
