"""Cash that nobody applies, by the rule (SEMANTICS 4.2)."""

from datetime import date, timedelta

from jobs.company import CompanySettings
from tests.property.oracle.ledger import Ledger, Receipt


class CashOracle(Ledger):
    """Every receipt is looked at after every event and at every local midnight."""

    def __init__(self, settings: CompanySettings) -> None:
        super().__init__(settings)
        self.watched: dict[str, tuple[str, int]] = {}  # payment → kind of its open alert, stages fired

    def look(self) -> None:
        """Every receipt: is its alert over, and which limits has it passed?"""
        for payment, receipt in self.receipts.items():
            kind = "unapplied_cash" if receipt.account else "unidentified_cash"
            left = self.left_of(payment)
            quiet = receipt.on_account or left <= self.settings.amount("unapplied_min_amount", "EUR")
            open_kind, fired = self.watched.get(payment, ("", 0))
            if open_kind and (quiet or open_kind != kind):
                self.row(payment, open_kind, "resolved", left)
                open_kind, fired = "", 0
            passed = 0 if quiet else sum(self.today > limit for limit in self._limits(receipt))  # type: ignore[operator]
            for stage in range(fired, passed):
                self.row(payment, kind, "escalated" if stage else "raised", left)
            self.watched[payment] = (kind if passed else "", passed)

    def _limits(self, receipt: Receipt) -> list[date]:
        settings = self.settings
        ages = [settings.unapplied_after_days]
        ages += [days for days in settings.unapplied_escalate_days if days > settings.unapplied_after_days]
        if settings.unapplied_calendar == "business":
            return [self.business_days_after(receipt.value_date, age) for age in ages]
        return [receipt.value_date + timedelta(days=age) for age in ages]
