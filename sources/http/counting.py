"""Requests by path and status, and how long they took."""

from functools import cache

from prometheus_client import Counter, Histogram

from sources import metrics


def count_request(path: str, status: int, seconds: float) -> None:
    """One request that was answered."""
    requests, durations = _children(path, status)
    requests.inc()
    durations.observe(seconds)


@cache
def _children(path: str, status: int) -> tuple[Counter, Histogram]:
    """Looked up once: finding a labelled series costs more than counting. Paths and statuses are few."""
    return metrics.REQUESTS.labels(path, str(status)), metrics.REQUEST_SECONDS.labels(path)
