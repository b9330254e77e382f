"""The same count and sum in stock Faust: a table with its changelog, one item after the other, at least once.

Run as a process: `python -m pipeline.cli.benchmarks.stock_faust BOOTSTRAP TOPIC PREFIX EVENTS RESULT`. The file RESULT
then has `EVENTS SECONDS CPU_SECONDS` from the first event to the last.
"""

import os
import sys
import time
from pathlib import Path

import faust

from avro import contracts
from pipeline.cli.benchmarks.counting import OUTPUT_EVERY


def main(bootstrap_servers: str, topic: str, prefix: str, wanted: int, result: Path) -> None:
    """Count until all events were seen."""
    app = faust.App(
        f"{prefix}stock-faust",
        broker=f"aiokafka://{bootstrap_servers}",
        store="memory://",
        web_enabled=False,
        topic_partitions=12,
        topic_disable_leader=True,
        consumer_auto_offset_reset="earliest",
    )
    events = app.topic(topic, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")
    results = app.topic(f"{prefix}ar.ledger", value_serializer="raw", value_type=bytes)
    totals = app.Table("totals", default=lambda: [0, 0], partitions=12)
    decode = contracts().decode
    seen = 0
    started = cpu_started = 0.0

    @app.agent(events)
    async def count(stream: "faust.StreamT[bytes]") -> None:
        nonlocal seen, started, cpu_started
        async for value in stream:
            if seen == 0:
                started, cpu_started = time.monotonic(), time.process_time()
            _, record = decode(value)
            account = str(record["account_id"])
            many, total = totals[account]
            totals[account] = [many + 1, total + int(str(record["amount_minor"]))]
            seen += 1
            if seen % OUTPUT_EVERY == 0:
                await results.send(key=account.encode(), value=value)
            if seen == wanted:
                seconds, cpu_seconds = time.monotonic() - started, time.process_time() - cpu_started
                result.write_text(f"{seen} {seconds} {cpu_seconds}", encoding="utf-8")
                os._exit(0)  # Faust would take its time, and nothing here is to be kept

    faust.Worker(app, loglevel="ERROR", quiet=True).execute_from_commandline()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), Path(sys.argv[5]))
