"""The schema registry (Confluent API), for those who run one: ids come from it, and schemas of other producers.

Subjects are named by TopicRecordNameStrategy: `<topic>-<full record name>`. `topics.subjects` lists them.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, TypeVar

from avro.contracts import Contracts, schema_text
from avro.errors import RegistryRefused, RegistryUnavailable, UnknownSchema
from avro.schemas import Schema, read_current

if TYPE_CHECKING:
    from confluent_kafka.schema_registry import Schema as RegistrySchema

T = TypeVar("T")

COMPATIBILITY = "FULL_TRANSITIVE"
_NOT_FOUND = 404
_RETRIES_MAX = 3
_RETRY_MILLISECONDS = 200
Subjects = Mapping[str, Iterable[str]]
"""Record name → the subjects under which it is registered, one for each topic that carries it."""


class Registry:
    """A client of one registry. Every call may block for `timeout_seconds` and a few retries.

    Every method raises RegistryUnavailable when there is no answer and RegistryRefused when the answer is no.
    """

    def __init__(self, url: str, user: str = "", password: str = "", *, timeout_seconds: float = 10.0) -> None:
        """Connects at the first call. Login only where the registry asks for one."""
        # Imported here: the client brings an HTTP stack that nothing else needs.
        from confluent_kafka.schema_registry import SchemaRegistryClient  # noqa: PLC0415

        options: dict[str, object] = {
            "url": url,
            "timeout": timeout_seconds,
            "max.retries": _RETRIES_MAX,
            "retries.wait.ms": _RETRY_MILLISECONDS,
        }
        if user:
            options["basic.auth.user.info"] = f"{user}:{password}"
        self.url = url
        self._client = SchemaRegistryClient(options)

    def register(self, subject: str, schema: Schema) -> int:
        """Make the subject fully compatible from now on, register the schema under it, and return its id."""
        self._ask(lambda: self._client.set_compatibility(subject, COMPATIBILITY), f"compatibility of {subject}")
        return self._ask(lambda: self._client.register_schema(subject, _avro(schema)), subject)

    def id_of(self, subject: str, schema: Schema) -> int | None:
        """The id of exactly this schema under the subject; None when it is not registered."""
        found = self._find(lambda: self._client.lookup_schema(subject, _avro(schema)), subject)
        return None if found is None else int(found.schema_id or 0)

    def fetch(self, identifier: int) -> Schema | None:
        """The schema of an id; None when the registry does not know it, or it is not an Avro record."""
        found = self._find(lambda: self._client.get_schema(identifier), f"schema id {identifier}")
        if found is None or found.schema_type != "AVRO" or found.schema_str is None:
            return None
        schema = json.loads(found.schema_str)
        return schema if isinstance(schema, dict) and schema.get("type") == "record" else None

    def _find(self, call: Callable[[], T], about: str) -> T | None:
        try:
            return self._ask(call, about)
        except RegistryRefused as refused:
            if refused.status == _NOT_FOUND:
                return None
            raise

    def _ask(self, call: Callable[[], T], about: str) -> T:
        from confluent_kafka.schema_registry.error import SchemaRegistryError  # noqa: PLC0415

        try:
            return call()
        except SchemaRegistryError as error:
            if error.http_status_code >= 500:
                raise RegistryUnavailable(f"{self.url} fails: {error.error_message}") from error
            message = f"{self.url} refuses {about}: {error.error_message}"
            raise RegistryRefused(message, status=error.http_status_code) from error
        except Exception as error:
            # The client lets the errors of its HTTP library through, which come and go with its version.
            raise RegistryUnavailable(f"{self.url} does not answer: {type(error).__name__}: {error}") from error


def register_all(registry: Registry, subjects: Subjects) -> dict[str, int]:
    """Register the current schema of every record under all its subjects; the ids by subject."""
    current = read_current()
    return {
        subject: registry.register(subject, current[name]) for name, places in subjects.items() for subject in places
    }


def contracts_of(registry: Registry, subjects: Subjects) -> Contracts:
    """Contracts with the ids of the registry, which also looks up the ids of other producers.

    Registers nothing: a service must not change contracts by being started. Raises UnknownSchema when a current schema
    is not registered.
    """
    current = read_current()
    ids: dict[str, int] = {}
    for name, places in subjects.items():
        for subject in places:
            found = registry.id_of(subject, current[name])
            if found is None:
                raise UnknownSchema(f"{subject} is not registered at {registry.url}; run `arrears schemas register`")
            # Some registries number by subject. One id is enough to write with; the others are looked up when read.
            ids.setdefault(name, found)
    return Contracts(ids, registry.fetch)


def _avro(schema: Schema) -> "RegistrySchema":
    from confluent_kafka.schema_registry import Schema as RegistrySchema  # noqa: PLC0415

    return RegistrySchema(schema_text(schema), "AVRO")
