"""What retention would do, and doing it. Nothing is deleted that is not first counted and published.

1. Months before the hot days are counted by company, type and currency (`events_monthly`).
2. Where a cold volume is named, the raw log gets a TTL that moves old rows there.
3. For each table and rule the rows are counted by company; the deletion is published in Kafka, then noted in
   `retention_runs`, by which `arrears audit verify` knows it. Positions that Kafka may still hold are noted in
   `removed_positions`, by which `arrears reconcile` knows them.
4. Rows are deleted: whole partitions are dropped where nothing would be left, the rest by a mutation, which gives the
   space back at once, where a lightweight delete would leave it to merges that old months never see.

Doing it again finds nothing to do; a run that was cut off is finished by the next one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from clickhouse_connect.driver.client import Client

from sinks.audit.deletions import NO_HASH, Deletion, DeletionLog
from sinks.migrations.ddl import literal
from sinks.migrations.engines import Engines
from sinks.retention import ledger, states
from sinks.retention.holds import Hold, read_holds
from sinks.retention.policy import ARRIVAL, TABLES, Aged, Policy, condition, moment_literal
from sinks.retention.storage import Storage, look

Firsts = Mapping[str, Mapping[int, int]]


class Planned(NamedTuple):
    """What would be deleted of a table for a company. `held` rows are old enough and stay because of a legal hold;
    `size_bytes` is estimated from the table's average row."""

    rule: str
    table: str
    company: str
    cutoff: datetime
    rows: int
    held: int
    size_bytes: int


@dataclass
class Retention:
    """One database under one policy. `firsts`: Kafka's first offsets; None = do not look at what Kafka still holds."""

    client: Client
    policy: Policy
    now: datetime
    firsts: Firsts | None = None
    engines: Engines = field(default_factory=Engines)

    def plan(self) -> list[Planned]:
        """All that would be deleted or is held, by rule, table and company. Changes nothing."""
        holds = read_holds(self.client)
        found = [planned for aged in TABLES for planned in self._aged(aged, holds)]
        items = ledger.closed_items(ledger.old_postings(self.policy, self.now, self.firsts), holds)
        found += self._counted("ledger", ledger.TABLE, items, "postings")
        going = f"SELECT {ledger.ITEM} FROM ({items}) WHERE NOT is_held"
        for one in states.STATES:
            ended = states.ended_states(one, self.policy, self.now, holds, going)
            found += self._counted(states.RULE, one.table, ended, "versions")
        return [planned for planned in found if planned.rows or planned.held]

    def storage(self) -> Storage:
        """Where old rows of the raw log lie, and what would be changed. Raises SinkProblem."""
        return look(self.client, self.policy, self.now, self.engines.on_cluster)

    def prepare(self) -> int:
        """Steps 1 and 2, which delete nothing; gives how many months were counted."""
        if statement := self.storage().statement:
            self.client.command(statement)
        return self._count_months()

    def apply(self, log: DeletionLog, run_id: str, applied_by: str) -> list[Planned]:
        """Steps 3 and 4 for all that is planned."""
        holds = read_holds(self.client)
        planned = self.plan()
        old = ledger.old_postings(self.policy, self.now, self.firsts)
        ledger.write_down(self.client, ledger.closed_items(old, holds))
        for one in states.STATES:
            ended = states.ended_states(one, self.policy, self.now, holds, ledger.WRITTEN_DOWN)
            states.write_down(self.client, one, ended)
        for planned_one in planned:
            if planned_one.rows:
                self._note(log, planned_one, run_id, applied_by)
        for table in dict.fromkeys(aged.table for aged in TABLES):
            if any(one.table == table and one.rows for one in planned):
                of_table = [aged for aged in TABLES if aged.table == table]
                goes = [f"({condition(self.policy, aged, self.now, holds, self.firsts)})" for aged in of_table]
                self._delete(table, " OR ".join(goes), run_id, is_in_kafka=of_table[0].time == ARRIVAL)
        if self.firsts is None:
            for table, goes_ in ledger.written_down(old).items():
                self._note_positions(table, goes_, run_id)
        ledger.delete_written_down(self.client, old)
        old_states = states.old_states(self.policy, self.now)
        for one in states.STATES:
            self._note_positions(one.table, states.going(one, old_states), run_id)
            states.delete_written_down(self.client, one, old_states)
        return planned

    def _aged(self, aged: Aged, holds: Sequence[Hold]) -> list[Planned]:
        goes = condition(self.policy, aged, self.now, holds, self.firsts)
        old = condition(self.policy, aged, self.now, holds, self.firsts, with_holds=False)
        rows = self.client.query(
            f"SELECT toString({aged.company}) AS code, countIf({goes}), count() FROM {aged.table} WHERE {old} "
            "GROUP BY code ORDER BY code"
        ).result_rows
        width = self._row_bytes(aged.table)
        return [
            Planned(
                aged.rule,
                aged.table,
                str(company),
                self.policy.cutoff(aged.rule, str(company), self.now),
                int(count),
                int(all_) - int(count),
                int(count * width),
            )
            for company, count, all_ in rows
        ]

    def _counted(self, rule: str, table: str, query: str, count: str) -> list[Planned]:
        """What such a query, with a number of rows and `is_held`, comes to by company."""
        rows = self.client.query(
            f"SELECT toString(company), sumIf({count}, NOT is_held), sumIf({count}, is_held) FROM ({query}) "
            "GROUP BY company ORDER BY company"
        ).result_rows
        width = self._row_bytes(table)
        return [
            Planned(
                rule,
                table,
                str(company),
                self.policy.cutoff(rule, str(company), self.now),
                int(rows_),
                int(held),
                int(rows_ * width),
            )
            for company, rows_, held in rows
        ]

    def _row_bytes(self, table: str) -> float:
        rows = self.client.query(
            "SELECT sum(bytes_on_disk) / greatest(sum(rows), 1) FROM system.parts "
            "WHERE database = currentDatabase() AND table = {table:String} AND active",
            parameters={"table": table},
        ).result_rows
        return float(rows[0][0] or 0)

    def _note(self, log: DeletionLog, planned: Planned, run_id: str, applied_by: str) -> None:
        log.delete(
            Deletion(
                run_id,
                "retention",
                planned.company,
                planned.table,
                planned.rule,
                planned.cutoff,
                planned.rows,
                NO_HASH,
                applied_by,
                "",
                self.now,
            )
        )
        self.client.insert(
            "retention_runs",
            [
                (
                    run_id,
                    planned.rule,
                    planned.table,
                    planned.company,
                    planned.cutoff,
                    planned.rows,
                    applied_by,
                    self.now,
                )
            ],
            column_names=["run_id", "rule", "table", "company", "cutoff", "rows", "applied_by", "applied_at"],
            settings={"async_insert": 0, "insert_deduplicate": 0},
        )

    def _note_positions(self, table: str, goes: str, run_id: str) -> None:
        self.client.command(
            f"INSERT INTO removed_positions SELECT {literal(table)}, _topic, _partition, {literal(run_id)}, "
            f"groupBitmapState(_offset), {moment_literal(self.now)} FROM {table} WHERE {goes} "
            "GROUP BY _topic, _partition"
        )

    def _delete(self, table: str, goes: str, run_id: str, *, is_in_kafka: bool) -> None:
        if self.firsts is None and is_in_kafka:
            self._note_positions(table, goes, run_id)
        emptied = self.client.query(
            f"SELECT _partition_id FROM {table} GROUP BY _partition_id HAVING countIf(NOT ({goes})) = 0"
        ).result_rows
        is_cut = bool(
            self.client.query(
                "SELECT partition_key != '' FROM system.tables "
                "WHERE database = currentDatabase() AND name = {table:String}",
                parameters={"table": table},
            ).result_rows[0][0]
        )
        for (partition,) in emptied if is_cut else ():
            self.client.command(
                f"ALTER TABLE {table}{self.engines.on_cluster} DROP PARTITION ID {literal(str(partition))}"
            )
        self.client.command(
            f"ALTER TABLE {table}{self.engines.on_cluster} DELETE WHERE {goes} SETTINGS {ledger.MUTATION}"
        )

    def _count_months(self) -> int:
        """Count months that were not counted yet: what is so old does not change."""
        before = moment_literal(self.policy.counted_before(self.now))
        months = [
            row[0]
            for row in self.client.query(
                "SELECT DISTINCT toDate32(toStartOfMonth(_appended_at)) AS month FROM events "
                f"WHERE _appended_at < {before} AND month NOT IN (SELECT month FROM events_monthly_versions) "
                "ORDER BY month"
            ).result_rows
        ]
        if months:
            days = ", ".join(f"toDate32('{month}')" for month in months)
            self.client.command(
                "INSERT INTO events_monthly_versions SELECT company, toDate32(toStartOfMonth(_appended_at)) AS month, "
                f"event_type, currency, count(), sum(ifNull(amount, 0)), {moment_literal(self.now)} "
                f"FROM events WHERE month IN ({days}) GROUP BY company, month, event_type, currency"
            )
        return len(months)
