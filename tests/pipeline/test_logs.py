"""Log lines for people and for machines."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from pipeline.logs import configure_logging


@pytest.fixture
def output() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield io.StringIO()
    root.handlers, root.level = before, level


def test_machines_get_one_object_a_line_with_the_facts_as_keys(output: io.StringIO) -> None:
    configure_logging("json", "info", output)
    logging.getLogger("pipeline.commit").info("committed %d", 3, extra={"partition": 7, "seconds": 0.25})
    line = json.loads(output.getvalue())
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "message": "committed 3",
        "level": "info",
        "logger": "pipeline.commit",
        "partition": 7,
        "seconds": 0.25,
    }


def test_an_exception_is_a_key_of_the_line(output: io.StringIO) -> None:
    configure_logging("json", "info", output)
    try:
        _ = 1 // 0
    except ZeroDivisionError:
        logging.getLogger("sinks.writer").exception("failed")
    assert len(output.getvalue().splitlines()) == 1
    assert "ZeroDivisionError" in json.loads(output.getvalue())["exception"]


def test_people_get_the_message_first_and_short_names(output: io.StringIO) -> None:
    configure_logging("console", "info", output)
    logging.getLogger("pipeline.commit").warning("late", extra={"partition": 7})
    assert output.getvalue().rstrip().endswith("[warning  ] late [commit] partition=7")


def test_what_is_below_the_level_is_not_written_and_libraries_only_warn(output: io.StringIO) -> None:
    configure_logging("json", "info", output)
    logging.getLogger("pipeline.commit").debug("not of interest")
    logging.getLogger("faust.worker").info("not of interest")
    logging.getLogger("faust.worker").warning("of interest")
    logging.getLogger("urllib3").warning("not of interest")
    assert [json.loads(line)["message"] for line in output.getvalue().splitlines()] == ["of interest"]


def test_configuring_again_does_not_double_the_lines(output: io.StringIO) -> None:
    configure_logging("json", "info", output)
    configure_logging("json", "info", output)
    logging.getLogger("pipeline").info("once")
    assert len(output.getvalue().splitlines()) == 1
