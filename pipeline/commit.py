"""Steps 3 to 5 of the protocol (DESIGN §3): skip what is applied, fold the rest, write it into one transaction.

All of it runs in the one thread that folds; committing, which waits for the broker, is left to the caller.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.breaker import Breaker
from pipeline.codec import LOGGED, EventCodec, KeyRing, Poison
from pipeline.outputs import Output, Outputs
from pipeline.ports import Effect, Event, OutputTooLarge, Record, Step
from pipeline.store import PartitionStore

logger = logging.getLogger(__name__)

# Counters of Progress by outcome of a step.
COUNTERS = {
    "applied": "applied",
    "rejected": "rejected",
    "duplicate": "duplicates",
    "clock": "ticks",
    "configured": "configured",
}


class EffectUnwritable(Exception):  # noqa: N818
    """An effect does not fit its schema or the broker's limit.

    The fold has already taken the event in, so the transaction and the store must go; the event is then failed at its
    next coming, by ``poisoned`` of ``apply``.
    """

    def __init__(self, offset: int, poison: Poison) -> None:
        super().__init__(f"offset {offset}: {poison.error}")
        self.offset = offset
        self.poison = poison


@dataclass(slots=True)
class Committer:
    """Folds batches into stores and writes what comes of it.

    ``outputs_max`` bounds one transaction: after the event that reaches it, the transaction is closed and the rest of
    the batch goes into the next. Where the log is cut does not show in the output.

    ``forward_events`` False holds back what accounts send one another: a log that is replayed whole has it already.
    """

    codec: EventCodec
    keys: KeyRing
    outputs: Outputs
    breaker: Breaker
    outputs_max: int = 50_000
    forward_events: bool = True
    last_error: str = field(default="", init=False)

    def apply(
        self, store: PartitionStore, records: Sequence[Record], index: int, poisoned: Mapping[int, Poison]
    ) -> int:
        """Fold ``records[index:]`` until the transaction is full; returns the index of the first one left.

        When nothing was to be done no transaction is open afterwards, otherwise it is sealed and ready to commit.
        Raises ``EffectUnwritable``, ``Problem`` from the breaker, and what the partition log raises; the store is of
        no use then.
        """
        position = store.progress.position
        count = len(records)
        # Step 3: what is applied already came again, because the group's offset is behind or a reader went back.
        while index < count and (records[index].offset() or 0) < position:
            index += 1
        if index == count:
            return index
        store.begin()
        last, defects = self._fold(store, records, index, poisoned)
        self.breaker.count(last - index, defects)
        self.breaker.check(self.last_error)
        self._advance(store, records[last - 1], last - index)
        return last

    def _fold(
        self, store: PartitionStore, records: Sequence[Record], index: int, poisoned: Mapping[int, Poison]
    ) -> tuple[int, int]:
        """Step 4 and the outputs of step 5; returns the index of the first record left, and the number of defects."""
        count = len(records)
        defects = 0
        outputs = 0
        # Local names: this loop is the inner loop of the worker.
        counters = store.written.counters
        counted = counters.get
        step_of = store.fold.step
        decoder_of = self.codec.decoders.get
        account_of = self.keys.verified(store.partition).get
        while index < count and outputs < self.outputs_max:
            record = records[index]
            index += 1
            event: Event = None
            try:
                if poisoned and record.offset() in poisoned:
                    raise poisoned[record.offset() or 0]
                value = record.value()
                decoder = decoder_of(value[:5]) if value is not None else None
                try:
                    event = self.codec.decode(value) if decoder is None else decoder(value)
                except Exception:  # noqa: BLE001  found out again, with its reason, off the fast path
                    event = None
                    event = self.codec.decode(value)
                if event is LOGGED:
                    event = None
                    self.keys.check_place(record)
                    counters["logged"] = counted("logged", 0) + 1
                    continue
                if account_of(record.key()) != (event.company, event.account_id):
                    self.keys.check(record, event)
                try:
                    step = step_of(event)
                except Exception as defect:
                    self.last_error = f"{type(defect).__name__}: {defect}"
                    raise Poison("fold", type(defect).__name__, self.last_error) from defect
            except Poison as poison:
                # Step 4, the other way out: the event costs itself and nothing else.
                self._fail(store, record, event, poison)
                counters["failed"] = counted("failed", 0) + 1
                defects += poison.stage == "fold"
                outputs += 1
                continue
            outcome = COUNTERS[step.outcome]
            counters[outcome] = counted(outcome, 0) + 1
            if step.effects:
                outputs += len(step.effects)
                self._write(store, record, step)
        return index, defects

    def _write(self, store: PartitionStore, record: Record, step: Step) -> None:
        """Step 5: the outputs of one event, in order."""
        log = store.log
        written = store.written.outputs
        for effect in step.effects:
            if not self.forward_events and type(effect).__name__ == "Carried":
                continue
            try:
                output = self.outputs.of_effect(effect, record)
            except Exception as defect:  # noqa: BLE001  whatever does not fit its schema
                self._give_up(record, effect, f"{type(defect).__name__}: {defect}", type(defect).__name__, defect)
            name, topic, partition, key, value, headers = output
            try:
                log.write(topic, partition, key, value, headers)
            except OutputTooLarge as error:
                if type(effect).__name__ != "Rejection":
                    self._give_up(record, effect, str(error), "too_large", error)
                self._write_output(store, self.outputs.of_rejection(effect, record, with_value=False))
            written[name] = written.get(name, 0) + 1

    def _give_up(self, record: Record, effect: Effect, error: str, reason: str, cause: Exception) -> None:
        self.last_error = f"{type(effect).__name__}: {error}"
        self.breaker.count(1, 1, restores=1)
        self.breaker.check(self.last_error)
        raise EffectUnwritable(record.offset() or 0, Poison("encode", reason, self.last_error)) from cause

    def _fail(self, store: PartitionStore, record: Record, event: Event, poison: Poison) -> None:
        """Write the record to ``ar.failed``, whole, or where it is too large for that, with its position only."""
        failures = store.written.failures
        place = (poison.stage, poison.reason)
        if place not in failures:
            # One example a batch: a thousand equal lines help nobody.
            store.written.examples[place] = f"offset {record.offset()}: {poison.error}"
            if poison.stage == "fold":
                logger.error("the jobs failed on an event", exc_info=poison.__cause__)
        failures[place] = failures.get(place, 0) + 1
        try:
            self._write_output(
                store, self.outputs.of_failure(record, poison.stage, poison.reason, poison.error, event=event)
            )
        except OutputTooLarge as error:
            note = f"{poison.error} (its {len(record.value() or b'')} bytes are not copied: {error})"
            self._write_output(
                store,
                self.outputs.of_failure(record, poison.stage, poison.reason, note, event=event, with_value=False),
            )

    def _write_output(self, store: PartitionStore, output: Output) -> None:
        store.log.write(output.topic, output.partition, output.key, output.value, output.headers)
        store.written.outputs[output.name] = store.written.outputs.get(output.name, 0) + 1

    def _advance(self, store: PartitionStore, last: Record, taken: int) -> None:
        """Step 5: the new position and counters, beside the changed state."""
        progress = store.progress
        for name, number in store.written.counters.items():
            setattr(progress, name, getattr(progress, name) + number)
        progress.position = (last.offset() or 0) + 1
        store.written.records = taken
        store.timestamp_milliseconds = last.timestamp()[1]
        store.seal()
