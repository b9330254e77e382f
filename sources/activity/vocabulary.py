"""The names under which logs tell who did what: ours, those of the Elastic Common Schema, and what is common."""

from collections.abc import Mapping

# Field of the event → names that mean it, the first that is there counts. Dots go into records.
NAMES: Mapping[str, tuple[str, ...]] = {
    "event_id": ("event_id", "event.id"),
    "occurred_at": ("occurred_at", "@timestamp", "timestamp", "time", "ts"),
    "company": ("company", "organization.id"),
    "region": ("region",),
    "source": ("source_system", "service.name"),
    "account_id": ("account_id", "customer_id"),
    "actor_id": ("actor_id", "user.name", "user.id", "user", "username", "actor"),
    "actor_role": ("actor_role", "user.roles", "role"),
    "correlation_id": ("correlation_id", "trace.id", "trace_id", "request_id"),
    "action": ("action", "event.action"),
    "entity_type": ("entity_type", "object_type", "resource_type"),
    "entity_id": ("entity_id", "object_id", "resource_id"),
    "changes": ("changes",),
    "ip": ("ip", "source.ip", "client.ip", "client_ip", "remote_addr"),
    "succeeded": ("succeeded", "success", "event.outcome", "outcome"),
    "decision": ("decision",),
    "reason": ("reason", "event.reason"),
}
# What logs call an action → what it is here. Others stand as they are, in lower case with _ between words.
ACTIONS: Mapping[str, str] = {
    **dict.fromkeys(("login", "logon", "log_in", "logged_in", "sign_in", "signin", "user_login"), "login"),
    **dict.fromkeys(("logout", "logoff", "log_out", "logged_out", "sign_out", "signout", "user_logout"), "logout"),
    **dict.fromkeys(("view", "viewed", "read", "open", "opened"), "view"),
    **dict.fromkeys(("export", "exported", "download", "downloaded"), "export"),
    **dict.fromkeys(("data_changed", "update", "updated", "change", "changed", "edit", "edited"), "data_changed"),
    **dict.fromkeys(("approval", "approve", "approved", "reject", "rejected"), "approval"),
    **dict.fromkeys(("correction", "correct", "corrected"), "correction"),
    **dict.fromkeys(("override", "overridden", "overrode"), "override"),
}
DECISIONS: Mapping[str, str] = {
    **dict.fromkeys(("approve", "approved"), "approved"),
    **dict.fromkeys(("reject", "rejected", "deny", "denied", "decline", "declined"), "rejected"),
}
OUTCOMES: Mapping[str, bool] = {
    **dict.fromkeys(("success", "succeeded", "ok", "true", "allowed"), True),
    **dict.fromkeys(("failure", "failed", "error", "false", "denied"), False),
}
ACTIVITY, DECISION = "UserActivityLogged", "ApprovalDecided"
