"""The events of a step: what a list shows as it is, and what is inferred, marked as that."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from avro.amounts import from_minor
from avro.text import parse_event
from sources.identity import derive_event_id
from sources.snapshot.items import EVENT_OF, Kind, OpenItem
from sources.values import ParsedEvent, Position

REASON = "inferred_from_snapshot"
INFERRED = "inferred"  # the actor_role of what no list says
_ACTOR = "snapshot"


class Drafts:
    """Makes the events of one step, in the order in which they are to be sent.

    The id of an event is made of the step and what it is about, so that a step that is taken again gives the same
    events; a document has the id that its row has for every reader.
    """

    def __init__(self, company: str, source: str, as_of: str, occurred_at: str, sequence: int) -> None:
        self._company = company
        self._source = source
        self._as_of = as_of
        self._occurred_at = occurred_at
        self._step = f"{as_of}.{sequence}"
        self._position = Position("", 0)
        self._documents: list[ParsedEvent] = []
        self._changes: list[ParsedEvent] = []
        self._settlements: list[ParsedEvent] = []
        self._falls: list[ParsedEvent] = []
        self.inferred: Counter[str] = Counter()

    def events(self) -> tuple[ParsedEvent, ...]:
        """Documents before what refers to them, rises before settlements, what nothing explains at the end."""
        return (*self._documents, *self._changes, *self._settlements, *self._falls)

    def issue(self, item: OpenItem, number: str, amount: int) -> None:
        """A document as its row has it, under its own number or, as another part of the item, under a new one."""
        event, field = EVENT_OF[item.kind]
        record = {**item.record, field: number, "amount_minor": amount}
        if item.kind == "credit_memo":
            # What a credit settled is told by the lists; the ledger would apply it on its own.
            record["invoice_id"] = None
        if item.kind == "invoice":
            record["instalments"] = None
        if number != item.number:
            if item.kind == "invoice":
                record["reference"] = item.number
            record["event_id"] = derive_event_id(event, record)
        self._documents.append(ParsedEvent(event, record, item.position))

    def take_over(self, event: ParsedEvent, **changes: object) -> None:
        """An event of the list of payments as it is."""
        into = self._documents if event.name == "PaymentReceived" else self._settlements
        into.append(ParsedEvent(event.name, {**event.record, **changes}, event.position))

    def change_due_date(self, number: str, account: str | None, due: int, position: Position) -> None:
        """The list shows another due date."""
        record = self._record(
            "InvoiceDueDateChanged", number, account, {"invoice_id": number, "due_date": "1970-01-01"}
        )
        record["due_date"] = due
        self._changes.append(ParsedEvent("InvoiceDueDateChanged", record, position))

    def identify(self, number: str, account: str, position: Position) -> None:
        """The list shows the account of a payment that had none."""
        record = self._record("PaymentIdentified", number, account, {"payment_id": number})
        self._changes.append(ParsedEvent("PaymentIdentified", record, position))

    def adjust(self, number: str, account: str | None, currency: str, amount: int) -> None:
        """The amount of an invoice, or below zero that of a credit, is another one, and nothing says why."""
        written = {
            "adjustment_id": f"{self._step}/{number}",
            "invoice_id": number,
            "amount": from_minor(amount, currency),
            "currency": currency,
            "effective_date": self._as_of,
            "reason": REASON,
        }
        record = self._record("InvoiceAdjusted", number, account, written, inferred=True)
        into = self._changes if amount > 0 else self._falls
        into.append(ParsedEvent("InvoiceAdjusted", record, self._position))

    def spend(self, number: str, account: str | None, currency: str, amount: int) -> None:
        """A credit memo was used for nothing that the list shows."""
        written = {
            "adjustment_id": f"{self._step}/{number}/spent",
            "invoice_id": number,
            "amount": from_minor(amount, currency),
            "currency": currency,
            "effective_date": self._as_of,
            "reason": REASON,
        }
        record = self._record("InvoiceAdjusted", f"{number}/spent", account, written, inferred=True)
        self._falls.append(ParsedEvent("InvoiceAdjusted", record, self._position))

    def refund(self, number: str, account: str | None, currency: str, amount: int) -> None:
        """A payment became less, and no item with it: the money left the account."""
        written = {"payment_id": number, "amount": from_minor(amount, currency), "effective_date": self._as_of}
        record = self._record("PaymentRefunded", number, account, written, inferred=True)
        self._falls.append(ParsedEvent("PaymentRefunded", record, self._position))

    def apply(self, kind: Kind, credit: str, invoice: str, account: str | None, currency: str, amount: int) -> None:
        """A credit and an invoice became less by the same list."""
        written = {
            "application_id": f"{self._step}/{credit}>{invoice}",
            "payment_id" if kind == "payment" else "credit_memo_id": credit,
            "invoice_id": invoice,
            "amount": from_minor(amount, currency),
            "currency": currency,
            "effective_date": self._as_of,
            "method": "manual",  # no list says that a program did it, and a rate must not be overstated
        }
        record = self._record("CashApplied", f"{credit}>{invoice}", account, written, inferred=True)
        self._settlements.append(ParsedEvent("CashApplied", record, self._position))

    def _record(
        self, event: str, about: str, account: str | None, written: Mapping[str, Any], *, inferred: bool = False
    ) -> dict[str, Any]:
        if inferred:
            self.inferred[event] += 1
        envelope = {
            "event": event,
            "event_id": "/".join((self._source, self._company, event, self._step, about)),
            "company": self._company,
            "account_id": account,
            "occurred_at": self._occurred_at,
            "recorded_at": self._occurred_at,
            "region": "",
            "source": self._source,
            "actor_id": _ACTOR,
            "actor_role": INFERRED if inferred else "system",
            "correlation_id": f"snapshot/{self._step}",
        }
        return parse_event({**envelope, **written}, {})[1]
