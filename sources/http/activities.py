"""What a user interface tells → the event `UserActivityLogged` (SCENARIOS §1)."""

from collections.abc import Mapping
from typing import Any

import msgspec

from sources.intake import RefusedError

_EVENT = "UserActivityLogged"
_BEFORE, _AFTER = "before", "after"


def activity_event(document: Mapping[str, Any]) -> dict[str, Any]:
    """The written event of an activity.

    `succeeded` is true unless it says otherwise. Instead of `changes`, the whole record may be given as it was
    (`before`) and as it is (`after`): the fields that differ become the changes. Raises ``RefusedError``.
    """
    event = {"succeeded": True, **document, "event": _EVENT}
    given = document.get("event")
    if given is not None and given != _EVENT:
        raise RefusedError("unknown_event", "event", f"activities are {_EVENT}; send others to /v1/events", _EVENT)
    if _BEFORE in event or _AFTER in event:
        if event.get("changes") is not None:
            raise RefusedError("invalid_value", "changes", "give either changes, or before and after", _EVENT)
        event["changes"] = _differences(event.pop(_BEFORE, None), event.pop(_AFTER, None))
    return event


def _differences(before: object, after: object) -> dict[str, dict[str, Any]]:
    old, new = _fields(before, _BEFORE), _fields(after, _AFTER)
    names = [*old, *(name for name in new if name not in old)]
    return {
        name: {"old": _scalar(old.get(name)), "new": _scalar(new.get(name))}
        for name in names
        if old.get(name) != new.get(name)
    }


def _fields(record: object, where: str) -> Mapping[str, Any]:
    if record is None:
        return {}
    if not isinstance(record, Mapping):
        raise RefusedError("invalid_value", where, f"{where} is not a record of fields", _EVENT)
    return record


def _scalar(value: Any) -> Any:  # noqa: ANN401  any JSON value
    """A plain value as it is; a list or a record as JSON."""
    return msgspec.json.encode(value).decode() if isinstance(value, list | Mapping) else value
