"""What a local midnight does to documents and receipts: it moves them on in time, or lets the kernel forget them.

SEMANTICS 1.8. What is closed long enough is forgotten, unless what it paid may still give it something back.
"""

import msgspec

from jobs.aging import contribution
from jobs.entities import Application, Line
from jobs.promises.coverage import coverage_key
from jobs.references import forget_references
from jobs.step import Step
from jobs.values import Day

_POSTPONED_DAYS = 30


def woken_document(step: Step, document_key: str) -> None:
    """A local midnight: the document changes bucket, a posting takes effect, or it was closed long enough ago."""
    document = step.document(document_key)
    if document is None or step.today is None:
        return
    if document.open or not _is_still(document.lines, step) or not _is_due(document.wake, step.today):
        step.put_document(document_key, document)
        return
    own = [application for application in document.applications if not application.startswith("incoming")]
    paid_by_known = any(step.state.get(Application, application) is not None for application in own)
    if paid_by_known or _pays_open(step, document_key):
        later = Day(step.today + _POSTPONED_DAYS)  # what paid it is still kept and may be reversed
        step.state.put(document_key, msgspec.structs.replace(document, wake=later))
        return
    for application in document.applications:  # what is left came from other accounts
        incoming = step.state.get(Application, application)
        if incoming is not None:
            step.state.remove(incoming.source)
        step.state.remove(application)
    step.state.remove(coverage_key(document_key))
    _forget(step, document_key)


def woken_receipt(step: Step, receipt_key: str) -> None:
    """A local midnight: a posting takes effect, or the receipt was used up long enough ago."""
    receipt = step.receipt(receipt_key)
    if receipt is None or step.today is None:
        return
    if receipt.remainder or not _is_still(receipt.lines, step) or not _is_due(receipt.wake, step.today):
        step.put_receipt(receipt_key, receipt)
    elif _pays_open(step, receipt_key):
        step.state.put(receipt_key, msgspec.structs.replace(receipt, wake=Day(step.today + _POSTPONED_DAYS)))
    else:
        forget_references(step, receipt)
        _forget(step, receipt_key)


def _pays_open(step: Step, source_key: str) -> bool:
    """A document that it paid in part is still open: if cancelled, it gives the cash or credit back (SEMANTICS 1.5)."""
    for application_key in step.state.listed(source_key):
        application = step.state.get(Application, application_key)
        target = None if application is None else step.document(application.target)
        if target is not None and target.open and application_key in target.applications:
            return True
    return False


def _is_due(wake: Day | None, today: Day) -> bool:
    """Its own day has come; new settings look at everything, whatever its day."""
    return wake is not None and wake <= today


def _is_still(lines: tuple[Line, ...], step: Step) -> bool:
    """Nothing of it changes today or later by itself."""
    today = step.today
    return today is not None and all(
        line.postings[-1][0] <= today and contribution(line, today, step.settings.aging) == line.shown for line in lines
    )


def _forget(step: Step, entity_key: str) -> None:
    for application in step.state.listed(entity_key):
        step.state.remove(application)
    step.state.remove(entity_key)
