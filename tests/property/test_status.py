"""The status of a document follows from its entries, in the order in which they were recorded (SEMANTICS 1.7)."""

from hypothesis import given

from jobs.effects import LedgerEntry
from jobs.events import InvoiceCancelled
from tests.jobs.examples import examples
from tests.property.histories import History, histories
from tests.property.playing import Play


def _status(entries: list[LedgerEntry]) -> str:
    """By what closed it last; a small balance is written off for the payment that it came with."""
    if sum(entry.delta_minor for entry in entries):
        return "open"
    closing = [entry for entry in entries if entry.entry_type != "due_date_change"][-1]
    return "written_off" if closing.entry_type == "write_off" and closing.reason != "small_balance" else "paid"


@examples(80)
@given(histories())
def test_the_status_is_what_the_entries_say(history: History) -> None:
    play = Play().all(history.log)
    cancelled = {
        event.invoice_id
        for event, outcome, _ in play.steps
        if isinstance(event, InvoiceCancelled) and outcome == "applied"
    }
    for (document_type, document_id), item in play.out.items.items():
        own = [entry for entry in play.out.entries if (entry.item_type, entry.item_id) == (document_type, document_id)]
        if item.status == "cancelled":
            assert document_id in cancelled
            assert sum(entry.delta_minor for entry in own) == 0
        else:
            assert item.status == _status(own)
