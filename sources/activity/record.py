"""One JSON object of a log → the written events that it tells: an activity, and with an approval its decision."""

from collections.abc import Mapping
from typing import Any

import msgspec

from sources.activity.vocabulary import ACTIONS, ACTIVITY, DECISION, DECISIONS, NAMES, OUTCOMES
from sources.identity import BUSINESS_KEYS
from sources.intake import RefusedError

_ENVELOPE = ("event_id", "occurred_at", "company", "region", "source", "account_id", "actor_id", "actor_role",
             "correlation_id")  # fmt: skip


def names_an_action(document: Mapping[str, Any]) -> bool:
    """Whether a JSON object tells of an activity at all; logs hold other lines, too."""
    return _is_written(document) or _found(document, "action") is not None


def written_events(document: Mapping[str, Any], time: str = "", app: str = "") -> list[dict[str, Any]]:
    """The events in their written form. `time` and `app` are what stood before the object. Raises ``RefusedError``.

    An object that is an event in its written form already is that event.
    """
    if _is_written(document):
        return [dict(document)]
    said = {field: value for field in NAMES if (value := _found(document, field)) is not None}
    if "action" not in said:
        raise RefusedError("missing_field", "action", "the line does not say what was done; give action", ACTIVITY)
    envelope = {name: said[name] for name in _ENVELOPE if name in said}
    envelope.setdefault("occurred_at", time or None)
    envelope.setdefault("source", app or None)
    envelope["actor_role"] = _text(envelope.get("actor_role")) or "user"
    given = str(said["action"]).strip().lower().replace(" ", "_").replace("-", "_")
    action = ACTIONS.get(given, given)
    activity = {
        **envelope,
        "event": ACTIVITY,
        "action": action,
        "entity_type": said.get("entity_type"),
        "entity_id": _text(said.get("entity_id")),
        "changes": _changes(document, said.get("changes")),
        "ip": said.get("ip"),
        "succeeded": _outcome(said.get("succeeded")),
    }
    if action != "approval" or not activity["succeeded"]:
        return [activity]
    return [activity, _decision(envelope, said, given)]


def _decision(envelope: Mapping[str, Any], said: Mapping[str, Any], given: str) -> dict[str, Any]:
    decision = DECISIONS.get(str(said.get("decision", given)).lower())
    if decision is None:
        message = "an approval says approved or rejected, as its decision or as the action itself"
        raise RefusedError("missing_field", "decision", message, DECISION)
    return {
        **envelope,
        "event": DECISION,
        "event_id": None if envelope.get("event_id") is None else f"{envelope['event_id']}/decision",
        "subject_type": said.get("entity_type"),
        "subject_id": _text(said.get("entity_id")),
        "decision": decision,
        "reason": said.get("reason"),
    }


def _is_written(document: Mapping[str, Any]) -> bool:
    event = document.get("event")
    return isinstance(event, str) and event in BUSINESS_KEYS


def _found(document: Mapping[str, Any], field: str) -> Any:  # noqa: ANN401  any JSON value
    """The value under the first of the field's names that has one."""
    for name in NAMES[field]:
        value: Any = document.get(name)
        if value is None and "." in name:
            value = document
            for part in name.split("."):
                value = value.get(part) if isinstance(value, Mapping) else None
        # `user` may be a name, or a record with one.
        if value is not None and not (isinstance(value, Mapping) and field != "changes"):
            return value
    return None


def _outcome(value: object) -> bool:
    if value is None or isinstance(value, bool):
        return value is not False
    known = OUTCOMES.get(str(value).lower())
    if known is None:
        message = f"{value!r} is no outcome; it is one of {', '.join(OUTCOMES)}"
        raise RefusedError("invalid_value", "succeeded", message, ACTIVITY)
    return known


def _changes(document: Mapping[str, Any], given: object) -> dict[str, dict[str, Any]] | None:
    """Changed fields, out of {field: {old, new}}, a list of {field, old, new}, or the record before and after."""
    if given is None and ("before" in document or "after" in document):
        before, after = (_fields(document.get(side), side) for side in ("before", "after"))
        names = dict.fromkeys((*before, *after))
        pairs = [(name, before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)]
    elif given is None:
        return None
    elif isinstance(given, Mapping):
        pairs = [(str(name), *_sides(pair, str(name))) for name, pair in given.items()]
    elif isinstance(given, list):
        pairs = [(str(_fields(one, "changes").get("field")), *_sides(one, "changes")) for one in given]
    else:
        raise RefusedError("invalid_value", "changes", "changes are {field: {old, new}}", ACTIVITY)
    changes: dict[str, dict[str, Any]] = {}
    for name, old, new in pairs:
        if name in changes:
            raise RefusedError("invalid_value", "changes", f"the field {name} is changed twice", ACTIVITY)
        sides = {"old": _scalar(old), "new": _scalar(new)}
        changes[name] = {side: value for side, value in sides.items() if value is not None}
    return changes or None


def _sides(pair: object, where: str) -> tuple[Any, Any]:
    fields = _fields(pair, where)
    return fields.get("old"), fields.get("new")


def _fields(value: object, where: str) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise RefusedError("invalid_value", where, f"{where} is not a record of fields", ACTIVITY)
    return value


def _scalar(value: Any) -> Any:  # noqa: ANN401  any JSON value
    """A plain value as it is; a list or a record as JSON."""
    return msgspec.json.encode(value).decode() if isinstance(value, list | Mapping) else value


def _text(value: object) -> str | None:
    if value is None:
        return None
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
