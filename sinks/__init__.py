"""ClickHouse: numbered migrations and the exactly-once writer."""
