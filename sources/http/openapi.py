"""What the OpenAPI page says of the endpoints, with examples that the tests send."""

from typing import Any

DESCRIPTION = """\
The HTTP door of arrears. Everything is answered with 2xx only after the broker has acknowledged it.
Errors are problem details (RFC 9457). Events and their fields: docs/events.md; examples: docs/sources/http-api.md."""

PAYMENT = {
    "event": "PaymentReceived",
    "event_id": "shop/FR01/PaymentReceived/R1",
    "company": "FR01",
    "account_id": "C1",
    "occurred_at": "2026-03-30T08:00:00Z",
    "payment_id": "R1",
    "amount": "40.00",
    "currency": "EUR",
    "value_date": "2026-03-30",
}
INVOICE = {
    "event": "InvoiceIssued",
    "company": "FR01",
    "account_id": "C1",
    "occurred_at": "2026-03-01T09:00:00Z",
    "invoice_id": "I1",
    "document_date": "2026-03-01",
    "due_date": "2026-03-31",
    "amount": "100.00",
    "currency": "EUR",
}
LOGIN = {
    "action": "login",
    "company": "FR01",
    "actor_id": "marie",
    "occurred_at": "2026-03-30T08:00:00Z",
    "ip": "192.0.2.7",
    "succeeded": False,
}
CHANGE = {
    "action": "data_changed",
    "company": "FR01",
    "actor_id": "marie",
    "account_id": "C1",
    "occurred_at": "2026-03-30T08:05:00Z",
    "entity_type": "account",
    "entity_id": "C1",
    "changes": {"credit_limit": {"old": "1000.00", "new": "5000.00"}},
}
_EVENTS: list[dict[str, Any]] = [PAYMENT, INVOICE]
_ACTIVITIES: list[dict[str, Any]] = [LOGIN, CHANGE]
_ITEM: dict[str, Any] = {
    "type": "object",
    "required": ["event", "occurred_at"],
    "properties": {
        "event": {"type": "string", "description": "Name of the event, such as PaymentReceived"},
        "event_id": {"type": "string", "description": "Makes a retry harmless; without it, made of the document"},
        "company": {"type": "string", "description": "Legal entity; not needed when the key is for one company"},
        "account_id": {"type": "string"},
        "occurred_at": {"type": "string", "format": "date-time"},
    },
    "additionalProperties": True,
}
_ACTIVITY: dict[str, Any] = {
    "type": "object",
    "required": ["action", "actor_id", "occurred_at"],
    "properties": {
        "action": {"type": "string", "description": "login, logout, view, export, data_changed, …"},
        "actor_id": {"type": "string", "description": "Who did it"},
        "occurred_at": {"type": "string", "format": "date-time"},
        "company": {"type": "string"},
        "entity_type": {"type": "string"},
        "entity_id": {"type": "string"},
        "changes": {"type": "object", "description": "{field: {old, new}}"},
        "before": {"type": "object", "description": "The whole record as it was; instead of changes"},
        "after": {"type": "object", "description": "The whole record as it is"},
        "ip": {"type": "string"},
        "succeeded": {"type": "boolean", "default": True},
    },
    "additionalProperties": True,
}
_RESULTS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "accepted": {"type": "integer"},
        "rejected": {"type": "integer"},
        "results": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "index": {"type": "integer", "description": "Place in the request, from 0"},
                    "status": {"enum": ["accepted", "rejected"]},
                    "event_id": {"type": "string"},
                    "reason": {"type": "string"},
                    "field": {"type": "string"},
                    "message": {"type": "string"},
                },
            },
        },
    },
}
_PROBLEM: dict[str, Any] = {
    "type": "object",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "One sentence with what to do"},
        "reason": {"type": "string", "description": "A code for programs"},
    },
}
_PROBLEMS = {
    400: "The body cannot be read",
    401: "No valid API key, or a wrong signature",
    403: "The key lacks the scope, or is not for the company; nothing was taken",
    404: "No endpoint of this provider is set up",
    413: "Too many bytes or events",
    415: "Neither JSON nor NDJSON, or an unknown encoding",
    422: "No event of the request could be taken; `results` says why",
    429: "The key has sent more than its share; wait for Retry-After",
    503: "The broker cannot be reached or is behind; send the same again after Retry-After",
}


def is_webhook(path: str) -> bool:
    """Whether a provider calls it."""
    return "/webhooks/" in path


def summary(path: str) -> str:
    """The headline of an endpoint."""
    if is_webhook(path):
        return f"Webhook of {path.rpartition('/')[2]}, signed by it"
    return "Events, one or many" if path.endswith("/events") else "What users did, one or many"


def tag(path: str) -> str:
    """The group of an endpoint."""
    return "webhooks" if is_webhook(path) else "events"


def success(path: str) -> int:
    """The status of a request of which all was taken."""
    return 200 if is_webhook(path) else 202


def operation(path: str) -> dict[str, Any]:
    """The request body, with examples."""
    if is_webhook(path):
        return {"requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}}
    item, given = (_ACTIVITY, _ACTIVITIES) if path.endswith("/activities") else (_ITEM, _EVENTS)
    either = {"oneOf": [item, {"type": "array", "items": item}]}
    examples = {"one": {"value": given[0]}, "many": {"value": given}}
    lines = {"schema": {"type": "string"}, "example": "one JSON object a line"}
    return {
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": either, "examples": examples},
                "application/x-ndjson": lines,
            },
        },
        "security": [{"bearer": []}, {"header": []}],
    }


def responses(path: str) -> dict[int | str, dict[str, Any]]:
    """The answers."""
    problems: dict[int | str, dict[str, Any]] = {
        status: {"description": words, "content": {"application/problem+json": {"schema": _PROBLEM}}}
        for status, words in _PROBLEMS.items()
        if status != 404 or is_webhook(path)
    }
    if is_webhook(path):
        taken = {"description": "Done with: mapped, skipped on purpose, or kept in ar.failed"}
        return {200: taken, **{status: problems[status] for status in (400, 401, 404, 413, 503)}}
    content = {"application/json": {"schema": _RESULTS}}
    return {
        202: {"description": "All accepted and acknowledged by the broker", "content": content},
        207: {"description": "Some accepted, some rejected", "content": content},
        **problems,
    }


SECURITY_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}
