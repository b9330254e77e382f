"""What is deleted or changed on purpose says so, in the database and outside of it (topic ar.audit.deletions)."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from hashlib import sha256
from typing import Literal, NamedTuple, Protocol

from clickhouse_connect.driver.client import Client

from sinks.audit.chain import Finding

NO_HASH = b""


class Deletion(NamedTuple):
    """A run of retention over one table and company, or an erasure. `cutoff` None for an erasure."""

    id: str
    kind: Literal["retention", "erasure"]
    company: str
    table: str
    rule: str
    cutoff: datetime | None
    rows: int
    rows_hash: bytes
    done_by: str
    reason: str
    done_at: datetime


class DeletionLog(Protocol):
    """Where deletions are published, outside of the database."""

    def delete(self, deletion: Deletion) -> None:
        """Return when it is safe there. Raises SinkProblem when it is not."""


def rows_hash(client: Client, erasure_id: str) -> bytes:
    """SHA-256 of the rows of an erasure: positions, what was there, what is there since."""
    found = sha256()
    rows = client.query(
        "SELECT toString(topic), partition, offset, personal_hash, present_hash FROM erased_rows "
        "WHERE erasure_id = {id:String} ORDER BY topic, partition, offset",
        parameters={"id": erasure_id},
    ).result_rows
    for topic, partition, offset, personal, present in rows:
        found.update(f"{topic} {partition} {offset} ".encode() + personal + present)
    return found.digest()


def check_deletions(client: Client, published: Iterable[Deletion]) -> Iterator[Finding]:
    """What the tables say of deletions must have been published: otherwise they excuse rows that somebody removed."""
    known = {(deletion.id, deletion.table, deletion.company, deletion.rule): deletion for deletion in published}
    runs = client.query(
        "SELECT run_id, toString(table), toString(company), toString(rule), cutoff, rows FROM retention_runs"
    ).result_rows
    for run_id, table, company, rule, cutoff, rows in runs:
        said = known.get((str(run_id), str(table), str(company), str(rule)))
        if said is None or said.cutoff != cutoff.replace(tzinfo=UTC) or said.rows != rows:
            yield _finding(f"table retention_runs excuses rows of {table} with {run_id}, which Kafka does not know so")
    erasures = client.query(
        "SELECT erasure_id, toString(company), toString(subject), rows_hash FROM erasures FINAL"
    ).result_rows
    for erasure_id, company, subject, hash_ in erasures:
        said = known.get((str(erasure_id), "events", str(company), str(subject)))
        if said is None or said.rows_hash != hash_ or hash_ != rows_hash(client, str(erasure_id)):
            yield _finding(f"the rows of erasure {erasure_id} are not those that Kafka knows")
    unknown = client.query(
        "SELECT count() FROM erased_rows WHERE erasure_id NOT IN (SELECT erasure_id FROM erasures)"
    ).result_rows[0][0]
    if unknown:
        yield _finding(f"{unknown} rows of erased_rows belong to no erasure")


def _finding(message: str) -> Finding:
    return Finding("erasure_changed", "", -1, -1, "", message)
