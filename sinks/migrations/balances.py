"""Where every as-of view takes its lines from: an opening that still holds, and the postings that are not in it.

An opening is the sum of all postings of effective months before one month and recorded months before another, by line
(docs/adr/0060). It holds as long as the ledger has as many postings there as it was made of, and as many lines are
stored as were written; else the one before it is asked, and else everything is added up. So an answer is exact at all
times: openings make it fast, never different.

Months are numbered from year 0: `toRelativeMonthNum`. Both counts are made under the rights of who asks: a row policy
leaves out the same accounts on both sides.
"""

AS_OF = "{as_of:Date32}"
KNOWN_AS_OF = "{known_as_of:DateTime64(6, 'UTC')}"

LINE = "company, account_id, currency, item_type, item_id, instalment, balance_class, due_date"


def month_of(moment: str) -> str:
    """An expression: the number of the month in which a date or an instant lies."""
    return f"toRelativeMonthNum({moment})"


def known_to(as_of: str = AS_OF, known_as_of: str = KNOWN_AS_OF) -> str:
    """A condition on the ledger or on disputes: it counted on a day and was known at an instant."""
    return f"effective_date <= {as_of} AND recorded_at <= {known_as_of}"


def posted_between(first: str, last: str) -> str:
    """A condition on the ledger: it counted on one of the days, both inclusive, and was known at the instant.

    The months are said besides, because the ledger is sorted by them.
    """
    return (
        f"effective_date BETWEEN {first} AND {last} AND effective_month BETWEEN {month_of(first)} AND {month_of(last)} "
        f"AND recorded_at <= {KNOWN_AS_OF}"
    )


def opening_used(as_of: str = AS_OF, known_as_of: str = KNOWN_AS_OF) -> str:
    """For the WITH of a view, once: the opening that its lines start from, as `opening_used`.

    (effective month, recorded month, id); (0, 0, '') where none holds, from which all postings are added up.
    """
    return f"""
    (
        WITH
            (
                SELECT max((effective_month, recorded_month, opening_id)) FROM openings
                WHERE effective_month <= {month_of(as_of)} AND recorded_month <= {month_of(known_as_of)}
            ) AS newest,
            (
                SELECT count() FROM ledger_entries_log
                WHERE effective_month < newest.1 AND recorded_month < newest.2
            ) AS postings
        SELECT if(
            sum(entries) = postings AND sum(items) = countIf(entries = 0), newest, (toUInt16(0), toUInt16(0), '')
        )
        FROM opening_items
        WHERE opening_id = newest.3
    ) AS opening_used"""


def lines(columns: str, as_of: str = AS_OF, known_as_of: str = KNOWN_AS_OF, where: str = "1") -> str:
    """A query for lines that add up to the balances, with `delta_minor`; a line may come many times.

    `columns` are some of `LINE`, `where` a condition on them. The view needs `opening_used` with the same dates.
    """
    return f"""
    SELECT {columns}, minor AS delta_minor
    FROM opening_items
    WHERE opening_id = opening_used.3 AND {where}
    UNION ALL
    SELECT {columns}, delta_minor
    FROM ledger_entries_log
    WHERE (effective_month >= opening_used.1 OR recorded_month >= opening_used.2)
        AND effective_month <= {month_of(as_of)} AND recorded_month <= {month_of(known_as_of)}
        AND {known_to(as_of, known_as_of)} AND {where}"""
