"""The password of the local ClickHouse, when one is configured."""

import base64
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.local import ClickHouseServer

pytestmark = pytest.mark.clickhouse


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseServer]:
    folder, login = tmp_path_factory.mktemp("guarded"), {"user": "books", "password": "s3cret"}
    with ClickHouseServer(folder, port=0, **login) as server:
        yield server


def _ask(url: str, headers: dict[str, str]) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, b"SELECT 1", headers)) as answer:  # noqa: S310
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers["X-ClickHouse-Exception-Code"]


def _basic(login: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(login.encode()).decode()}"}


@pytest.mark.parametrize(
    ("suffix", "headers"),
    [
        ("/?user=books&password=s3cret", {}),
        ("/", {"X-ClickHouse-User": "books", "X-ClickHouse-Key": "s3cret"}),
        ("/", _basic("books:s3cret")),
    ],
)
def test_the_right_password_is_accepted_wherever_it_stands(
    guarded: ClickHouseServer, suffix: str, headers: dict[str, str]
) -> None:
    assert _ask(guarded.url + suffix, headers) == (200, "1\n")


@pytest.mark.parametrize(
    ("suffix", "headers"),
    [
        ("/", {}),
        ("/?user=books&password=wrong", {}),
        ("/", {"X-ClickHouse-User": "other", "X-ClickHouse-Key": "s3cret"}),
        ("/", _basic("books:")),
        ("/", {"Authorization": "Basic ???"}),
    ],
)
def test_anything_else_is_refused_with_authentication_failed(
    guarded: ClickHouseServer, suffix: str, headers: dict[str, str]
) -> None:
    assert _ask(guarded.url + suffix, headers) == (403, "516")


def test_the_password_stands_in_no_list_of_processes(guarded: ClickHouseServer) -> None:
    assert b"s3cret" not in Path(f"/proc/{guarded.pid}/cmdline").read_bytes()
