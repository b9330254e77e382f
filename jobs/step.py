"""One step of the fold: what the handlers of an event read, change and put out."""

from typing import NamedTuple, TypeVar

import msgspec

from jobs.company import CompanySettings
from jobs.effects import DisputeEntry, Effect, LedgerEntry
from jobs.entities import Dispute, Document, ForeignSource, ReceiptState, key
from jobs.events import Event
from jobs.lines import Movement
from jobs.state import State
from jobs.tally import Tally
from jobs.values import Day, Instant, Minor

E = TypeVar("E", bound=msgspec.Struct)


class CashMovement(NamedTuple):
    """Cash applied to a document in this step (negative: taken back)."""

    document_key: str
    application_key: str
    amount: Minor
    value_date: Day


class Step:
    """The context of one event, or of one local midnight of a company.

    `today` is the company's local date by the clock (None before the first tick); `recorded_at` the knowledge time of
    everything posted, never before the clock, so that what was reported as of an earlier moment stays as it was
    (SEMANTICS 1.2). `last_day` is the local day that the clock is moving to, where it passes several midnights.
    `promised` are documents for which a promise began to run, or ceased to; `judged` promises whose midnight has come.
    `moved` are accounts whose live totals changed, `accounts` those whose advice may be another now (SEMANTICS 6).
    """

    __slots__ = (
        "_entries",
        "accounts",
        "balances",
        "cash",
        "company",
        "documents",
        "effects",
        "event_id",
        "judged",
        "last_day",
        "moved",
        "promised",
        "receipts",
        "recorded_at",
        "settings",
        "state",
        "today",
    )

    def __init__(
        self,
        state: State,
        settings: CompanySettings,
        event_id: str,
        recorded_at: Instant,
        today: Day | None,
        effects: list[Effect],
        last_day: Day | None = None,
    ) -> None:
        self.state = state
        self.settings = settings
        self.company = settings.code
        self.event_id = event_id
        self.recorded_at = recorded_at
        self.today = today
        self.effects = effects
        self.documents: dict[str, Document] = {}
        self.receipts: dict[str, ReceiptState] = {}
        self.balances: dict[str, Tally] = {}
        self.cash: list[CashMovement] = []
        self.accounts: set[str] = set()
        self.moved: set[str] = set()
        self.promised: set[str] = set()
        self.judged: set[str] = set()
        self.last_day = Day(0) if last_day is None else last_day
        self._entries = 0

    @property
    def at_midnight(self) -> bool:
        """Whether this is a local midnight of the company, and not an event."""
        return self.last_day > 0

    def document(self, document_key: str) -> Document | None:
        """A document, with what this step did to it."""
        return self.documents.get(document_key) or self.state.get(Document, document_key)

    def put_document(self, document_key: str, document: Document) -> None:
        """Change a document; its live aging and its output record follow at the end of the step."""
        self.documents[document_key] = document

    def receipt(self, receipt_key: str) -> ReceiptState | None:
        """A receipt, with what this step did to it."""
        return self.receipts.get(receipt_key) or self.state.get(ReceiptState, receipt_key)

    def put_receipt(self, receipt_key: str, receipt: ReceiptState) -> None:
        """Change a receipt; its live totals and its output record follow at the end of the step."""
        self.receipts[receipt_key] = receipt

    def find_document(self, account: str | None, document_id: str) -> tuple[str, Document] | None:
        """The account's document of that number: the invoice, else the only other one (SEMANTICS 1.7)."""
        found = []
        for document_type in ("invoice", "debit_memo", "credit_memo"):
            document_key = key("document", self.company, document_type, document_id)
            document = self.document(document_key)
            if document is not None and document.account == account:
                if document_type == "invoice":
                    return document_key, document
                found.append((document_key, document))
        return found[0] if len(found) == 1 else None

    def effective(self, event: Event, given: Day | None) -> Day:
        """The effective date given, else the company's local date at which the event occurred (SCENARIOS §1)."""
        return given if given is not None else self.settings.calendar.day(event.occurred_at)

    def post_document(
        self,
        document: Document,
        number: int,
        movements: list[Movement],
        entry_type: str,
        *,
        cause: str | None = None,
        value_date: Day | None = None,
        method: str | None = None,
        reason: str | None = None,
    ) -> None:
        """Ledger entries of a document's line."""
        for movement in movements:
            self._post(document.account, document.document_type, document.document_id, number, document.currency,
                       movement, entry_type, cause, value_date, method, reason, document.region)  # fmt: skip

    def post_receipt(
        self,
        receipt: ReceiptState,
        movements: list[Movement],
        entry_type: str,
        *,
        cause: str | None = None,
        method: str | None = None,
        reason: str | None = None,
    ) -> None:
        """Ledger entries of a receipt. Unidentified cash belongs to no account and has none."""
        if not receipt.account:
            return
        for movement in movements:
            self._post(receipt.account, "payment", receipt.payment_id, 0, receipt.currency, movement, entry_type,
                       cause, receipt.value_date, method, reason, receipt.region)  # fmt: skip

    def post_foreign(
        self,
        source: ForeignSource,
        movement: Movement,
        entry_type: str,
        *,
        cause: str,
        method: str | None,
        reason: str | None,
    ) -> None:
        """The ledger entry of another account's cash that pays an invoice of this one (SEMANTICS 4.7)."""
        value_date = source.value_date if source.item_type == "payment" else None
        self._post(source.account, source.item_type, source.item_id, 0, source.currency, movement, entry_type, cause,
                   value_date, method, reason, source.region)  # fmt: skip

    def _post(
        self,
        account: str,
        item_type: str,
        item_id: str,
        instalment: int,
        currency: str,
        movement: Movement,
        entry_type: str,
        cause: str | None,
        value_date: Day | None,
        method: str | None,
        reason: str | None,
        region: str,
    ) -> None:
        self._entries += 1
        self.effects.append(
            LedgerEntry(
                company=self.company,
                account_id=account,
                item_type=item_type,
                item_id=item_id,
                instalment=instalment,
                balance_class=movement.placement.balance_class,
                currency=currency,
                delta_minor=movement.delta,
                effective_date=movement.effective,
                recorded_at=self.recorded_at,
                due_date=movement.placement.age_date,
                entry_type=entry_type,
                event_id=self.event_id,
                entry_number=self._entries,
                cause_id=cause,
                value_date=value_date,
                method=method,
                reason=reason,
                region=region,
            )
        )

    def post_dispute(self, document: Document, dispute: Dispute, delta: Minor, day: Day, entry_type: str) -> None:
        """A dated change of the disputed slice (SEMANTICS 2.7)."""
        self._entries += 1
        self.effects.append(
            DisputeEntry(
                company=self.company,
                account_id=document.account,
                dispute_id=dispute.dispute_id,
                document_type=document.document_type,
                document_id=document.document_id,
                currency=document.currency,
                delta_minor=delta,
                effective_date=day,
                recorded_at=self.recorded_at,
                entry_type=entry_type,
                reason_code=dispute.reason_code,
                event_id=self.event_id,
                entry_number=self._entries,
            )
        )
