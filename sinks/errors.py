"""What can go wrong between Kafka and ClickHouse, told apart by what is to be done about it."""


class SinkProblem(Exception):  # noqa: N818  to its reader it is a problem; errors are defects
    """Something a person must change; the command line prints `message`, then `advice`, each without a full stop."""

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message, advice)
        self.message = message
        self.advice = advice

    def __str__(self) -> str:
        """Both sentences on one line."""
        return ". ".join(part for part in (self.message, self.advice) if part)


class Unavailable(Exception):  # noqa: N818  a state of the neighbour, not a defect
    """A neighbour did not do what it was asked for, or its answer was lost: ask again with the same token."""


class RowsRefused(Exception):  # noqa: N818  a verdict about the data
    """The store read the rows and could not make sense of one of them. Nothing of the insert is stored."""


class FenceExpired(Exception):  # noqa: N818  a verdict about our own delay
    """Too long ago that Kafka confirmed this owner of the partition: write the intent again before inserting."""
