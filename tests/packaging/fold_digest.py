"""The bytes that the jobs make of the log of `arrears bench`: one line that is the same wherever they are the same.

Run in a folder whose `jobs` are to be used: `python -m tests.packaging.fold_digest`.
"""

from hashlib import sha256

import jobs.fold
from avro import contracts
from jobs import EFFECT_TYPES, EVENT_TYPES, Fold
from pipeline.cli.benchmarks.history import history
from pipeline.codec import EventCodec
from pipeline.memory_log import MemoryRecord
from pipeline.outputs import Outputs
from topics import catalogue

INVOICES = 2_000
ACCOUNTS = 200
BATCH = 500


def main() -> None:
    """Fold, and print a digest of outputs and states, and what they were made by."""
    decode = EventCodec(contracts(), EVENT_TYPES).decode
    of_effect = Outputs(contracts(), catalogue(), EFFECT_TYPES).of_effect
    record = MemoryRecord("ar.events", 0, 0, b"", b"")
    digest, fold = sha256(), Fold()
    for number, (_, _, value) in enumerate(history(INVOICES, ACCOUNTS), start=1):
        for effect in fold.step(decode(value)).effects:
            output = of_effect(effect, record)
            digest.update(b"%s%b%b" % (output.topic.encode(), output.key or b"", output.value))
        if number % BATCH == 0:
            for key, state in fold.take_changes():
                digest.update(b"%s%b" % (key.encode(), state or b"gone"))
    print(digest.hexdigest(), jobs.fold.__file__)


if __name__ == "__main__":
    main()
