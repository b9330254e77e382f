"""Without a broker nothing is acknowledged: everybody is told so in time, and nothing stays under way."""

import asyncio
from pathlib import Path

import pytest

from sources.http.acknowledge import Acknowledged, OutgoingRecord
from sources.http.options import ApiOptions
from sources.http.problems import HttpProblem

NOBODY = {"bootstrap.servers": "127.0.0.1:1"}
RECORD = OutgoingRecord("ar.events", b"FR01|C1", b"value", [("event_type", "InvoiceIssued")])


async def refused(acknowledged: Acknowledged, records: int) -> HttpProblem:
    with pytest.raises(HttpProblem) as problem:
        await acknowledged.deliver([RECORD] * records)
    return problem.value


def test_what_nobody_acknowledges_is_told_and_forgotten(tmp_path: Path) -> None:
    async def run() -> None:
        options = ApiOptions(keys_file=tmp_path / "none", acknowledge_seconds_max=0.5, in_flight_records_max=600)
        acknowledged = Acknowledged(NOBODY, options=options)
        acknowledged.start()
        with pytest.raises(HttpProblem) as problem:
            acknowledged.admit()
        assert (problem.value.status, problem.value.headers["retry-after"]) == (503, "2")
        # Twice the records that may be under way is what the client's queue holds; the last request finds it full.
        told = await asyncio.gather(*(refused(acknowledged, records) for records in (1, 700, 700)))
        assert [one.status for one in told] == [503] * 3
        assert "Queue full" in told[2].detail
        assert acknowledged.under_way == 0
        assert not acknowledged.is_reachable
        await acknowledged.close()

    asyncio.run(run())


def test_nothing_to_send_needs_no_broker(tmp_path: Path) -> None:
    acknowledged = Acknowledged(NOBODY, options=ApiOptions(keys_file=tmp_path / "none"))
    asyncio.run(acknowledged.deliver([]))
    assert acknowledged.under_way == 0
