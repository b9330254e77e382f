"""The history of a company, in the order in which it was entered."""

from dataclasses import dataclass

from examples.generator.accounts import exchange_rates, master_data, user_activity
from examples.generator.cash import Cash
from examples.generator.company import Company
from examples.generator.customers import Customer, customers_of
from examples.generator.facts import END, Fact
from examples.generator.follow_up import FollowUp
from examples.generator.invoicing import Numbers, invoices_of
from examples.generator.stories import Stories

INVOICE_EVENTS = frozenset({"InvoiceIssued", "InvoiceCancelled", "InvoiceAdjusted", "InvoiceWrittenOff",
                            "WriteOffRecovered", "CreditMemoIssued"})  # fmt: skip
CASH_EVENTS = frozenset({"PaymentReceived", "PaymentIdentified", "PaymentPlacedOnAccount", "PaymentRefunded",
                         "PaymentReversed", "CashApplied", "CashUnapplied"})  # fmt: skip


@dataclass(frozen=True)
class History:
    """All facts of a company up to the last day, by the file they go to."""

    company: Company
    customers: list[Customer]
    facts: list[Fact]

    def of(self, events: frozenset[str]) -> list[Fact]:
        """The facts of some events, in order."""
        return [fact for fact in self.facts if fact.event in events]

    def others(self) -> list[Fact]:
        """The facts that are neither about documents nor about cash."""
        return [fact for fact in self.facts if fact.event not in INVOICE_EVENTS | CASH_EVENTS]


def history_of(company: Company) -> History:
    """Let the nine months happen."""
    customers = customers_of(company)
    numbers = Numbers(company)
    stories = Stories(company, numbers)
    for invoice in invoices_of(company, numbers):
        stories.tell(invoice)
    cash = Cash(company, numbers, {customer.account: customer for customer in customers})
    cash.take(stories.portions)
    contested = {fact["invoice_id"] for fact in stories.facts if fact.event == "DisputeOpened"}
    follow_up = FollowUp(company)
    follow_up.work_on(stories.late, contested)
    facts = [
        *master_data(company, customers),
        *exchange_rates(company),
        *stories.facts,
        *cash.facts,
        *follow_up.facts,
        *user_activity(company, customers),
    ]
    # What was entered after the last day is not known yet; the order of entry is the order of the log.
    known = [fact for fact in facts if company.local(fact.at).date() <= END]
    return History(company, customers, sorted(known, key=lambda fact: fact.at))
