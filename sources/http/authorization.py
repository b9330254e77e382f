"""Who asks, and whether the key allows it."""

from collections.abc import Mapping
from datetime import datetime

from sources.http.keys import ApiKey, KeyRing, Scope
from sources.http.problems import HttpProblem

_BEARER = b"bearer "


def authorized(headers: Mapping[bytes, bytes], ring: KeyRing, scope: Scope, now: datetime) -> ApiKey:
    """The key of a request. Raises ``HttpProblem`` 401 without a valid key, 403 without the scope.

    Nothing is said about why a key is not valid: an unknown, an expired and a revoked one are answered alike.
    """
    text = _text(headers)
    key = ring.find(text, now) if text else None
    if key is None:
        detail = "no valid API key was given; send the header Authorization: Bearer <key>"
        raise HttpProblem(401, "not_authenticated", detail, headers={"www-authenticate": "Bearer"}, closes=True)
    if scope not in key.scopes:
        detail = f"the key {key.name} has no scope {scope}; make one with `arrears api keys create --scope {scope}`"
        raise HttpProblem(403, "missing_scope", detail, closes=True)
    return key


def _text(headers: Mapping[bytes, bytes]) -> str:
    given = headers.get(b"authorization", b"")
    if given[: len(_BEARER)].lower() == _BEARER:
        return given[len(_BEARER) :].strip().decode("latin-1")
    return headers.get(b"x-api-key", b"").decode("latin-1")


def other_company(company: str, key: ApiKey) -> HttpProblem:
    """403: an event of a company that the key is not for. Nothing of the request is taken."""
    detail = f"the key {key.name} may not write for company {company}; nothing of this request was taken"
    return HttpProblem(403, "other_company", detail)
