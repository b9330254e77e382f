"""What the sources count. Declared once; docs and dashboards are checked against these sentences."""

from prometheus_client import Counter

EVENTS = Counter("arrears_source_events", "Events handed to the producer, by event type", ["event_type"])
REJECTS = Counter("arrears_source_rejects", "Rows and lines that became no event and went to ar.failed", ["reason"])
DELIVERY_FAILURES = Counter("arrears_source_delivery_failures", "Records that the broker did not acknowledge in time")
