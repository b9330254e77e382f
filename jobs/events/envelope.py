"""What every event carries, as far as the jobs read it (SCENARIOS §1)."""

import msgspec

from jobs.values import Instant


class Event(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The envelope. The field order is that of the Avro records, which the decoder relies on.

    `recorded_at` is when the pipeline accepted the event (knowledge time), `occurred_at` when it happened by the
    source's clock. `account_id` is None where no customer account is known.
    """

    event_id: str
    company: str
    account_id: str | None
    occurred_at: Instant
    recorded_at: Instant
    region: str
