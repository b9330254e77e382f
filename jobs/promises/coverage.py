"""Which documents promises cover, and whether one of them runs (SEMANTICS 3.2, 3.4, 3.7, 3.14)."""

from jobs.entities import Coverage, PromiseState, key
from jobs.step import Step

_RUNNING = frozenset({"open", "pending_cash"})


def coverage_key(document_key: str) -> str:
    """Where the promises made for a document are listed."""
    return "coverage" + document_key.removeprefix("document")


def coverage_of(step: Step, document_key: str) -> Coverage | None:
    """The promises made for a document."""
    return step.state.get(Coverage, coverage_key(document_key))


def runs(promise: PromiseState | None) -> bool:
    """Whether it may still be kept: its invoices are not dunned meanwhile (SEMANTICS 3.4, 3.14)."""
    return promise is not None and promise.status in _RUNNING


def promised(step: Step, document_key: str) -> bool:
    """Whether a promise for the document runs."""
    coverage = coverage_of(step, document_key)
    return coverage is not None and any(
        runs(step.state.get(PromiseState, promise_key)) for promise_key, _ in coverage.promises
    )


def open_documents_of(step: Step, promise: PromiseState) -> list[str]:
    """Keys of the documents that a promise may cover and that are open: all of the account, or those it names."""
    if promise.whole_account:
        return step.state.listed(key("documents", step.company, promise.account))
    named = (step.find_document(promise.account, invoice_id) for invoice_id in promise.invoice_ids)
    return [found[0] for found in named if found is not None]
