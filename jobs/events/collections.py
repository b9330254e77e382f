"""What collectors send (SEMANTICS 6.1)."""

from jobs.events.envelope import Event


class NoticeSent(Event, frozen=True, kw_only=True):
    """A reminder, a statement or a dunning notice went out."""

    notice_id: str
    kind: str
    level: int | None
    invoice_ids: tuple[str, ...]
    channel: str
