"""Records of the spans of one insert to one container of rows, and what of them cannot become rows.

The fast way trusts the schema id and decodes nothing that it need not; the careful way decodes every record and
encodes it again. The store refuses what the fast way should not have trusted, and the spans are then wrapped carefully
(DESIGN §4): so the rows of an insert are a function of its records alone, however often it is replayed.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from avro import ContractError, Contracts
from avro.errors import RegistryUnavailable
from avro.schemas import without_documentation
from avro.written import written_record
from sinks.container import (
    encode_cached,
    encode_long,
    encode_offset,
    encode_string,
    frame,
    write_container,
    write_header,
)
from sinks.errors import Unavailable
from sinks.event_row import NOT_STORED, POSITION_FIELDS, event_row_schema
from sinks.positions import Partition, Record, position
from sinks.transcode import compile_transcoder

# Magic byte and schema id stand before every datum (Confluent wire format).
WIRE_HEAD = 5


class Failure(NamedTuple):
    """A record that cannot become a row, for `ar.failed`. `reason` is a code, `error` one line."""

    record: Record
    reason: str
    error: str


class Wrapped(NamedTuple):
    """What became of an insert's records: `rows` rows in a container, what failed, and how many need no row."""

    container: bytes
    rows: int
    failures: Sequence[Failure]
    skipped: int


class Wrapper(Protocol):
    """Makes the rows of one table from the records of one topic."""

    def wrap(self, spans: Iterable[tuple[Partition, Sequence[Record]]], *, careful: bool) -> Wrapped:
        """The rows of the records of these partitions, in their order; bad records are among the failures.

        Raises Unavailable when a record cannot be judged now.
        """


class _Unfit(Exception):  # noqa: N818  becomes a Failure
    def __init__(self, reason: str, error: str) -> None:
        super().__init__(reason, error)
        self.reason = reason
        self.error = error


# From a wire-format value to the datum of a row; None = the record needs no row.
Datum = Callable[[bytes], bytes]


class RowWrapper:
    """Wraps the values of one topic. `fast` maps the first five bytes of a value to what makes its row."""

    def __init__(self, contracts: Contracts, schema: Mapping[str, Any], fast: Mapping[bytes, Datum | None]) -> None:
        self._contracts = contracts
        self._fast = fast
        fields = [*POSITION_FIELDS, *schema["fields"]]
        self._header = write_header({"type": "record", "name": schema["name"], "fields": fields})

    def wrap(self, spans: Iterable[tuple[Partition, Sequence[Record]]], *, careful: bool) -> Wrapped:
        """As the protocol says. A tombstone needs no row: the table keeps what was there before it."""
        rows: list[bytes] = []
        failures: list[Failure] = []
        count = 0
        for partition, records in spans:
            count += len(records)
            found, bad = self._rows(partition, records, careful=careful)
            rows += found
            failures += bad
        container = write_container(self._header, rows) if rows else b""
        return Wrapped(container, len(rows), failures, count - len(rows) - len(failures))

    def _rows(
        self, partition: Partition, records: Sequence[Record], *, careful: bool
    ) -> tuple[list[bytes], list[Failure]]:
        place = encode_string(partition.topic) + encode_long(partition.number)
        fast: Mapping[bytes, Datum | None] = {} if careful else self._fast
        rows: list[bytes] = []
        failures: list[Failure] = []
        for record in records:
            value = record.value()
            if value is None:
                continue
            try:
                head = value[:WIRE_HEAD]
                make = fast[head] if head in fast else self._canonical(value)
                if make is None:
                    continue
                datum = make(value)
            except _Unfit as unfit:
                failures.append(Failure(record, unfit.reason, unfit.error))
                continue
            except (IndexError, ValueError, OverflowError) as error:
                if not careful:
                    # Damaged in a way that shows already here; the careful way finds the words for it.
                    return self._rows(partition, records, careful=True)
                failures.append(Failure(record, "no_row", f"{type(error).__name__}: {error}"))
                continue
            stamp = encode_cached(record.timestamp()[1])
            rows.append(frame(b"%b%b%b%b" % (place, encode_offset(position(record)), stamp, datum)))
        return rows, failures

    def _canonical(self, value: bytes) -> Datum | None:
        """Decode a value, by whatever version it was written, and encode it by the current schema.

        Raises _Unfit when it cannot be read, or does not belong into this topic; Unavailable when that is not known,
        because the schema registry does not answer.
        """
        try:
            name, record = self._contracts.decode(value)
            current = self._contracts.encode(name, record)
        except RegistryUnavailable as error:
            # Not the record's fault: the attempt is repeated when the registry answers.
            raise Unavailable(str(error)) from error
        except ContractError as error:
            raise _Unfit(error.reason, " ".join(str(error).split())) from error
        if current[:WIRE_HEAD] not in self._fast:
            raise _Unfit("unexpected_record", f"{name} does not belong into this topic")
        make = self._fast[current[:WIRE_HEAD]]
        if make is None:
            return None
        datum = make(current)
        return lambda _: datum


def record_wrapper(contracts: Contracts, name: str) -> RowWrapper:
    """For a topic with one schema: the datum is the row, undecoded, behind the position fields."""
    schema = without_documentation(contracts.schema(name))
    return RowWrapper(contracts, schema, {wire_head(contracts, name): _datum_of})


def event_wrapper(contracts: Contracts, names: Sequence[str]) -> RowWrapper:
    """For the event topic: every type has a transcoder into the one wide row."""
    fast: dict[bytes, Datum | None] = {}
    for name in names:
        stored = name not in NOT_STORED
        transcoder = compile_transcoder(contracts.schema(name), written_record(name)) if stored else None
        fast[wire_head(contracts, name)] = transcoder
    return RowWrapper(contracts, event_row_schema(), fast)


def wire_head(contracts: Contracts, name: str) -> bytes:
    """The first five bytes of a value that is written by the current schema of a record."""
    return b"\x00" + contracts.schema_id(name).to_bytes(4, "big")


def _datum_of(value: bytes) -> bytes:
    return value[WIRE_HEAD:]
