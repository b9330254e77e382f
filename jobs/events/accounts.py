"""Customer accounts: master data and credit holds."""

from jobs.events.envelope import Event


class AccountChanged(Event, frozen=True, kw_only=True):
    """New master data; a field that is None stays as it is."""

    name: str | None
    parent_account_id: str | None
    credit_limit_minor: int | None
    currency: str | None
    risk_class: str | None
    segment: str | None
    collector_id: str | None
    dunning_block: bool | None


class AccountHoldPlaced(Event, frozen=True, kw_only=True):
    """A person stops deliveries to the account (SEMANTICS 6.2)."""

    reason: str | None


class AccountHoldReleased(Event, frozen=True, kw_only=True):
    """A person lifts the hold (SEMANTICS 6.2)."""

    reason: str | None
