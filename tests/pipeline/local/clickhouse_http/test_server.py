"""The local ClickHouse as its clients see it: clickhouse-connect, and whatever speaks plain HTTP, such as curl."""

import gzip
import http.client
import io
import json
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode, urlsplit

import fastavro
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from pipeline.local import ClickHouseServer
from pipeline.local.clickhouse_http.native_frames import NativeCompressor, NativeDecompressor

pytestmark = pytest.mark.clickhouse


@dataclass(frozen=True)
class Answer:
    """One HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Http:
    """A client with no idea of ClickHouse."""

    def __init__(self, url: str) -> None:
        self.host = urlsplit(url).netloc

    def send(
        self, body: bytes | str = b"", method: str = "POST", headers: Mapping[str, str] | None = None, **parameters: str
    ) -> Answer:
        connection = http.client.HTTPConnection(self.host, timeout=30)
        try:
            connection.request(method, f"/?{urlencode(parameters)}", body, dict(headers or {}))
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.headers), answer.read())
        finally:
            connection.close()


@pytest.fixture
def plain(clickhouse: ClickHouseServer) -> Http:
    return Http(clickhouse.url)


@pytest.fixture
def client(clickhouse: ClickHouseServer) -> Iterator[Client]:
    with clickhouse.client() as client:
        yield client


@pytest.fixture
def table(client: Client, topic_prefix: str) -> Iterator[str]:
    name = topic_prefix.replace(".", "_entries")
    client.command(
        f"CREATE TABLE {name} (id UInt64, name String) ENGINE = MergeTree ORDER BY id"
        " SETTINGS non_replicated_deduplication_window = 100"
    )
    yield name
    client.command(f"DROP TABLE {name}")


def test_ping_and_the_bare_address_say_ok(plain: Http) -> None:
    connection = http.client.HTTPConnection(plain.host)
    for path in ("/ping", "/replicas_status", "/"):
        connection.request("GET", path)
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b"Ok.\n")
    connection.request("GET", "/nowhere")
    assert connection.getresponse().status == 404
    connection.close()


def test_a_query_may_stand_in_the_address_or_in_the_body(plain: Http) -> None:
    assert plain.send(method="GET", query="SELECT 1").body == b"1\n"
    assert plain.send("SELECT 2").body == b"2\n"
    assert plain.send("+ 3", query="SELECT 2").body == b"5\n"


def test_the_answer_tells_format_query_id_time_zone_and_counts(plain: Http) -> None:
    answer = plain.send("SELECT number FROM numbers(5) FORMAT JSONEachRow", query_id="mine")
    assert answer.headers["X-ClickHouse-Format"] == "JSONEachRow"
    assert answer.headers["X-ClickHouse-Query-Id"] == "mine"
    assert answer.headers["X-ClickHouse-Timezone"]
    summary = json.loads(answer.headers["X-ClickHouse-Summary"])
    assert (summary["read_rows"], summary["result_rows"]) == ("5", "5")


@pytest.mark.parametrize(
    "form", [{"default_format": "CSV"}, {"headers": {"X-ClickHouse-Format": "CSV"}}, {"body": "SELECT 'a' FORMAT CSV"}]
)
def test_the_format_may_be_chosen_in_three_ways(plain: Http, form: dict[str, str]) -> None:
    assert plain.send(**{"body": "SELECT 'a'", **form}).body == b'"a"\n'  # type: ignore[arg-type]


def test_parameters_are_typed_and_bound_by_the_engine(client: Client) -> None:
    rows = client.query(
        "SELECT {day:Date} + 1, {name:String}, {ids:Array(UInt8)}",
        parameters={"day": date(2026, 3, 31), "name": "l'été \\ 'x'", "ids": [1, 2]},
    ).result_rows
    assert rows == [(date(2026, 4, 1), "l'été \\ 'x'", [1, 2])]


def test_settings_hold_for_one_request_only(plain: Http) -> None:
    question = "SELECT value FROM system.settings WHERE name = 'max_block_size'"
    default = plain.send(question).body
    assert plain.send(question, max_block_size="1234").body == b"1234\n"
    assert plain.send(question).body == default


def test_a_session_keeps_what_was_set_in_it(plain: Http, topic_prefix: str) -> None:
    name = f"{topic_prefix}session"
    plain.send("CREATE TEMPORARY TABLE mine (a UInt8)", session_id=name)
    plain.send("INSERT INTO mine VALUES (7)", session_id=name)
    assert plain.send("SELECT a FROM mine", session_id=name).body == b"7\n"
    assert plain.send("SELECT a FROM mine").status == 404
    assert (
        plain.send("SELECT 1", session_id=f"{name}2", session_check="1").headers["X-ClickHouse-Exception-Code"] == "372"
    )


def test_a_session_takes_one_query_at_a_time(plain: Http, topic_prefix: str) -> None:
    name = f"{topic_prefix}busy"
    slow = threading.Thread(target=plain.send, args=("SELECT sleep(1)",), kwargs={"session_id": name})
    slow.start()
    time.sleep(0.3)
    assert plain.send("SELECT 1", session_id=name).headers["X-ClickHouse-Exception-Code"] == "373"
    slow.join()
    assert plain.send("SELECT 1", session_id=name).body == b"1\n"


def test_the_database_of_the_request_is_the_current_one(client: Client, plain: Http, topic_prefix: str) -> None:
    name = topic_prefix.replace(".", "_books")
    client.command(f"CREATE DATABASE {name}")
    assert plain.send("SELECT currentDatabase()", database=name).body.decode().strip() == name
    assert plain.send("SELECT currentDatabase()").body == b"default\n"
    client.command(f"DROP DATABASE {name}")


@pytest.mark.parametrize(
    ("statement", "parameters", "status", "code"),
    [
        ("SELECT * FROM no_such_table", {}, 404, "60"),
        ("SELEC 1", {}, 400, "62"),
        ("SELECT 1; SELECT 2", {}, 400, "62"),
        ("SELECT 1", {"database": "no_such_database"}, 404, "81"),
        ("SELECT 1", {"no_such_setting": "1"}, 404, "115"),
        ("SELECT 1", {"no-such-setting": "1"}, 404, "115"),
        ("SELECT sum(sipHash64(number)) FROM numbers(9000000000)", {"max_execution_time": "0.3"}, 408, "159"),
        ("INSERT INTO no_such_table FORMAT CSV\n1", {}, 404, "60"),
        ("SELECT 1 INTO OUTFILE 'x'", {}, 404, "78"),
    ],
)
def test_errors_carry_clickhouse_code_and_status(
    plain: Http, statement: str, parameters: dict[str, str], status: int, code: str
) -> None:
    answer = plain.send(statement, method="POST", headers=None, **parameters)
    assert (answer.status, answer.headers["X-ClickHouse-Exception-Code"]) == (status, code)
    assert answer.body.startswith(f"Code: {code}. DB::Exception: ".encode())
    assert answer.body.endswith(b"(official build))\n")


def test_a_get_request_cannot_change_anything(plain: Http, table: str) -> None:
    answer = plain.send(method="GET", query=f"DROP TABLE {table}")
    assert answer.headers["X-ClickHouse-Exception-Code"] == "164"
    assert plain.send(f"EXISTS {table}").body == b"1\n"


def test_a_page_of_another_host_cannot_use_the_server(plain: Http) -> None:
    assert plain.send("SELECT 1", headers={"Origin": "http://elsewhere.example"}).status == 403
    assert plain.send("SELECT 1", headers={"Origin": f"http://{plain.host}"}).status == 200


@pytest.mark.parametrize("compression", [True, False, "lz4", "zstd", "gzip"])
def test_rows_go_in_and_come_out_by_any_compression(
    clickhouse: ClickHouseServer, table: str, compression: bool | str
) -> None:
    from clickhouse_connect import get_client  # noqa: PLC0415

    address = urlsplit(clickhouse.url)
    client = get_client(host=address.hostname, port=address.port, compress=compression)
    rows = [[number, f"row {number}"] for number in range(50_000)]
    assert client.insert(table, rows, column_names=["id", "name"]).summary["written_rows"] == "50000"
    assert client.query(f"SELECT * FROM {table} ORDER BY id").result_rows == [tuple(row) for row in rows]


def test_the_same_token_inserts_once(client: Client, table: str) -> None:
    token = {"insert_deduplication_token": "ledger:0:1-2"}
    for _ in range(3):
        client.insert(table, [[1, "a"], [2, "b"]], column_names=["id", "name"], settings=token)
    client.insert(
        table, [[1, "a"], [2, "b"]], column_names=["id", "name"], settings={"insert_deduplication_token": "x"}
    )
    assert client.command(f"SELECT count() FROM {table}") == 4


def test_values_may_use_parameters(plain: Http, table: str) -> None:
    plain.send(f"INSERT INTO {table} VALUES ({{id:UInt64}}, {{name:String}})", param_id="9", param_name="it's")
    assert plain.send(f"SELECT * FROM {table}").body == b"9\tit\\'s\n"


def test_data_may_follow_the_statement_or_come_alone(plain: Http, table: str) -> None:
    plain.send(f"INSERT INTO {table} FORMAT TabSeparated\n1\ta\n")
    plain.send("2\tb\n", query=f"INSERT INTO {table} FORMAT TabSeparated")
    plain.send("VALUES (3, 'c')", query=f"INSERT INTO {table}")
    plain.send(f'INSERT INTO {table} SETTINGS max_insert_block_size = 10 FORMAT JSONEachRow {{"id": 4, "name": "d"}}')
    packed = gzip.compress(b"5\te\n")
    plain.send(packed, query=f"INSERT INTO {table} FORMAT TSV", headers={"Content-Encoding": "gzip"})
    plain.send(NativeCompressor().compress(b"6\tf\n"), query=f"INSERT INTO {table} FORMAT TSV", decompress="1")
    assert plain.send(f"SELECT groupArray(name) FROM (SELECT * FROM {table} ORDER BY id)").body == (
        b"['a','b','c','d','e','f']\n"
    )


def test_avro_containers_go_in_as_they_are(client: Client, table: str) -> None:
    fields = [{"name": "id", "type": "long"}, {"name": "name", "type": "string"}]
    schema = fastavro.parse_schema({"type": "record", "name": "Row", "fields": fields})
    container = io.BytesIO()
    fastavro.writer(container, schema, [{"id": number, "name": str(number)} for number in range(1000)])
    client.raw_insert(table, insert_block=container.getvalue(), fmt="Avro")
    assert client.query(f"SELECT count(), sum(id), uniq(name) FROM {table}").result_rows == [(1000, 499500, 1000)]


def test_a_large_insert_goes_through_a_file_that_is_gone_afterwards(
    clickhouse: ClickHouseServer, plain: Http, table: str
) -> None:
    rows = b"".join(b"%d\tsomewhat longer name\n" % number for number in range(400_000))
    answer = plain.send(rows, query=f"INSERT INTO {table} FORMAT TSV")
    assert json.loads(answer.headers["X-ClickHouse-Summary"])["written_rows"] == "400000"
    assert plain.send(f"SELECT count() FROM {table}").body == b"400000\n"
    assert list(clickhouse.folder.glob("uploads/*")) == []


def test_an_insert_that_cannot_be_read_changes_nothing_and_leaves_no_file(
    clickhouse: ClickHouseServer, plain: Http, table: str
) -> None:
    answer = plain.send('{"id": "one"}', query=f"INSERT INTO {table} FORMAT JSONEachRow")
    assert answer.status in {400, 500}
    assert str(clickhouse.folder) not in answer.body.decode()
    assert (
        plain.send("garbage", query=f"INSERT INTO {table} FORMAT TSV", headers={"Content-Encoding": "gzip"}).status
        == 500
    )
    assert plain.send(f"SELECT count() FROM {table}").body == b"0\n"
    assert list(clickhouse.folder.glob("uploads/*")) == []


def test_a_large_answer_is_streamed_whole(client: Client) -> None:
    total = 0
    with client.query_column_block_stream("SELECT number, toString(number) FROM numbers(2000000)") as blocks:
        for numbers, _ in blocks:
            total += len(numbers)
    assert total == 2_000_000


def test_an_answer_that_fails_late_is_not_taken_for_whole(plain: Http) -> None:
    late = "SELECT throwIf(number = 3000000) FROM numbers(10000000)"
    with pytest.raises(http.client.IncompleteRead):
        plain.send(late)
    answer = plain.send(late, wait_end_of_query="1")
    assert (answer.status, answer.headers["X-ClickHouse-Exception-Code"]) == (500, "395")


def test_formats_with_head_and_foot_are_whole(plain: Http) -> None:
    body = json.loads(plain.send("SELECT number FROM numbers(300000)", default_format="JSONCompact").body)
    assert body["rows"] == len(body["data"]) == 300_000
    lines = plain.send("SELECT number AS n FROM numbers(300000)", default_format="CSVWithNames").body.splitlines()
    assert (lines[0], len(lines)) == (b'"n"', 300_001)


def test_jdbc_clients_get_compressed_blocks(plain: Http) -> None:
    answer = plain.send("SELECT number FROM numbers(100000)", compress="1")
    assert NativeDecompressor().decompress(answer.body).splitlines()[-1] == b"99999"


def test_a_client_that_goes_away_ends_its_query(plain: Http, client: Client) -> None:
    connection = http.client.HTTPConnection(plain.host, timeout=0.5)
    slow = "SELECT sum(sipHash64(number)) FROM numbers(90000000000)"
    connection.request("POST", "/?cancel_http_readonly_queries_on_client_close=1", slow)
    with pytest.raises(TimeoutError):
        connection.getresponse()
    connection.close()
    running = "SELECT count() FROM system.processes WHERE startsWith(query, 'SELECT sum(sip')"
    deadline = time.monotonic() + 10
    while client.command(running) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert client.command(running) == 0


def test_a_slow_query_does_not_hold_up_an_insert(plain: Http, client: Client, table: str) -> None:
    slow = threading.Thread(
        target=plain.send,
        args=("SELECT sum(sipHash64(number)) FROM numbers(90000000000)",),
        kwargs={"max_execution_time": "3"},
    )
    slow.start()
    time.sleep(0.3)
    started = time.monotonic()
    for number in range(5):
        plain.send(f"{number}\tx\n", query=f"INSERT INTO {table} FORMAT TSV")
    elapsed = time.monotonic() - started
    assert slow.is_alive()
    assert elapsed < 1.5
    slow.join()


def test_the_client_learns_of_an_error_by_its_code(client: Client) -> None:
    with pytest.raises(DatabaseError) as raised:
        client.query("SELECT * FROM no_such_table")
    assert raised.value.code == 60
