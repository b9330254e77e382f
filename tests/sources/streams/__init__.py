"""Change streams: what Debezium and outboxes write, and what becomes of it."""
