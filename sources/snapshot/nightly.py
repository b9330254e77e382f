"""One night: the list is read, held against the last one, checked for being whole, and compared."""

import re
from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from io import BufferedReader
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from avro.text import parse_event, write_event
from sources.csv_file import CsvFile
from sources.errors import SourceError
from sources.intake import SourceOptions
from sources.mapping import MappingText
from sources.snapshot.compare import Difference, compare
from sources.snapshot.extract import SnapshotExtract, read_companion, read_extract
from sources.snapshot.items import Companion
from sources.snapshot.state import State, StateFile
from sources.values import Parsed, ParsedEvent, Position, SourceReject

_DAY_IN_NAME = re.compile(r"(?<!\d)(20\d\d)-?([01]\d)-?([0-3]\d)(?!\d)")


class Night(msgspec.Struct, frozen=True):
    """What a night came to, and the file that is to keep its state; None where two given lists were compared."""

    difference: Difference
    extract: SnapshotExtract
    as_of: str
    state_file: StateFile | None

    def values(self) -> Iterator[Parsed]:
        """The events, and a reject for each application of the list of payments that fits no item."""
        yield from self.difference.events
        for application, why in self.difference.refused:
            message = f"{why}; it waits for nobody, correct it or leave it out"
            record = application.event.record
            yield SourceReject(
                application.event.position, "unknown_item", message, application.original, record["company"],
                "CashApplied",
            )  # fmt: skip


class Nightly:
    """Compares lists of open items of one mapping. `name` is what the state calls the mapping."""

    def __init__(self, options: SourceOptions, mapping: MappingText) -> None:
        self._options = options
        self._mapping = mapping
        self._adapter = CsvFile(options, mapping)
        self._name = f"{mapping.mapping.source}-{Path(mapping.path).stem}"
        self._zone = ZoneInfo(mapping.mapping.values.timezone or "UTC")
        self._extract: SnapshotExtract | None = None

    def state_file(self, file: Path, path: Path | None = None) -> StateFile:
        """The file of the state for lists like this one: `path`, or one beside the list."""
        self._extract = self._read(file)  # to be compared next, as a rule
        company = self._extract.company
        return StateFile(path or file.with_name(f".{company}.{self._name}.snapshot.json"), company, self._name)

    def compare(
        self,
        file: Path,
        *,
        state_file: StateFile | None,
        state: State | None = None,
        previous: Path | None = None,
        as_of: date | None = None,
        companion: Companion | None = None,
        force: bool = False,
    ) -> Night:
        """Compare a list with the state of the file, a given one, or a `previous` list.

        Raises ``SourceError`` when it looks cut; `force` takes it nevertheless. The day of the list is `as_of`, else
        the one in its name, else today.
        """
        extract = self._extract if self._extract is not None and self._extract.file == str(file) else self._read(file)
        self._extract = None
        day = as_of or day_in_name(file) or self._options.now().astimezone(self._zone).date()
        if state is None:
            state = State(extract.company, self._name) if state_file is None else state_file.load()
        if previous is not None:
            before = day_in_name(previous) or day
            state = self._differ(State(extract.company, self._name), self._read(previous), before, None).state
        if not force:
            self._check_whole(extract, state, day)
        return Night(self._differ(state, extract, day, companion), extract, day.isoformat(), state_file)

    def _read(self, file: Path) -> SnapshotExtract:
        with _opened(file) as stream:
            extract = read_extract(self._adapter, self._mapping, stream, str(file))
        company = extract.company or self._options.company
        if company is None:
            raise SourceError(f"{file} has no open item, so nothing says of which company it is", "Give --company CODE")
        return msgspec.structs.replace(extract, company=company)

    def _differ(self, state: State, extract: SnapshotExtract, day: date, companion: Companion | None) -> Difference:
        noon = datetime.combine(day, time(12), self._zone)
        # Noon is on that day in every zone; a list of this morning is not of an hour that is still to come.
        occurred_at = min(noon, max(self._options.now(), datetime.combine(day, time(), self._zone)))
        return compare(
            state,
            extract.items,
            source=self._options.source or self._mapping.mapping.source,
            as_of=day.isoformat(),
            occurred_at=occurred_at.isoformat(),
            companion=companion,
        )

    def _check_whole(self, extract: SnapshotExtract, state: State, day: date) -> None:
        share = self._mapping.mapping.snapshot.share_percent_min
        if len(extract.items) * 100 < state.open_count * share:
            raise SourceError(
                f"{extract.file} has {len(extract.items):,} open items, the list before it {state.open_count:,}: less "
                f"than {share} percent of them, as of a file that was cut",
                "Extract it again; --force compares it nevertheless, and share_percent_min of [snapshot] is the limit",
            )
        if state.as_of and day.isoformat() < state.as_of:
            raise SourceError(
                f"{extract.file} is of {day}, but the last list was of {state.as_of}",
                "Compare lists in the order of their days; --as-of corrects the day, --force takes it nevertheless",
            )


def read_payments(options: SourceOptions, mapping: MappingText, file: Path) -> Companion:
    """A list of payments beside a list of open items. Raises ``SourceError``."""
    with _opened(file) as stream:
        return read_companion(CsvFile(options, mapping), stream, str(file))


def day_in_name(file: Path) -> date | None:
    """The day that a file name tells, as 2026-03-31 or 20260331; None where it tells none."""
    for found in _DAY_IN_NAME.finditer(file.name):
        try:
            return date(int(found[1]), int(found[2]), int(found[3]))
        except ValueError:
            continue
    return None


def take(night: Night, send: Callable[[Iterator[Parsed]], object]) -> None:
    """Send what a night came to, by the protocol of ``StateFile``: kept, sent and acknowledged, then done."""
    if night.state_file is not None:
        documents = (write_event(event.name, event.record) for event in night.difference.events)
        night.state_file.prepare(documents, night.difference.state)
    send(night.values())
    if night.state_file is not None:
        night.state_file.finish()


def take_up(state_file: StateFile, send: Callable[[Iterator[Parsed]], object]) -> bool:
    """Send the events of a night that was not finished. Says whether there was one."""
    documents = state_file.pending()
    if documents is None:
        return False
    place = Position(str(state_file.path), 0)
    send(ParsedEvent(*parse_event(document, {}), place) for document in documents)
    state_file.finish()
    return True


def _opened(file: Path) -> BufferedReader:
    try:
        return file.open("rb")
    except OSError as error:
        raise SourceError(f"cannot read {file}: {error.strerror}", "Check its name and permissions") from error
