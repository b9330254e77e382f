"""A scenario's events through the worker's own code into ClickHouse, as the sink would write it.

Only Kafka is not there: its memory twin keeps the records, and each topic's partition is inserted as one span.
"""

from dataclasses import dataclass, field

from avro import contracts
from avro.text import parse_event
from jobs import EFFECT_TYPES, EVENT_TYPES, CompanySettings, Fold
from jobs.values import Instant, moment_of
from pipeline.breaker import Breaker, BreakerOptions
from pipeline.clock import tick_record
from pipeline.codec import EventCodec, KeyRing
from pipeline.commit import Committer
from pipeline.companies import ConfiguredRecord, written_form
from pipeline.memory_log import MemoryBroker, MemoryLog
from pipeline.outputs import Outputs
from pipeline.scenarios import Scenario
from pipeline.scenarios.format import ClockStep, EventStep
from pipeline.store import PartitionStore, open_store
from sinks.clickhouse import Address, ClickHouseStore
from sinks.positions import Member, Partition, span_of
from sinks.routes import routes
from sinks.store import token_of
from tests.sinks.copies import make_tables
from tests.sinks.twins import MemoryRecord
from topics import EVENTS, catalogue, partition_key, partition_of

STATE = "ar.state"
REFERENCE = "ar.reference"


@dataclass
class Books:
    """One worker with all partitions, over a broker in memory."""

    broker: MemoryBroker = field(default_factory=MemoryBroker)
    stores: list[PartitionStore] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.contracts = contracts()
        self.topics = catalogue("")
        self.partitions = self.topics[EVENTS].partitions
        self.committer = Committer(
            EventCodec(self.contracts, EVENT_TYPES),
            KeyRing(self.partitions),
            Outputs(self.contracts, self.topics, EFFECT_TYPES),
            Breaker(BreakerOptions()),
        )
        for partition in range(self.partitions):
            log = MemoryLog(self.broker, f"worker-{partition}", STATE, EVENTS, partition)
            self.stores.append(open_store(partition, log, Fold))

    def play(self, scenario: Scenario) -> None:
        """All events and ticks of a scenario, each folded where it lies."""
        clock = scenario.steps[0].at if isinstance(scenario.steps[0], EventStep | ClockStep) else Instant(0)
        for company in scenario.companies:
            self._configure(company, clock)
        for step in scenario.steps:
            if isinstance(step, EventStep | ClockStep):
                clock = max(clock, step.at)
                self._tick(clock)
            if isinstance(step, EventStep):
                self._append(step, clock, scenario.companies[0].code)
            self._fold()

    def _configure(self, company: CompanySettings, at: Instant) -> None:
        settings = written_form(company).decode()
        record = ConfiguredRecord(
            event_id=f"company/{company.code}",
            company=company.code,
            occurred_at=at,
            recorded_at=at,
            version="1",
            settings=settings,
        )
        value = self.contracts.encoder("CompanyConfigured")(record)
        for partition in range(self.partitions):
            self.broker.append(EVENTS, partition, company.code.encode(), value)

    def _tick(self, at: Instant) -> None:
        self.broker.now_milliseconds = at // 1000
        value = self.contracts.encoder("ClockTicked")(tick_record(at))
        for partition in range(self.partitions):
            self.broker.append(EVENTS, partition, None, value)

    def _append(self, step: EventStep, clock: Instant, company: str) -> None:
        name, record = parse_event(
            step.document,
            {
                "event_id": f"e-{step.number}",
                "company": company,
                "occurred_at": moment_of(step.at).isoformat(),
                "recorded_at": moment_of(clock).isoformat(),
                "region": "",
                "source": "docs",
                "actor_id": "",
                "actor_role": "",
            },
        )
        value = self.contracts.encode(name, record)
        if name in self.topics[REFERENCE].records:
            self.broker.append(REFERENCE, 0, str(record["rate_date"]).encode(), value)
            return
        key = partition_key(str(record["company"]), record["account_id"])
        self.broker.append(EVENTS, partition_of(key, self.partitions), key, value)

    def _fold(self) -> None:
        """Until nothing is left: an event for another account is one more record of the log."""
        moved = True
        while moved:
            moved = False
            for store in self.stores:
                records = self.broker.records(EVENTS, store.partition, store.progress.position)
                if records:
                    self.committer.apply(store, records, 0, {})
                    if store.written.failures:
                        raise AssertionError(store.written.examples)
                    store.commit()
                    moved = True

    def write_to(self, address: Address) -> None:
        """Make the tables of a database and fill them."""
        make_tables(address)
        store = ClickHouseStore(address)
        for route in routes(self.contracts, self.topics).values():
            for number in range(self.topics[route.topic].partitions):
                place = Partition(route.topic, number)
                records = [
                    MemoryRecord(
                        place,
                        record.at_offset,
                        record.stored_value,
                        record.stored_key,
                        record.stored_headers,
                        record.timestamp_milliseconds,
                    )
                    for record in self.broker.records(route.topic, number)
                ]
                if not records:
                    continue
                wrapped = route.wrapper.wrap([(place, records)], careful=False)
                if wrapped.failures:
                    raise AssertionError(wrapped.failures[0].error)
                if wrapped.rows:
                    token = token_of(route.table, [Member(place, span_of(records))])
                    store.insert(route.table, token, wrapped.container)
