"""On which local day of its company something happened: days are those of the company's time zone (SEMANTICS 2.2)."""

# The zones of all companies in one look instead of a join.
TIMEZONES = "(SELECT mapFromArrays(groupArray(company), groupArray(timezone)) FROM companies) AS timezone_of"

# An expression on rows of `events`; it needs TIMEZONES. A company without settings has days of UTC.
LOCAL_DATE = "toDate32(formatDateTime(occurred_at, '%F', if(timezone_of[company] = '', 'UTC', timezone_of[company])))"
