"""An audit export: a period of a company in files that prove themselves (docs/audit.md).

`events.jsonl` has its events with what their hashes are made of, `chain.jsonl` the stretch of each partition's chain
that holds them, from anchor to anchor, other companies' rows as labels and hashes only, `ledger_entries.jsonl` its
postings.
`manifest.json` says what is there and is signed; `verify.py` checks it all and needs nothing but Python.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from clickhouse_connect.driver.client import Client
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sinks.audit import verify_export
from sinks.audit.book import AuditBook
from sinks.audit.canon import PUBLIC_TEXTS
from sinks.audit.chain import Place, genesis
from sinks.audit.signature import public_key
from sinks.errors import SinkProblem

ROWS_AT_ONCE = 20_000
_BLOCK = 1 << 20


class Stretch(NamedTuple):
    """Part of a chain: behind `after`, whose hash is `first_hash`, up to `last`."""

    place: Place
    after: int
    first_hash: bytes
    last: int
    last_hash: bytes


@dataclass
class Written:
    """A file of the export while it is written."""

    path: Path
    lines: int = 0
    _digest: Any = field(default_factory=hashlib.sha256)

    def add(self, data: bytes) -> None:
        """Append whole lines or parts of them."""
        with self.path.open("ab") as file:
            file.write(data)
        self._digest.update(data)
        self.lines += data.count(b"\n")

    def said(self) -> dict[str, object]:
        """What the manifest says of it."""
        return {"sha256": self._digest.hexdigest(), "lines": self.lines}


def export(
    client: Client, company: str, since: datetime, until: datetime, folder: Path, key: Ed25519PrivateKey
) -> dict[str, Any]:
    """Write the export of the events and ledger entries with `since` <= recorded_at < `until`; gives the manifest.

    Raises SinkProblem when the folder is not empty or cannot be written, or when rows are not sealed yet.
    """
    _check(client, company, since, until)
    _prepare(folder)
    book = AuditBook(client)
    stretches = list(_stretches(client, book, company, since, until))
    events, chain, ledger = (Written(folder / f"{name}.jsonl") for name in ("events", "chain", "ledger_entries"))
    for file in (events, chain, ledger):
        file.add(b"")
    sealed = 0
    for stretch in stretches:
        for after, end in _windows(book, stretch):
            rows = _events(client, stretch.place, after, end, company, since, until)
            events.add(b"".join(_line(row) for row in rows))
            links = list(_links(client, stretch.place, after, end))
            chain.add(b"".join(_line(row) for row in links))
            period = (_instant(since), _instant(until))
            sealed += sum(row["company"] == company and period[0] <= row["recorded_at"] < period[1] for row in links)
    _ledger(client, ledger, company, since, until)
    manifest = {
        "format": 1,
        "company": company,
        "from": _instant(since),
        "to": _instant(until),
        "files": {file.path.name: file.said() for file in (events, chain, ledger)},
        "chains": [
            {
                "topic": stretch.place.topic,
                "partition": stretch.place.partition,
                "after_offset": stretch.after,
                "first_hash": stretch.first_hash.hex(),
                "last_offset": stretch.last,
                "last_hash": stretch.last_hash.hex(),
            }
            for stretch in stretches
        ],
        "deleted_events": sealed - events.lines,
        "deletions": _deletions(client, company),
        "public_key": public_key(key),
    }
    text = json.dumps(manifest, indent=2, ensure_ascii=False).encode() + b"\n"
    (folder / "manifest.json").write_bytes(text)
    (folder / "manifest.sig").write_text(key.sign(text).hex() + "\n", encoding="ascii")
    (folder / "verify.py").write_bytes(Path(verify_export.__file__).read_bytes())
    return manifest


def _check(client: Client, company: str, since: datetime, until: datetime) -> None:
    missing = client.query(
        "SELECT count() FROM events WHERE company = {company:String} AND recorded_at >= {since:DateTime64(6, 'UTC')} "
        "AND recorded_at < {until:DateTime64(6, 'UTC')} "
        "AND (_topic, _partition, _offset) NOT IN (SELECT topic, partition, offset FROM event_chain)",
        parameters={"company": company, "since": since, "until": until},
    ).result_rows[0][0]
    if missing:
        raise SinkProblem(f"{missing} events of the period are not sealed yet", "Run `arrears audit seal` first")


def _prepare(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        is_empty = not any(folder.iterdir())
    except OSError as error:
        raise SinkProblem(f"{folder} cannot be written: {error.strerror}", "Name another folder") from error
    if not is_empty:
        raise SinkProblem(f"{folder} is not empty", "Name a new folder; an export overwrites nothing")


def _stretches(client: Client, book: AuditBook, company: str, since: datetime, until: datetime) -> Iterator[Stretch]:
    rows = client.query(
        "SELECT toString(topic), partition, min(offset), max(offset) FROM event_chain "
        "WHERE company = {company:String} AND recorded_at >= {since:DateTime64(6, 'UTC')} "
        "AND recorded_at < {until:DateTime64(6, 'UTC')} GROUP BY topic, partition ORDER BY topic, partition",
        parameters={"company": company, "since": since, "until": until},
    ).result_rows
    for topic, partition, first, last in rows:
        place = Place(str(topic), int(partition))
        before, behind = book.anchor_below(place, int(first)), book.anchor_from(place, int(last))
        stop = behind.offset if behind is not None else int(last)
        yield Stretch(
            place,
            before.offset if before is not None else -1,
            before.chain if before is not None else genesis(place),
            stop,
            book.hashes_at(place, [stop])[stop][0],
        )


def _windows(book: AuditBook, stretch: Stretch) -> Iterator[tuple[int, int]]:
    after = stretch.after
    while after < stretch.last:
        end = book.window_end(stretch.place, after, stretch.last, ROWS_AT_ONCE)
        yield after, end
        after = end


_BETWEEN = (
    "topic = {topic:String} AND partition = {partition:UInt16} "
    "AND toInt64(offset) > {after:Int64} AND toInt64(offset) <= {to:Int64}"
)
_EVENTS = f"""
SELECT event._offset AS _offset, event._appended_at AS _appended_at, event.company AS company,
    event.event_type AS event_type, event.occurred_at AS occurred_at, event.recorded_at AS recorded_at,
    if(isNull(amount), NULL, toDecimalString(assumeNotNull(amount), 4)) AS amount, event.payload AS payload,
    event.actor_id AS actor_id, {", ".join(f"toString(event.{name}) AS {name}" for name in PUBLIC_TEXTS)},
    hex(link.salt) AS salt, hex(erased.personal_hash) AS personal_hash
FROM
(
    SELECT * FROM events
    WHERE _topic = {{topic:String}} AND _partition = {{partition:UInt16}} AND company = {{company:String}}
        AND toInt64(_offset) > {{after:Int64}} AND toInt64(_offset) <= {{to:Int64}}
        AND recorded_at >= {{since:DateTime64(6, 'UTC')}} AND recorded_at < {{until:DateTime64(6, 'UTC')}}
) AS event
INNER JOIN (SELECT offset, salt FROM event_chain WHERE {_BETWEEN}) AS link ON link.offset = event._offset
LEFT JOIN
(
    SELECT offset, any(personal_hash) AS personal_hash FROM erased_rows WHERE {_BETWEEN} GROUP BY offset
) AS erased ON erased.offset = event._offset
ORDER BY event._offset
"""


def _events(
    client: Client, place: Place, after: int, to: int, company: str, since: datetime, until: datetime
) -> Iterator[dict[str, Any]]:
    found = client.query(
        _EVENTS,
        parameters={
            **place._asdict(),
            "after": after,
            "to": to,
            "company": company,
            "since": since,
            "until": until,
        },
    )
    for row in found.named_results():
        event = {"_topic": place.topic, "_partition": place.partition, **_written(row)}
        salt, personal_hash = event.pop("salt"), event.pop("personal_hash")
        proof = {"salt": salt, "personal_hash": ""} if salt else {"salt": "", "personal_hash": personal_hash}
        yield {**event, "_proof": proof}


def _links(client: Client, place: Place, after: int, to: int) -> Iterator[dict[str, Any]]:
    found = client.query(
        "SELECT toString(topic) AS topic, partition, offset, toString(company) AS company, "
        "toString(event_type) AS event_type, recorded_at, appended_at AS _appended_at, "
        f"hex(content_hash) AS content_hash FROM event_chain WHERE {_BETWEEN} ORDER BY offset",
        parameters={**place._asdict(), "after": after, "to": to},
    )
    return (_written(row) for row in found.named_results())


def _ledger(client: Client, file: Written, company: str, since: datetime, until: datetime) -> None:
    stream: Any = client.raw_stream(
        "SELECT * FROM ledger_entries WHERE company = {company:String} AND recorded_at >= {since:DateTime64(6, 'UTC')} "
        "AND recorded_at < {until:DateTime64(6, 'UTC')} ORDER BY recorded_at, account_id, event_id, entry_number",
        parameters={"company": company, "since": since, "until": until},
        fmt="JSONEachRow",
        settings={"output_format_json_quote_decimals": 1, "date_time_output_format": "iso"},
    )
    while data := stream.read(_BLOCK):
        file.add(data)


def _deletions(client: Client, company: str) -> list[dict[str, Any]]:
    """What was deleted or erased of the company on purpose, so that gaps are explained."""
    found = client.query(
        "SELECT * FROM (SELECT run_id AS id, toString(rule) AS rule, toString(table) AS table, "
        "toNullable(cutoff) AS cutoff, rows, applied_at AS at FROM retention_runs WHERE company = {company:String} "
        "UNION ALL SELECT erasure_id, concat('erasure of ', subject), 'events', NULL, erased_rows, changed_at "
        "FROM erasures FINAL WHERE company = {company:String}) ORDER BY at",
        parameters={"company": company},
    )
    return [_written(row) for row in found.named_results()]


def _written(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _instant(value) if isinstance(value, datetime) else value for name, value in row.items()}


def _instant(moment: datetime) -> str:
    plain = moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo is not None else moment
    return plain.isoformat(timespec="microseconds") + "Z"


def _line(row: Mapping[str, Any]) -> bytes:
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
