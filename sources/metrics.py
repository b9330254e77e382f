"""What the sources count. Declared once; docs and dashboards are checked against these sentences."""

from prometheus_client import Counter, Gauge, Histogram

EVENTS = Counter("arrears_source_events", "Events handed to the producer, by event type", ["event_type"])
REJECTS = Counter("arrears_source_rejects", "Rows and lines that became no event and went to ar.failed", ["reason"])
DELIVERY_FAILURES = Counter("arrears_source_delivery_failures", "Records that the broker did not acknowledge in time")
REQUESTS = Counter(
    "arrears_api_requests",
    "Requests that the API answered, by path and HTTP status; 202 only after the broker's acknowledgement.",
    ["path", "status"],
)
REQUEST_SECONDS = Histogram(
    "arrears_api_request_seconds",
    "Time from a request's first byte to its answer, the broker's acknowledgement included.",
    ["path"],
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
WEBHOOK_EVENTS = Counter(
    "arrears_api_webhook_events",
    "Events of payment providers by what became of them: mapped, skipped on purpose, rejected to ar.failed.",
    ["provider", "outcome"],
)
# From the start, at 0: Prometheus sees an increase between two values only, and the first failure must alert.
for _provider in ("stripe", "gocardless", "adyen"):
    for _outcome in ("mapped", "skipped", "rejected"):
        WEBHOOK_EVENTS.labels(_provider, _outcome)
UNDER_WAY = Gauge("arrears_api_records_under_way", "Records that the API has sent and the broker not acknowledged yet.")
BROKER_REACHABLE = Gauge(
    "arrears_api_broker_reachable", "1 while the API's broker answers; at 0 all requests are answered 503."
)
