"""The one error that a person is meant to read."""


class Problem(Exception):  # noqa: N818  to its reader it is a problem; errors are defects
    """Something the user can act on: wrong settings, a service that is away, a folder that cannot be written.

    ``message`` says what is the matter, ``advice`` what to do about it; both are plain sentences without
    the final full stop. The command line prints ``arrears: <message>. <advice>.`` and exits with code 1;
    a traceback is shown only with ``--debug``. Defects are ordinary exceptions, never a ``Problem``.
    """

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message, advice)
        self.message = message
        self.advice = advice

    def __str__(self) -> str:
        """Both sentences on one line."""
        sentences = [part.strip().rstrip(".") for part in (self.message, self.advice) if part.strip()]
        return " ".join(" ".join(sentence.split()) + "." for sentence in sentences)
