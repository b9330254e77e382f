"""Boards of what is owed, promised and received: aging, promises, unapplied cash."""

from sinks.dashboards.panels import AS_OF, KNOWN, WHOSE, WINDOW, Board, Panel

_TOTALS = f"control_totals({AS_OF}, {KNOWN})\nWHERE {WHOSE}"

AGING = Board(
    "aging",
    "aging",
    "What is owed at the end of the time range, how old it is, and how that changed since its beginning.",
    (
        Panel("stat", "Owed", "Open on invoices and debit memos.", f"SELECT sum(owed) AS owed\nFROM {_TOTALS}"),
        Panel(
            "stat",
            "Overdue",
            "The part of it that is past due.",
            f"SELECT sum(overdue) AS overdue\nFROM aging_as_of_wide({AS_OF}, {KNOWN})\nWHERE {WHOSE}",
        ),
        Panel(
            "stat",
            "Disputed",
            "The part of it that customers contest.",
            f"SELECT sum(disputed) AS disputed\nFROM aging_as_of_wide({AS_OF}, {KNOWN})\nWHERE {WHOSE}",
        ),
        Panel(
            "stat",
            "Balance",
            "Owed less unapplied cash, cash on account and credits: the control account.",
            f"SELECT sum(balance) AS balance\nFROM {_TOTALS}",
        ),
        Panel(
            "stat",
            "Days sales outstanding",
            "Of the time range; empty where nothing was sold.",
            f"SELECT dso\nFROM key_figures({WINDOW}, {KNOWN})\nWHERE {WHOSE}",
            unit="d",
        ),
        Panel(
            "stat",
            "Collection effectiveness",
            "Collection effectiveness index of the time range, in percent.",
            f"SELECT cei\nFROM key_figures({WINDOW}, {KNOWN})\nWHERE {WHOSE}",
            unit="percent",
        ),
        Panel(
            "barchart",
            "Open by bucket",
            "By days past due, in the company's own buckets.",
            f"""
SELECT bucket, sum(amount) AS open
FROM aging_buckets_as_of({AS_OF}, {KNOWN})
WHERE {WHOSE}
GROUP BY bucket_number, bucket
ORDER BY bucket_number""",
        ),
        Panel(
            "timeseries",
            "Not due and overdue by day",
            "The days that arrears rollup has written.",
            f"""
SELECT toDateTime(as_of) AS time, sum(not_due) AS not_due, sum(overdue) AS overdue, sum(unapplied) AS unapplied
FROM aging_daily
WHERE $__dateFilter(as_of) AND {WHOSE}
GROUP BY as_of
ORDER BY as_of""",
        ),
        Panel(
            "table",
            "Accounts that owe most",
            "The twenty accounts with the largest overdue amounts.",
            f"""
SELECT account_id, not_due, days_1_30, days_31_60, overdue, unapplied, disputed, total
FROM aging_as_of_wide({AS_OF}, {KNOWN})
WHERE {WHOSE} AND overdue > 0
ORDER BY overdue DESC, account_id
LIMIT 20""",
        ),
        Panel(
            "barchart",
            "Open by collector",
            "What the accounts of each collector owe; - = accounts of nobody.",
            f"""
SELECT ifNull(collector_id, '-') AS collector, not_due, overdue
FROM aging_by_collector({AS_OF}, {KNOWN}, credit_mode = 'separate')
WHERE {WHOSE}
ORDER BY overdue DESC, collector""",
        ),
        Panel(
            "barchart",
            "Open by region",
            "By the region of the document; - = documents without one.",
            f"""
SELECT if(region = '', '-', region) AS region_code, not_due, overdue
FROM aging_by_region({AS_OF}, {KNOWN}, credit_mode = 'separate')
WHERE {WHOSE}
ORDER BY overdue DESC, region_code""",
        ),
        Panel(
            "table",
            "Groups that owe most",
            "The ten groups of accounts with the largest overdue amounts, credits taken from the oldest debts first.",
            f"""
SELECT account_id AS head, accounts, not_due, overdue, credits, total
FROM aging_by_group({AS_OF}, {KNOWN}, credit_mode = 'oldest_first')
WHERE {WHOSE} AND is_top AND overdue > 0
ORDER BY overdue DESC, head
LIMIT 10""",
        ),
        Panel(
            "table",
            "What changed",
            "From opening to closing, of all accounts: each row is a reason.",
            f"""
SELECT step.1 AS reason, step.2 AS amount
FROM
(
    SELECT [
        ('opening', sum(opening)), ('issued', sum(issued)), ('adjusted', sum(adjusted)), ('paid', sum(paid)),
        ('credited', sum(credited)), ('reopened', sum(reopened)), ('written off', sum(written_off)),
        ('recovered', sum(recovered)), ('cancelled', sum(cancelled)), ('other', sum(other)), ('closing', sum(closing))
    ] AS steps
    FROM aging_change({WINDOW}, {KNOWN})
    WHERE {WHOSE}
)
ARRAY JOIN steps AS step""",
        ),
        Panel(
            "table",
            "Where it rolled",
            "Of each bucket at the beginning, how much was in which bucket at the end, or settled.",
            f"""
SELECT from_bucket, to_bucket, amount, rate
FROM roll_rates({WINDOW}, {KNOWN})
WHERE {WHOSE}
ORDER BY from_bucket, amount DESC""",
        ),
    ),
)

_PROMISES = f"promise_performance({WINDOW}, {KNOWN})\nWHERE {WHOSE}"

PROMISES = Board(
    "promises",
    "promises to pay",
    "Promises whose deadline lies in the time range, and how they were kept.",
    (
        Panel(
            "stat",
            "Kept",
            "Share of the judged promises that were kept; empty where none was judged.",
            f"SELECT toFloat64(sum(kept)) / nullIf(sum(judged), 0) AS kept_rate\nFROM {_PROMISES}",
            unit="percentunit",
        ),
        Panel(
            "stat",
            "Kept, by amount",
            "Paid in time of what was promised.",
            f"SELECT toFloat64(sum(paid_in_time)) / nullIf(toFloat64(sum(promised)), 0) AS rate\nFROM {_PROMISES}",
            unit="percentunit",
        ),
        Panel("stat", "Broken", "Promises that were broken.", f"SELECT sum(broken) AS broken\nFROM {_PROMISES}"),
        Panel("stat", "Pending", "Not judged yet.", f"SELECT sum(pending) AS pending\nFROM {_PROMISES}"),
        Panel(
            "piechart",
            "Promises by state",
            "As they stand now.",
            f"""
SELECT toString(status) AS state, count() AS promises
FROM promises
WHERE {WHOSE} AND $__dateFilter(deadline)
GROUP BY status
ORDER BY promises DESC""",
        ),
        Panel(
            "timeseries",
            "Promised and paid in time, by deadline",
            "Amounts by the day of the deadline.",
            f"""
SELECT toDateTime(deadline) AS time, sum(effective_amount) AS promised, sum(paid_in_window) AS paid
FROM promises
WHERE {WHOSE} AND $__dateFilter(deadline) AND status NOT IN ('superseded', 'void', 'withdrawn')
GROUP BY deadline
ORDER BY deadline""",
        ),
        Panel(
            "table",
            "Accounts that break their word",
            "Accounts with broken promises.",
            f"""
SELECT account_id, judged, kept, partially_kept, broken, promised, paid_in_time, kept_rate, days_late
FROM {_PROMISES} AND broken > 0
ORDER BY broken DESC, account_id
LIMIT 20""",
        ),
        Panel(
            "table",
            "Due next",
            "Open promises with the earliest deadlines.",
            f"""
SELECT promise_id, account_id, effective_amount AS amount, deadline, level
FROM promises
WHERE {WHOSE} AND status IN ('open', 'pending_cash')
ORDER BY deadline, promise_id
LIMIT 20""",
        ),
    ),
)

_CASH = f"unapplied_cash_aging({AS_OF}, {KNOWN})\nWHERE {WHOSE}"

UNAPPLIED = Board(
    "unapplied",
    "unapplied cash",
    "Money that was received and not applied at the end of the time range.",
    (
        Panel("stat", "Unapplied", "Received and not applied.", f"SELECT sum(unapplied) AS unapplied\nFROM {_CASH}"),
        Panel(
            "stat",
            "Of nobody known",
            "The part of it of which no account is known.",
            f"SELECT sumIf(unapplied, state = 'unidentified') AS unidentified\nFROM {_CASH}",
        ),
        Panel(
            "stat",
            "Straight through",
            "Payments of the time range that were applied wholly without a hand.",
            f"SELECT straight_through_rate\nFROM key_figures({WINDOW}, {KNOWN})\nWHERE {WHOSE}",
            unit="percentunit",
        ),
        Panel(
            "stat",
            "Days to application, median",
            "From the value date to the application, in the time range.",
            f"SELECT application_lag_p50\nFROM key_figures({WINDOW}, {KNOWN})\nWHERE {WHOSE}",
            unit="d",
        ),
        Panel(
            "barchart",
            "By age",
            "By days since the value date.",
            f"SELECT band, sum(unapplied) AS unapplied\nFROM {_CASH}\nGROUP BY band\nORDER BY min(age_days)",
        ),
        Panel(
            "timeseries",
            "Unapplied by day",
            "The days that arrears rollup has written.",
            f"""
SELECT toDateTime(as_of) AS time, sum(unapplied) AS unapplied
FROM aging_daily
WHERE $__dateFilter(as_of) AND {WHOSE}
GROUP BY as_of
ORDER BY as_of""",
        ),
        Panel(
            "table",
            "Oldest receipts",
            "What to look at first.",
            f"""
SELECT payment_id, account_id, state, value_date, age_days, unapplied
FROM {_CASH}
ORDER BY age_days DESC, payment_id
LIMIT 50""",
            width=24,
        ),
    ),
)
