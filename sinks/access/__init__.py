"""Who may see what in ClickHouse: roles, row policies, masked views and limits, from a file (docs/access.md)."""

from sinks.access.found import AccessRunner, Change
from sinks.access.spec import Access, Limits, Role, User, read_access
from sinks.access.wanted import Wanted, make_wanted

__all__ = ["Access", "AccessRunner", "Change", "Limits", "Role", "User", "Wanted", "make_wanted", "read_access"]
