#!/usr/bin/env python3
"""Checks an audit export: python3 verify.py [--public-key HEX] [FOLDER]. Needs Python 3.9 and nothing else.

1. The manifest is signed (Ed25519, RFC 8032) by the key that it names, and that is the key you were given.
2. Every file has the SHA-256 and the number of lines that the manifest says, and no file is missing or too many.
3. Every event, written down and hashed, is the content that stands in the chain at its offset.
4. The chain leads from the hash at its beginning to the hash at its end, row by row. Compare both with the anchors in
   topic ar.audit, or with an older export: then nothing in between was changed, removed, inserted or moved.
5. Every row of the chain that belongs to the company and the period is among the events, unless the manifest counts it
   as deleted: nothing was left out.

Prints what is wrong, one line each; exit code 0 only when nothing is.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

KEYS = "assigned_to|collector_id|ip|name|new|note|old|payer_account|payer_name|payer_reference"
PERSONAL = re.compile(rf'"({KEYS})":"(?:[^"\\]|\\.)*"')
TEXTS = (
    "event_id",
    "account_id",
    "category",
    "region",
    "invoice_id",
    "payment_id",
    "credit_memo_id",
    "application_id",
    "promise_id",
    "dispute_id",
    "exception_id",
    "adjustment_id",
    "write_off_id",
    "remittance_id",
    "activity_id",
    "notice_id",
    "subject_type",
    "subject_id",
    "currency",
    "source",
    "actor_role",
    "correlation_id",
)
EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")

Point = tuple[int, int, int, int]
Row = dict[str, Any]
Key = tuple[str, int, int]

# Ed25519: only the check of a signature, after the sample code of RFC 8032, section 6.
P = 2**255 - 19
Q = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)


def add(one: Point, other: Point) -> Point:
    a = (one[1] - one[0]) * (other[1] - other[0]) % P
    b = (one[1] + one[0]) * (other[1] + other[0]) % P
    c, d = 2 * one[3] * other[3] * D % P, 2 * one[2] * other[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def multiply(factor: int, point: Point) -> Point:
    total: Point = (0, 1, 1, 0)
    while factor > 0:
        if factor & 1:
            total = add(total, point)
        point = add(point, point)
        factor >>= 1
    return total


def same(one: Point, other: Point) -> bool:
    return (one[0] * other[2] - other[0] * one[2]) % P == 0 and (one[1] * other[2] - other[1] * one[2]) % P == 0


def point_of(data: bytes) -> Point | None:
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE = point_of(BASE_Y.to_bytes(32, "little"))


def is_signed(key: bytes, message: bytes, signature: bytes) -> bool:
    if len(key) != 32 or len(signature) != 64:
        return False
    a, r = point_of(key), point_of(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if a is None or r is None or BASE is None or s >= Q:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % Q
    return same(multiply(s, BASE), add(r, multiply(h, a)))


def sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def net(text: str) -> bytes:
    data = text.encode("utf-8")
    return b"%d:%b," % (len(data), data)


def ticks(text: str, unit: int) -> str:
    moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z")
    return str((moment - EPOCH) // timedelta(microseconds=1) // unit)


def labels_of(row: Row) -> bytes:
    return (
        net(row["company"])
        + net(row["event_type"])
        + net(ticks(row["recorded_at"], 1))
        + net(ticks(row["_appended_at"], 1000))
    )


def content_of(row: Row) -> bytes:
    public = b"".join(net(row[name]) for name in TEXTS) + net(ticks(row["occurred_at"], 1))
    public += b"-," if row["amount"] is None else net(row["amount"])
    public += net(PERSONAL.sub(r'"\1":""', row["payload"]))
    personal = net(row["actor_id"]) + net(row["payload"])
    proof = row["_proof"]
    personal_hash = (
        bytes.fromhex(proof["personal_hash"]) if proof["salt"] == "" else sha(bytes.fromhex(proof["salt"]) + personal)
    )
    return sha(sha(public) + personal_hash)


def lines(file: Path) -> Iterator[Row]:
    with file.open(encoding="utf-8") as opened:
        for line in opened:
            yield json.loads(line)


def file_problems(folder: Path, manifest: Row) -> Iterator[str]:
    there = {path.name for path in folder.iterdir()} - {"manifest.json", "manifest.sig", "verify.py"}
    for name in sorted(there ^ set(manifest["files"])):
        yield f"{name}: {'is not in the manifest' if name in there else 'is missing'}"
    for name, said in sorted(manifest["files"].items()):
        if name not in there:
            continue
        digest, count = hashlib.sha256(), 0
        with (folder / name).open("rb") as opened:
            for line in opened:
                digest.update(line)
                count += 1
        if (digest.hexdigest(), count) != (said["sha256"], said["lines"]):
            yield f"{name}: is not the file that was signed"


def chain_problems(folder: Path, manifest: Row) -> Iterator[str]:
    """Events and chain are in the same order: by topic, partition and offset. Both are read once, side by side."""
    events = lines(folder / "events.jsonl")
    event = next(events, None)
    ends = {(part["topic"], part["partition"]): part for part in manifest["chains"]}
    place: tuple[str, int] | None = None
    previous, missing = b"", 0
    for row in lines(folder / "chain.jsonl"):
        if (row["topic"], row["partition"]) != place:
            if place is not None:
                yield from end_problems(place, previous, ends)
            place = (row["topic"], row["partition"])
            previous = bytes.fromhex(ends[place]["first_hash"])
        where = spoken((*place, row["offset"]))
        while event is not None and key_of(event) < (*place, row["offset"]):
            yield f"{spoken(key_of(event))}: event {event['event_id']} is not in the chain"
            event = next(events, None)
        labels, content = labels_of(row), bytes.fromhex(row["content_hash"])
        if event is not None and key_of(event) == (*place, row["offset"]):
            if (labels_of(event), content_of(event)) != (labels, content):
                yield f"{where}: event {event['event_id']} is not what was sealed"
            event = next(events, None)
        elif row["company"] == manifest["company"] and manifest["from"] <= row["recorded_at"] < manifest["to"]:
            missing += 1
        previous = sha(previous + row["offset"].to_bytes(8, "big") + labels + content)
    if place is not None:
        yield from end_problems(place, previous, ends)
    if event is not None:
        yield f"{spoken(key_of(event))}: event {event['event_id']} is not in the chain"
    if missing != manifest["deleted_events"]:
        yield f"{missing} events of the company are left out, {manifest['deleted_events']} were deleted"
    for left in ends:
        yield f"{left[0]} {left[1]}: its chain is missing"


def end_problems(place: tuple[str, int], found: bytes, ends: dict[tuple[str, int], Row]) -> Iterator[str]:
    if found.hex() != ends.pop(place)["last_hash"]:
        yield f"{place[0]} {place[1]}: the chain does not lead to the hash at its end"


def spoken(key: Key) -> str:
    return " ".join(map(str, key))


def key_of(event: Row) -> Key:
    return event["_topic"], event["_partition"], event["_offset"]


def problems(folder: Path, public_key: str | None) -> Iterator[str]:
    try:
        text = (folder / "manifest.json").read_bytes()
        signature = bytes.fromhex((folder / "manifest.sig").read_text("ascii").strip())
        manifest = json.loads(text)
    except (OSError, ValueError) as error:
        yield f"this is no audit export: {error}"
        return
    key = public_key or manifest["public_key"]
    if not is_signed(bytes.fromhex(key), text, signature):
        yield f"manifest.json: was not signed with the key {key}"
        return
    found = list(file_problems(folder, manifest))
    yield from found
    if not found:
        yield from chain_problems(folder, manifest)


def main() -> str | None:
    parser = argparse.ArgumentParser(description="Checks an audit export.")
    parser.add_argument(
        "folder", nargs="?", default=str(Path(__file__).resolve().parent), help="default: where this is"
    )
    parser.add_argument("--public-key", metavar="HEX", help="as you were given it, on another way than the export")
    given = parser.parse_args()
    count = 0
    for problem in problems(Path(given.folder), given.public_key):
        sys.stdout.write(f"{problem}\n")
        count += 1
    if count:
        return f"{count} problems"
    sys.stdout.write("signature, files, events and chains are right\n")
    if not given.public_key:
        sys.stdout.write("the key is the export's own: with --public-key you also know whose it is\n")
    return None


if __name__ == "__main__":
    sys.exit(main())
