"""Years of postings and of events, made by ClickHouse itself: the same rows at every run, whatever the machine."""

LEDGER_DAYS = 1095
EVENT_DAYS = 400
ACCOUNTS = 5_000
FIRST_DAY = "2023-11-01"
TODAY = "2026-10-31"
# Of the postings that an invoice comes to, on average.
_POSTINGS_AN_INVOICE = 3.93
# So many events of all accounts bring one invoice to each of them: 15 % are invoices.
_EVENTS_A_ROUND = 33_333

_COMPANY = "['EU01', 'US01', 'JP01', 'GB01', 'FR01'][1 + account % 5]"
_CURRENCY = "['EUR', 'USD', 'JPY', 'GBP', 'EUR'][1 + account % 5]"


def ledger_insert(entries: int) -> str:
    """About so many postings over three years: invoices, paid after 20 to 68 days, so that 4 % are open today.

    1 % are recorded weeks after their day, 1 % three weeks before it, 4 % of the invoices get another due date, and
    1 % are never paid.
    """
    invoices = int(entries / _POSTINGS_AN_INVOICE)
    no_date = "CAST(NULL AS Nullable(Date32))"
    return f"""
INSERT INTO ledger_entries_log (_topic, _partition, _offset, _appended_at, company, account_id, item_type, item_id,
    instalment, balance_class, currency, delta_minor, effective_date, recorded_at, due_date, entry_type, event_id,
    entry_number, cause_id, value_date, method, reason, region)
WITH
    sipHash64(number) AS seed, seed % {ACCOUNTS} AS account,
    addDays(toDate32('{FIRST_DAY}'), intDiv(number * {LEDGER_DAYS}, {invoices})) AS issued,
    addDays(issued, 30 + bitShiftRight(seed, 16) % 3 * 15) AS due,
    addDays(issued, 20 + bitShiftRight(seed, 8) % 49) AS paid,
    toInt64(1000 + bitShiftRight(seed, 20) % 5000000) AS amount,
    bitShiftRight(seed, 30) % 1000 AS lot,
    if(lot < 10, 7 + lot * 5, 0) AS late, if(lot BETWEEN 10 AND 19, 20, 0) AS ahead,
    lot BETWEEN 20 AND 59 AS is_moved, lot BETWEEN 60 AND 69 AS is_never_paid,
    if(is_moved, addDays(due, 30), due) AS due_at_last,
    concat('INV-', leftPad(toString(number), 9, '0')) AS invoice,
    concat('PAY-', leftPad(toString(number), 9, '0')) AS payment,
    concat('A-', toString(number)) AS application,
    arrayConcat(
        [('invoice', invoice, 'invoice', amount, '', addDays(issued, ahead), 'invoice', due, {no_date})],
        if(is_moved,
            [('invoice', invoice, 'invoice', -amount, 'change', addDays(issued, 10), 'due_date_change', due, {no_date}),
            ('invoice', invoice, 'invoice', amount, 'change', addDays(issued, 10), 'due_date_change', due_at_last,
                {no_date})],
            []),
        if(is_never_paid, [],
            [('payment', payment, 'unapplied', -amount, '', addDays(paid, ahead), 'payment', paid, toNullable(paid)),
            ('payment', payment, 'unapplied', amount, application, addDays(paid, ahead), 'application', paid,
                toNullable(paid)),
            ('invoice', invoice, 'invoice', -amount, application, addDays(paid, ahead), 'application', due_at_last,
                toNullable(paid))])
    ) AS postings,
    toDateTime64(addDays(posting.6, late - ahead), 6, 'UTC') + toIntervalSecond(seed % 80000)
        + toIntervalMicrosecond(seed % 1000000) AS known
SELECT 'ar.ledger', number % 12, number * 8 + place, toDateTime64(known, 3, 'UTC'), {_COMPANY},
    concat('C', leftPad(toString(account), 6, '0')), posting.1, posting.2, 0, posting.3, {_CURRENCY}, posting.4,
    posting.6, known, posting.8, posting.7, concat('erp:', hex(sipHash128(number, place))), place,
    nullIf(posting.5, ''), posting.9, if(posting.7 = 'application', 'auto', NULL), NULL,
    ['NORTH', 'SOUTH', 'EAST', 'WEST'][1 + account % 4]
FROM numbers({invoices})
ARRAY JOIN postings AS posting, arrayEnumerate(postings) AS place
WHERE known < toDateTime64('{TODAY} 23:59:59', 6, 'UTC')"""


def events_insert(first: int, count: int, all_events: int) -> str:
    """So many events from number `first` on of `all_events`, as they arrive over the days: of users and of the ERP.

    An invoice belongs to one account, and what names it comes within 60 days; of a receipt within three.
    """
    a_day = all_events // EVENT_DAYS

    def made_before(days: int, kind: int) -> str:
        """The number of what one event of the account brought at most so many days ago, events of the kind just now."""
        at = f"number - if(kind = {kind}, 0, least(number, bitShiftRight(seed, {12 + kind}) % {days * a_day + 1}))"
        return f"leftPad(toString(intDiv({at}, {_EVENTS_A_ROUND}) * {ACCOUNTS} + account), 9, '0')"

    return f"""
INSERT INTO events (_topic, _partition, _offset, _appended_at, event_type, category, event_id, company, account_id,
    occurred_at, recorded_at, region, invoice_id, payment_id, application_id, promise_id, exception_id, activity_id,
    subject_type, subject_id, currency, amount, payload, source, actor_id, actor_role, correlation_id)
WITH
    sipHash64(number) AS seed, seed % {ACCOUNTS} AS account, bitShiftRight(seed, 24) % 100 AS lot,
    multiIf(lot < 35, 1, lot < 50, 2, lot < 65, 3, lot < 80, 4, lot < 90, 5, lot < 95, 6, 7) AS kind,
    toDateTime64('2025-09-26 00:00:00', 6, 'UTC')
        + toIntervalMicrosecond(toInt64(number * ({EVENT_DAYS} * 86400000000. / {all_events}))) AS at,
    concat('INV-', {made_before(60, kind=2)}) AS invoice, concat('PAY-', {made_before(3, kind=3)}) AS payment,
    toString(number) AS id,
    kind IN (1, 5, 6, 7) AS is_by_person
SELECT 'ar.events', account % 12, number, toDateTime64(at + toIntervalMillisecond(40 + seed % 800), 3, 'UTC'),
    ['UserActivityLogged', 'InvoiceIssued', 'PaymentReceived', 'CashApplied', 'ContactAttempted', 'ExceptionFlagged',
        'PromiseMade'][kind],
    ['activity', 'invoice', 'payment', 'application', 'activity', 'exception', 'promise'][kind],
    concat('erp:', hex(sipHash128(number))), {_COMPANY},
    if(kind = 1 AND seed % 3 = 0, '', concat('C', leftPad(toString(account), 6, '0'))),
    at, at + toIntervalMillisecond(20 + seed % 700),
    if(kind = 1, '', ['NORTH', 'SOUTH', 'EAST', 'WEST'][1 + account % 4]),
    if(kind IN (2, 4), invoice, ''), if(kind IN (3, 4), payment, ''),
    if(kind = 4, concat('A-', id), ''), if(kind = 7, concat('P-', id), ''), if(kind = 6, concat('X-', id), ''),
    if(kind = 5, concat('K-', id), ''),
    multiIf(kind = 1, ['invoice', 'payment', 'account'][1 + seed % 3], kind = 6, 'payment', ''),
    multiIf(kind = 1, [invoice, payment, concat('C', toString(account))][1 + seed % 3], kind = 6, payment, ''),
    if(kind IN (2, 3, 4, 7), {_CURRENCY}, ''), if(kind IN (2, 3, 4, 7), toDecimal64(seed % 5000000, 2) / 100, NULL),
    multiIf(
        kind = 1, concat('{{"action":"', ['view', 'edit', 'export', 'approve'][1 + seed % 4],
            '","entity_type":"invoice","entity_id":"', invoice,
            '","succeeded":true,"ip":"10.', toString(seed % 200), '.', toString(seed % 250),
            '.7"}}'),
        kind = 2, concat('{{"document_date":"', toString(toDate(at)), '","due_date":"',
            toString(addDays(toDate(at), 45)), '","payment_terms":"NET45","po_number":"', toString(seed % 900000),
            '"}}'),
        kind = 3, concat('{{"value_date":"', toString(toDate(at)), '","method":"sepa","payer_name":"Customer ',
            toString(account), '","payer_reference":"RF', id, '"}}'),
        kind = 4, '{{"method":"auto","match_rule":"reference"}}',
        kind = 5, '{{"channel":"call","direction":"outbound","outcome":"promise","right_party":true}}',
        kind = 6, '{{"exception_type":"missing_remittance","severity":"medium"}}',
        concat('{{"promised_date":"', toString(addDays(toDate(at), 14)), '","invoice_ids":["', invoice, '"]}}')),
    if(is_by_person, 'ui', 'sap'),
    if(is_by_person, concat('user', toString(bitShiftRight(seed, 40) % 200)), 'interface'),
    if(is_by_person, ['clerk', 'collector'][1 + seed % 2], 'system'), ''
FROM numbers({first}, {count})"""


# Of one day, in all companies.
DAY_ACTIVITY = """
SELECT actor_id, event_type, toStartOfHour(occurred_at) AS hour, count() AS actions
FROM events
WHERE occurred_at >= '2026-03-17 00:00:00' AND occurred_at < '2026-03-18 00:00:00'
GROUP BY actor_id, event_type, hour"""

# One that both the ledger and the raw log know, with several events.
INVOICE = """
SELECT company, invoice_id
FROM events
WHERE event_type = 'CashApplied' AND (company, invoice_id) IN (
    SELECT company, item_id FROM ledger_entries_log WHERE entry_type = 'invoice'
)
GROUP BY company, invoice_id
ORDER BY abs(toInt32(count()) - 3), invoice_id
LIMIT 1"""
