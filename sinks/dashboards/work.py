"""Boards of what is done and expected: exceptions and disputes, collectors, cash forecast, and what came in."""

from sinks.dashboards.panels import AS_OF, COMPANY, CURRENCY, KNOWN, WHOSE, WINDOW, Board, Panel

EXCEPTIONS = Board(
    "exceptions",
    "exceptions and disputes",
    "Cases in the time range, and what is contested at its end.",
    (
        Panel(
            "stat",
            "Unresolved exceptions",
            "Of all kinds, at the end.",
            f"SELECT sum(unresolved) AS unresolved\nFROM exception_resolution({WINDOW}, {KNOWN})\nWHERE {COMPANY}",
        ),
        Panel(
            "stat",
            "Contested",
            "Disputed amount at the end, in the currency.",
            f"SELECT sum(contested) AS contested\nFROM dispute_aging({AS_OF}, {KNOWN})\nWHERE {WHOSE}",
        ),
        Panel(
            "table",
            "Exceptions by kind",
            "How many came, how many were dealt with, and how long that took. Hours.",
            f"""
SELECT exception_type, flagged, reviewed, resolved, unresolved, hours_to_review, hours_to_resolve
FROM exception_resolution({WINDOW}, {KNOWN})
WHERE {COMPANY}
ORDER BY unresolved DESC, exception_type""",
            width=16,
        ),
        Panel(
            "timeseries",
            "Exceptions by day",
            "Steps of cases by the company's local date.",
            f"""
SELECT toDateTime(local_date) AS time, toString(status) AS step, count() AS cases
FROM exception_moments
WHERE {COMPANY} AND $__dateFilter(local_date)
GROUP BY local_date, status
ORDER BY local_date, step""",
        ),
        Panel(
            "barchart",
            "Contested by age",
            "By days since the dispute was opened.",
            f"""
SELECT band, sum(contested) AS contested, count() AS disputes
FROM dispute_aging({AS_OF}, {KNOWN})
WHERE {WHOSE}
GROUP BY band
ORDER BY min(age_days)""",
        ),
        Panel(
            "table",
            "Oldest exceptions",
            "Unresolved as they stand now.",
            f"""
SELECT exception_id, exception_type, account_id, subject_id, status, queue, assigned_to, flagged_on
FROM exceptions
WHERE {COMPANY} AND status != 'resolved'
ORDER BY flagged_on, exception_id
LIMIT 50""",
        ),
        Panel(
            "table",
            "Oldest disputes",
            "Contested at the end of the time range.",
            f"""
SELECT dispute_id, account_id, document_id, reason_code, opened_on, age_days, contested
FROM dispute_aging({AS_OF}, {KNOWN})
WHERE {WHOSE}
ORDER BY age_days DESC, dispute_id
LIMIT 50""",
        ),
    ),
)

COLLECTORS = Board(
    "collectors",
    "collectors",
    "What people did in the time range, and what came of it within 14 days.",
    (
        Panel(
            "table",
            "Collectors",
            "Contacts, promises, and the cash that came within 14 days after the last contact, in the currency.",
            f"""
SELECT collector, max(contacts) AS contacts, max(right_party) AS right_party, max(accounts) AS accounts,
    max(promises) AS promises, sumIf(payments, {CURRENCY}) AS payments, sumIf(cash, {CURRENCY}) AS cash
FROM collector_performance({WINDOW}, influence_days = 14, {KNOWN})
WHERE {COMPANY}
GROUP BY collector
ORDER BY cash DESC, collector""",
        ),
        Panel(
            "table",
            "Operators",
            "What each user did, of every kind.",
            f"""
SELECT actor_id, actor_role, actions, active_hours, actions_per_hour, payments_touched, touches_per_payment, failed
FROM operator_productivity({WINDOW}, {KNOWN})
WHERE {COMPANY}
ORDER BY actions DESC, actor_id
LIMIT 50""",
        ),
        Panel(
            "timeseries",
            "Events by role",
            "By the hour, UTC; the days that arrears rollup has written.",
            f"""
SELECT toDateTime(hour) AS time, actor_role, sum(events) AS events
FROM activity_hourly
WHERE {COMPANY} AND $__timeFilter(hour)
GROUP BY hour, actor_role
ORDER BY hour, actor_role""",
            width=24,
        ),
    ),
    days=30,
)

# The forecast that was made last before the end of the time range.
_MADE = f"(SELECT max(as_of) FROM invoice_forecasts WHERE {COMPANY} AND as_of <= toDate32($__toTime))"

FORECAST = Board(
    "forecast",
    "cash forecast",
    "The last forecast that arrears forecast made before the end of the time range, and how earlier ones turned out.",
    (
        Panel(
            "barchart",
            "Cash expected by week",
            "What is open times the chance that it is paid in that week, and promises.",
            f"""
SELECT toString(addDays(as_of, toInt32(week) * 7 - 6)) AS week_begins, sum(cash) AS expected
FROM (SELECT as_of, expected AS weeks FROM invoice_forecasts WHERE {WHOSE} AND as_of = {_MADE})
ARRAY JOIN weeks AS cash, arrayEnumerate(weeks) AS week
GROUP BY as_of, week
ORDER BY week""",
        ),
        Panel(
            "timeseries",
            "Backtest",
            "What would have been expected of each week, by the model and by due dates, and what came.",
            f"""
SELECT toDateTime(week_begins) AS time, sum(expected) AS model, sum(by_due_date) AS due_dates,
    sum(by_average) AS average_delay, sum(actual) AS came
FROM forecast_backtests
WHERE {WHOSE} AND $__dateFilter(week_begins) AND week = 1
GROUP BY week_begins
ORDER BY week_begins""",
        ),
        Panel(
            "table",
            "Likely to be late",
            "The largest open invoices that are not due and will probably be paid late.",
            f"""
SELECT account_id, item_id, due_date, expected_on, chance_late, open, promised
FROM invoice_forecasts
WHERE {WHOSE} AND as_of = {_MADE} AND days_past_due <= 0 AND chance_late > 0.5
ORDER BY open DESC, item_id
LIMIT 50""",
            width=24,
        ),
    ),
    days=180,
)

INTAKE = Board(
    "intake",
    "what came in",
    "Whether what was sent arrived, counted and adds up. The flow itself is on the board arrears.",
    (
        Panel(
            "stat",
            "Reconciliation gap",
            "Owed less unapplied, on account and credits less the sum of all postings, over all currencies: 0.",
            f"SELECT max(abs(reconciliation_gap)) AS gap\nFROM control_totals({AS_OF}, {KNOWN})\nWHERE {COMPANY}",
        ),
        Panel(
            "stat",
            "Refused events",
            "By the rules of the ledger, in the time range.",
            f"SELECT count() AS refused\nFROM rejected_events\nWHERE {COMPANY} AND $__timeFilter(recorded_at)",
        ),
        Panel(
            "stat",
            "Open alerts",
            "Raised or escalated, now.",
            f"SELECT count() AS alerts\nFROM alerts\nWHERE {COMPANY} AND status IN ('raised', 'escalated')",
        ),
        Panel(
            "table",
            "Missing rates",
            "Currencies that have a balance and no rate into the base currency.",
            f"SELECT currency, base_currency, accounts, since\nFROM missing_rates({AS_OF}, {KNOWN})\nWHERE {COMPANY}",
        ),
        Panel(
            "timeseries",
            "Events by what they are about",
            "By the time at which the pipeline accepted them.",
            f"""
SELECT $__timeInterval(recorded_at) AS time, toString(category) AS about, count() AS events
FROM events
WHERE {COMPANY} AND $__timeFilter(recorded_at)
GROUP BY time, about
ORDER BY time, about""",
        ),
        Panel(
            "table",
            "Events by source",
            "What each source sent in the time range; an event that was sent twice counts twice.",
            f"""
SELECT source, event_type, count() AS events, max(recorded_at) AS latest
FROM events
WHERE {COMPANY} AND $__timeFilter(recorded_at)
GROUP BY source, event_type
ORDER BY source, events DESC""",
        ),
        Panel(
            "table",
            "Why events were refused",
            "By reason, in the time range.",
            f"""
SELECT reason, event_type, count() AS events, any(message) AS example
FROM rejected_events
WHERE {COMPANY} AND $__timeFilter(recorded_at)
GROUP BY reason, event_type
ORDER BY events DESC, reason""",
        ),
        Panel(
            "table",
            "Open alerts by kind",
            "Now.",
            f"""
SELECT kind, severity, count() AS alerts, min(raised_at) AS oldest
FROM alerts
WHERE {COMPANY} AND status IN ('raised', 'escalated')
GROUP BY kind, severity
ORDER BY alerts DESC, kind""",
        ),
    ),
    days=7,
    by_currency=False,
)
