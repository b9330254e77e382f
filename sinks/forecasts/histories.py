"""Histories of invoices as they were known at an instant: nothing that came to be known later is in them."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import NamedTuple

from clickhouse_connect.driver.client import Client

_AT = "%Y-%m-%d %H:%M:%S.%f"
_KNOWN = "effective_date <= {as_of:Date32} AND recorded_at <= {known:DateTime64(6, 'UTC')}"

# Where a due date was changed, an application dated before the change moves along with the balance, so that only the
# sum of its entries is what was paid. Value dates lie before their applications become known, so money of later days
# cannot be in it.
_BY_DUE = "sumMap(map(toInt32(due_date), delta_minor))"
# Of what is open, the due date at which it lies; changes may be told in another order than that of their days.
_OPEN_AT = f"arrayFirst((day, minor) -> minor > 0, mapKeys({_BY_DUE}), mapValues({_BY_DUE}))"
_HISTORIES = f"""
SELECT account_id, currency, toString(item_type), item_id, instalment,
    if(sum(delta_minor) > 0, addDays(toDate32('1970-01-01'), {_OPEN_AT}),
        argMaxIf(due_date, (_offset, entry_number), delta_minor > 0)) AS due,
    min(effective_date) AS issued,
    sumIf(delta_minor, entry_type IN ('invoice', 'debit_memo', 'adjustment')) AS amount,
    arrayMap(part -> (addDays(toDate32('1970-01-01'), part.1), part.2), CAST(sumMapIf(
        map(toInt32(assumeNotNull(value_date)), -delta_minor),
        entry_type = 'application' AND value_date IS NOT NULL
            AND (cause_id IS NULL OR cause_id NOT IN (
                SELECT assumeNotNull(cause_id) FROM ledger_entries_log
                WHERE company = {{company:String}} AND cause_id IS NOT NULL AND {_KNOWN}
                    AND entry_type IN ('unapplication', 'reversal', 'cancellation')
            ))
    ) AS Array(Tuple(Int32, Int64)))) AS paid,
    sum(delta_minor) AS open_minor,
    item_id IN (
        SELECT document_id FROM dispute_entries_log WHERE company = {{company:String}} AND {_KNOWN}
    ) AS disputed
FROM ledger_entries_log
WHERE company = {{company:String}} AND balance_class = 'invoice' AND {_KNOWN}
GROUP BY account_id, currency, item_type, item_id, instalment
HAVING amount > 0
ORDER BY account_id, currency, item_type, item_id, instalment
"""

_SEGMENTS = """
SELECT account_id, ifNull(toString(argMax(segment, (effective_date, recorded_at, _offset))), '')
FROM accounts_log
WHERE company = {company:String} AND effective_date <= {as_of:Date32} AND recorded_at <= {known:DateTime64(6, 'UTC')}
GROUP BY account_id
"""

_PROMISES = """
SELECT account_id, currency, invoices, minor, promised_on
FROM
(
    SELECT account_id, currency, promise_id, groupArray(invoice_id) AS invoices
    FROM promise_invoices
    WHERE company = {company:String}
    GROUP BY account_id, currency, promise_id
) AS covered
INNER JOIN
(
    SELECT account_id, currency, promise_id,
        argMax((toString(status), effective_amount_minor - paid_in_window_minor, deadline), _offset) AS last,
        last.2 AS minor, last.3 AS promised_on
    FROM promises_log
    WHERE company = {company:String} AND recorded_at <= {known:DateTime64(6, 'UTC')}
    GROUP BY account_id, currency, promise_id
) AS stands USING (account_id, currency, promise_id)
WHERE last.1 IN ('open', 'pending_cash') AND minor > 0
ORDER BY promised_on, account_id, currency, promise_id
"""

_KEPT = """
SELECT countIf(state = 'kept'), count()
FROM
(
    SELECT promise_id, argMax((toString(status), deadline), _offset) AS last, last.1 AS state
    FROM promises_log
    WHERE company = {company:String} AND recorded_at <= {known:DateTime64(6, 'UTC')}
    GROUP BY promise_id
)
WHERE state IN ('kept', 'partially_kept', 'broken') AND last.2 BETWEEN addDays({as_of:Date32}, -365) AND {as_of:Date32}
"""


class InvoiceHistory(NamedTuple):
    """One instalment of a document. Amounts are minor units; `paid` are value dates and what was applied of them."""

    account_id: str
    currency: str
    item_type: str
    item_id: str
    instalment: int
    due_date: date
    issued: date
    amount_minor: int
    paid: list[tuple[date, int]]
    open_minor: int
    disputed: bool
    segment: str


class OpenPromise(NamedTuple):
    """What is still promised for the invoices that it covers, in minor units, and until when."""

    account_id: str
    currency: str
    invoice_ids: list[str]
    amount_minor: int
    promised_on: date


def invoice_histories(client: Client, company: str, as_of: date, known_as_of: datetime) -> Iterator[InvoiceHistory]:
    """Every document of a company as it was known."""
    given = {"company": company, "as_of": as_of, "known": known_as_of.strftime(_AT)}
    segments = {str(row[0]): str(row[1]) for row in client.query(_SEGMENTS, parameters=given).result_rows}
    with client.query_rows_stream(_HISTORIES, parameters=given) as rows:
        for row in rows:
            segment = segments.get(row[0], "")
            yield InvoiceHistory._make((*row[:-1], bool(row[-1]), segment))


def open_promises(client: Client, company: str, as_of: date, known_as_of: datetime) -> list[OpenPromise]:
    """Promises that were open, in order of their deadline."""
    given = {"company": company, "as_of": as_of, "known": known_as_of.strftime(_AT)}
    return [OpenPromise(*row) for row in client.query(_PROMISES, parameters=given).result_rows]


def kept_rate(client: Client, company: str, as_of: date, known_as_of: datetime) -> float:
    """Share of the promises of the last 365 days that were kept; as if one of two others had been."""
    given = {"company": company, "as_of": as_of, "known": known_as_of.strftime(_AT)}
    kept, judged = client.query(_KEPT, parameters=given).result_rows[0]
    return (int(kept) + 1) / (int(judged) + 2)
