"""The file that says who may see what: `config/access.toml`."""

import re
from collections.abc import Mapping
from ipaddress import ip_network
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from sinks.errors import SinkProblem

Kind = Literal["platform", "service", "auditor", "analyst", "collector", "alerting"]
KINDS: tuple[Kind, ...] = ("platform", "service", "auditor", "analyst", "collector", "alerting")

Name = Annotated[str, Meta(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,59}$")]
Code = Annotated[str, Meta(min_length=1, max_length=100)]
Count = Annotated[int, Meta(ge=1)]
_HASH = re.compile(r"^[0-9a-fA-F]{64}$")


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one query, and one user in an hour, may take, so that nobody's question hurts ingestion."""

    memory_mib: Count = 4096
    """Memory of a query, in MiB; from a quarter of it on, grouping and sorting go to disk."""
    memory_mib_all: Count = 8192
    """Memory of all queries of a user together, in MiB."""
    seconds: Count = 60
    """Time that a query may take."""
    threads: Count = 4
    """Threads of a query."""
    queries_at_once: Count = 8
    """Queries of a user that run at the same time."""
    queries_an_hour: Count = 10_000
    read_rows_an_hour: Count = 50_000_000_000
    seconds_an_hour: Count = 7200
    """Time of all queries of a user in an hour."""


class Role(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a group of users may see. An analyst, a collector and a program that sends alerts: rows of `companies`."""

    kind: Kind
    companies: tuple[Code, ...] = ()
    """Codes of companies; `*` = all, also those to come."""
    regions: tuple[Code, ...] = ()
    """Of a collector: accounts with a document of one of these regions."""
    collectors: tuple[Code, ...] = ()
    """Of a collector: accounts that one of these collectors is in charge of now."""
    personal_fields: bool = False
    """Whether texts about persons are shown: payer, notes, network addresses."""

    @property
    def all_companies(self) -> bool:
        """Whether no row is left out for its company."""
        return self.kind in {"platform", "service", "auditor"} or "*" in self.companies

    @property
    def sees_personal_fields(self) -> bool:
        """Whether the texts about persons are readable."""
        return self.personal_fields or self.kind in {"platform", "auditor"}


class User(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A person or a program. The password comes from the environment, or as the SHA-256 of it in hexadecimal digits."""

    roles: tuple[Name, ...]
    password_variable: str = ""
    password_sha256: str = ""
    hosts: tuple[Code, ...] = ()
    """Networks from which the user may come, such as 10.0.0.0/8; empty = any."""


class Access(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of the file."""

    roles: dict[Name, Role]
    users: dict[Name, User] = {}
    limits: dict[Kind, Limits] = {}

    def limits_of(self, kind: Kind) -> Limits:
        """The limits of a kind of role; the defaults where the file says nothing."""
        return self.limits.get(kind, Limits())


def read_access(document: Mapping[str, object], name: str) -> Access:
    """What the file says, checked. `name` is the file's, for messages. Raises SinkProblem that names the key."""
    try:
        access = msgspec.convert(document, Access)
    except msgspec.ValidationError as error:
        raise SinkProblem(f"{name}: {error}", "docs/access.md has all keys") from error
    for role_name, role in access.roles.items():
        _check_role(f"{name}: role {role_name}", role)
    for user_name, user in access.users.items():
        _check_user(f"{name}: user {user_name}", user, access)
    return access


def _check_role(where: str, role: Role) -> None:
    if role.kind in {"analyst", "collector", "alerting"} and not role.companies:
        raise SinkProblem(f"{where} has no companies", 'Give codes, or ["*"] for all')
    if role.kind in {"platform", "service", "auditor"} and role.companies:
        raise SinkProblem(f"{where} is a {role.kind} and sees all companies", "Leave companies out")
    if role.kind == "collector" and not (role.regions or role.collectors):
        raise SinkProblem(f"{where} says neither regions nor collectors", "Give one of them, or make it an analyst")
    if role.kind != "collector" and (role.regions or role.collectors):
        raise SinkProblem(f"{where} is a {role.kind}; regions and collectors are for collectors", "Leave them out")


def _check_user(where: str, user: User, access: Access) -> None:
    if unknown := sorted(set(user.roles) - access.roles.keys()):
        raise SinkProblem(f"{where} has role {unknown[0]}, which the file does not define", "Define it below [roles]")
    if not user.roles:
        raise SinkProblem(f"{where} has no role", "Give one, or leave the user out: then its roles are taken away")
    if bool(user.password_variable) == bool(user.password_sha256):
        raise SinkProblem(f"{where} needs either password_variable or password_sha256", "Give one of them")
    for host in user.hosts:
        try:
            ip_network(host)
        except ValueError as error:
            raise SinkProblem(f"{where}: {host} is no network", "Write 10.0.0.0/8, or one address") from error
    if user.password_sha256 and not _HASH.match(user.password_sha256):
        raise SinkProblem(f"{where}: password_sha256 is not the SHA-256 of a password", "It has 64 hexadecimal digits")
