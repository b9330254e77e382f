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
