"""A merge that a full disk has spoilt costs no rows: what was merged is still there when ClickHouse starts again."""

import time
from pathlib import Path

import pytest

from pipeline.local import ClickHouseServer
from sinks.migrations import Engines

pytestmark = pytest.mark.clickhouse

# So often parts without a use are looked for here, instead of twice a minute.
CLEANING = {"cleanup_delay_period": 1, "max_cleanup_delay_period": 1, "cleanup_delay_period_random_add": 0}
CLEANING_SECONDS = 6


def test_rows_of_a_merged_part_that_is_broken_come_from_the_parts_before_it(tmp_path: Path) -> None:
    settings = ", ".join(f"{name} = {value}" for name, value in {**Engines().settings, **CLEANING}.items())
    with ClickHouseServer(tmp_path, port=0) as server:
        client = server.client()
        client.command(f"CREATE TABLE rows (number UInt64) ENGINE = MergeTree ORDER BY number SETTINGS {settings}")
        for number in range(3):
            client.command(f"INSERT INTO rows VALUES ({number})")
        client.command("OPTIMIZE TABLE rows FINAL")
        time.sleep(CLEANING_SECONDS)
        ((merged,),) = client.query("SELECT path FROM system.parts WHERE active AND table = 'rows'").result_rows
        server.stop()
        files = [file for file in Path(merged).iterdir() if file.is_file()]
        assert files
        for file in files:
            file.write_bytes(b"")
        server.start()
        assert server.client().query("SELECT number FROM rows ORDER BY number").result_rows == [(0,), (1,), (2,)]
