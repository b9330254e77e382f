"""Erasing what is known of a person, without breaking the hash chain (docs/retention.md).

The chain holds personal fields by a salted hash only, so it stays whole when they go, and the salt goes with them: what
is left cannot be guessed. Each row that was sealed is recorded with the hash of what stands in it since, so that no
other change can pass for an erasure.

1. The rows are found and, those that are sealed, compared with the chain: what was tampered with is not blessed.
2. Their hashes are recorded in `erased_rows`, the erasure in `erasures`, unfinished, and in Kafka.
3. The salts are removed, the fields are blanked, in the raw log and in the tables made of it.
4. The erasure is finished. One that was cut off is taken up again by the same call.
"""

import json
import re
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from clickhouse_connect.driver.client import Client

from sinks.audit.canon import EVENT_LABELS, PERSONAL, PUBLIC_HASH, content
from sinks.audit.deletions import Deletion, DeletionLog, rows_hash
from sinks.errors import SinkProblem
from sinks.migrations.ddl import literal
from sinks.retention.holds import read_holds
from sinks.retention.ledger import MUTATION
from sinks.retention.policy import held_condition

Subject = Literal["actor", "account"]

# Texts in payloads, of which all stand in `canon.PERSONAL_KEYS`: only those may change.
_OF_ACTOR = "ip|note"
_PERSONS = "assigned_to|collector_id"
_OF_ACCOUNT = "name|new|note|old|payer_account|payer_name|payer_reference"


class Person(NamedTuple):
    """Whose data are erased: a user by the id of the actor, or a customer by the account."""

    company: str
    subject: Subject
    id: str


class Erased(NamedTuple):
    """What was done: rows of the raw log that changed, rows that a legal hold keeps as they are, rows that must be
    sealed first, the pseudonym."""

    erasure_id: str
    rows: int
    held: int
    waiting: int
    pseudonym: str


class Erasure:
    """One erasure. Raises SinkProblem where a row is not what was sealed, and nothing is changed then."""

    def __init__(self, client: Client, person: Person) -> None:
        self._client = client
        self._person = person
        holds = read_holds(client)
        self._held = held_condition(holds, "company", "account_id") or "0"

    def count(self) -> tuple[int, int]:
        """Rows of the raw log that would change, and rows that a legal hold keeps."""
        rows = self._rows(f"SELECT countIf(NOT {self._held}), countIf({self._held}) FROM events WHERE {self._where()}")
        return int(rows[0][0]), int(rows[0][1])

    def run(self, log: DeletionLog, requested_by: str, reason: str, now: datetime) -> Erased:
        """Steps 1 to 4."""
        count, held = self.count()
        erasure_id = self._unfinished() or secrets.token_hex(8)
        pseudonym = f"erased-{erasure_id}"
        self._check()
        self._record(erasure_id, pseudonym, now)
        hash_ = rows_hash(self._client, erasure_id)
        sealed = int(self._rows(f"SELECT count() FROM erased_rows WHERE erasure_id = {literal(erasure_id)}")[0][0])
        company, subject, _ = self._person
        log.delete(
            Deletion(erasure_id, "erasure", company, "events", subject, None, sealed, hash_, requested_by, reason, now)
        )
        row = [erasure_id, company, subject, requested_by, reason, sealed, hash_]
        self._note([*row, False, now])
        self._blank(erasure_id, pseudonym)
        self._note([*row, True, now + timedelta(microseconds=1)])
        waiting = self.count()[0]
        return Erased(erasure_id, count - waiting, held, waiting, pseudonym)

    def _where(self) -> str:
        """The rows of the raw log that still say something."""
        company, subject, person = self._person
        changed = f"{self._payload('x')} != payload"
        mine = f"actor_id = {literal(person)}" if subject == "actor" else ""
        if subject == "account":
            return f"company = {literal(company)} AND account_id = {literal(person)} AND {changed}"
        return f"company = {literal(company)} AND ({mine} OR {changed})"

    def _payload(self, pseudonym: str) -> str:
        """The payload as it will be, as an expression."""
        _, subject, person = self._person
        if subject == "account":
            return _replaced("payload", _OF_ACCOUNT, _ANY, "")
        own = f"if(actor_id = {literal(person)}, {_replaced('payload', _OF_ACTOR, _ANY, '')}, payload)"
        return _replaced(own, _PERSONS, re.escape(json.dumps(person, ensure_ascii=False)), pseudonym)

    def _actor(self, pseudonym: str) -> str:
        _, subject, person = self._person
        return f"if(actor_id = {literal(person)}, {literal(pseudonym)}, actor_id)" if subject == "actor" else "actor_id"

    def _unfinished(self) -> str:
        """An erasure of the same rows that was cut off."""
        rows = self._rows(
            "SELECT any(erasure_id) FROM erased_rows WHERE erasure_id IN (SELECT erasure_id FROM erasures FINAL "
            f"WHERE NOT is_finished) AND (topic, partition, offset) IN "
            f"(SELECT _topic, _partition, _offset FROM events WHERE {self._where()})"
        )
        return str(rows[0][0] or "")

    def _check(self) -> None:
        """Step 1."""
        found = self._rows(
            f"""
SELECT event._topic, event._partition, event._offset
FROM
(
    SELECT _topic, _partition, _offset, {EVENT_LABELS} AS labels, {PUBLIC_HASH} AS public, {PERSONAL} AS personal
    FROM events WHERE {self._where()} AND NOT {self._held}
) AS event
INNER JOIN event_chain AS link
    ON link.topic = event._topic AND link.partition = event._partition AND link.offset = event._offset
WHERE link.salt != ''
    AND {content("event.public", "SHA256(concat(link.salt, event.personal))")} != link.content_hash
LIMIT 1"""
        )
        if found:
            place = " ".join(map(str, found[0]))
            raise SinkProblem(
                f"the row at {place} is not what was sealed; erasing would hide that",
                "Look at it with `arrears audit verify`; nothing was erased",
            )

    def _record(self, erasure_id: str, pseudonym: str, now: datetime) -> None:
        """Step 2. A row that was erased before keeps the hash of what was there first."""
        actor, payload = self._actor(pseudonym), self._payload(pseudonym)
        present = PERSONAL.replace("actor_id", "new_actor").replace("payload", "new_payload")
        self._client.command(
            f"""
INSERT INTO erased_rows (topic, partition, offset, erasure_id, personal_hash, present_hash, erased_at)
SELECT event._topic, event._partition, event._offset, {literal(erasure_id)},
    if(link.salt = '', former.personal_hash, SHA256(concat(link.salt, event.personal))), SHA256(event.present),
    toDateTime64({literal(now.strftime("%Y-%m-%d %H:%M:%S.%f"))}, 6, 'UTC')
FROM
(
    SELECT _topic, _partition, _offset, {PERSONAL} AS personal, {actor} AS new_actor, {payload} AS new_payload,
        {present} AS present
    FROM events WHERE {self._where()} AND NOT {self._held}
) AS event
INNER JOIN event_chain AS link
    ON link.topic = event._topic AND link.partition = event._partition AND link.offset = event._offset
LEFT JOIN
(
    SELECT topic, partition, offset, any(personal_hash) AS personal_hash
    FROM erased_rows
    GROUP BY topic, partition, offset
) AS former
    ON former.topic = event._topic AND former.partition = event._partition AND former.offset = event._offset
WHERE (event._topic, event._partition, event._offset) NOT IN
    (SELECT topic, partition, offset FROM erased_rows WHERE erasure_id = {literal(erasure_id)})"""
        )

    def _blank(self, erasure_id: str, pseudonym: str) -> None:
        """Step 3."""
        company, subject, person = self._person
        mine = f"erasure_id = {literal(erasure_id)}"
        sealed = f"SELECT topic, partition, offset FROM erased_rows WHERE {mine}"
        self._change("event_chain", "salt = ''", f"(topic, partition, offset) IN ({sealed})")
        here = f"company = {literal(company)} AND NOT {self._held}"
        if subject == "account":
            of_account = f"{here} AND account_id = {literal(person)}"
            self._change("accounts_log", "name = NULL", f"{of_account} AND name IS NOT NULL")
            self._change("receipts_versions", "payer_reference = NULL", f"{of_account} AND payer_reference IS NOT NULL")
            self._change("rejected_events", "original_value = ''", f"{of_account} AND original_value != ''")
        else:
            self._rename(pseudonym, here)
        # Last: as long as rows say something, the same call finds the erasure that was cut off.
        where = f"{self._where()} AND NOT {self._held}"
        if self._rows("SELECT 1 FROM event_chain LIMIT 1"):
            # A row that is being sealed just now would not be what its link says.
            where = f"{where} AND (_topic, _partition, _offset) IN ({sealed})"
        change = f"actor_id = {self._actor(pseudonym)}, payload = {self._payload(pseudonym)}"
        self._change("events", change, where)

    def _rename(self, pseudonym: str, here: str) -> None:
        """The user in tables that are made of events."""
        company, _, person = self._person
        for table, column in (
            ("accounts_log", "collector_id"),
            ("disputes_versions", "assigned_to"),
            ("exceptions_versions", "assigned_to"),
            ("exceptions_log", "assigned_to"),
        ):
            self._change(table, f"{column} = {literal(pseudonym)}", f"{here} AND {column} = {literal(person)}")

        # Here the person is part of the sorting key, which no update changes.
        hours = f"company = {literal(company)} AND actor_id = {literal(person)}"
        self._client.command(
            f"INSERT INTO activity_hourly_versions SELECT * REPLACE ({literal(pseudonym)} AS actor_id) "
            f"FROM (SELECT * FROM activity_hourly_versions WHERE {hours})"
        )
        self._client.command(f"ALTER TABLE activity_hourly_versions DELETE WHERE {hours} SETTINGS {MUTATION}")

    def _change(self, table: str, change: str, where: str) -> None:
        self._client.command(f"ALTER TABLE {table} UPDATE {change} WHERE {where} SETTINGS {MUTATION}")

    def _note(self, row: Sequence[object]) -> None:
        names = ["erasure_id", "company", "subject", "requested_by", "reason", "erased_rows", "rows_hash"]
        self._client.insert(
            "erasures", [row], column_names=[*names, "is_finished", "changed_at"], settings={"async_insert": 0}
        )

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self._client.query(query).result_rows]


# A text in JSON, whatever it says.
_ANY = r'"(?:[^"\\]|\\.)*"'


def _replaced(payload: str, keys: str, value: str, by: str) -> str:
    """An expression: the payload with a value of some keys replaced by a text."""
    pattern, replacement = f'"({keys})":{value}', rf'"\1":"{by}"'
    return f"replaceRegexpAll({payload}, {literal(pattern)}, {literal(replacement)})"
