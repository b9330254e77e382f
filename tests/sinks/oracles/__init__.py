"""Balances and figures of ClickHouse against books kept from the list of events by the rules alone."""
