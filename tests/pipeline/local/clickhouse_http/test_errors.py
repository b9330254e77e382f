"""Errors of the engine: its code, its message without wrapping, and ClickHouse's HTTP status for it."""

import pytest

from pipeline.local.clickhouse_http.errors import EngineError, engine_error


def test_code_and_message_are_taken_from_the_text() -> None:
    error = engine_error(RuntimeError("Code: 60. DB::Exception: Unknown table 'nope'. (UNKNOWN_TABLE)"))
    assert (error.code, error.message) == (60, "Unknown table 'nope'. (UNKNOWN_TABLE)")
    assert error.text("26.9") == (
        "Code: 60. DB::Exception: Unknown table 'nope'. (UNKNOWN_TABLE) (version 26.9 (official build))\n"
    )


def test_the_wrapping_and_our_own_file_are_left_out() -> None:
    text = (
        "Code: 27. DB::Exception: Code: 27. DB::Exception: Cannot parse input: (at row 1)\n"
        ": (in file/uri /data/uploads/insert-1): While executing ParallelParsingBlockInputFormat: "
        "While executing File: data for INSERT was parsed from file. (CANNOT_PARSE) (version 26.9). (CANNOT_PARSE)"
    )
    assert engine_error(RuntimeError(text)).message == (
        "Cannot parse input: (at row 1): While executing ParallelParsingBlockInputFormat. (CANNOT_PARSE)"
    )


def test_what_is_no_error_of_the_engine_is_a_standard_exception() -> None:
    assert engine_error(RuntimeError("boom")).code == 1001


@pytest.mark.parametrize(
    ("code", "status"), [(60, 404), (62, 400), (81, 404), (115, 404), (159, 408), (194, 401), (241, 500), (516, 403)]
)
def test_the_status_is_the_one_that_clickhouse_gives(code: int, status: int) -> None:
    assert EngineError(code, "").status == status
