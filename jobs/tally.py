"""What a step adds to the live totals of one account in one currency, before it becomes a `Balance` again."""

from jobs.entities import Balance, Shown, account_key
from jobs.values import Minor


class Tally:
    """Totals that a step counts up; `before` is what they were (None: the account is new in this currency).

    Signed amounts by column, as in `Balance`; a column that comes to nothing is left out.
    """

    __slots__ = ("account", "before", "currency", "disputed", "totals", "withheld")

    def __init__(self, before: Balance | None, account: str, currency: str) -> None:
        self.before = before
        self.account = account
        self.currency = currency
        self.totals: dict[str, Minor] = {} if before is None else dict(before.totals)
        self.disputed = Minor(0) if before is None else before.disputed
        self.withheld = Minor(0) if before is None else before.withheld

    def shift(self, before: Shown | None, after: Shown | None) -> None:
        """A line contributes `after` where it contributed `before`."""
        if before is not None:
            self._add(before.column, -before.amount)
        if after is not None:
            self._add(after.column, after.amount)

    def _add(self, column: str, amount: int) -> None:
        total = self.totals.get(column, 0) + amount
        if total:
            self.totals[column] = Minor(total)
        else:
            self.totals.pop(column, None)

    def shift_beside(self, disputed: int, withheld: int) -> None:
        """More of it is disputed, or withheld from dunning (negative: less)."""
        self.disputed = Minor(self.disputed + disputed)
        self.withheld = Minor(self.withheld + withheld)

    @property
    def is_other(self) -> bool:
        """Whether the totals that are published differ from what they were."""
        before = self.before
        return before is None or self.totals != before.totals or self.disputed != before.disputed

    def balance(self, company: str) -> Balance:
        """The balance as it now stands."""
        before = self.before or Balance(None, account_key("balances", company, self.account), {})
        return Balance(
            before.wake,
            before.listed_under,
            self.totals,
            self.disputed,
            before.cash_first,
            before.cash_first_number,
            before.advised,
            self.withheld,
        )
