"""What each role sees, on the real engine, through tables, views and masked views."""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from subprocess import Popen

import pytest

from sinks.access import Wanted, make_wanted, read_access
from sinks.access.scope import ACCOUNTS_VIEW, views_of
from sinks.access.wanted import DEFINER, PREFIX, Grant
from sinks.migrations import MIGRATIONS, Engines
from sinks.migrations.ddl import literal
from sinks.rollups.openings import Bounds, statements
from tests.sinks.access.engine import DATABASE, FOUND, Place, ask, running, users_file

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.clickhouse

FILE = """
[roles.france]
kind = "analyst"
companies = ["FR01"]
[roles.group]
kind = "analyst"
companies = ["*"]
personal_fields = true
[roles.camille]
kind = "collector"
companies = ["FR01"]
collectors = ["camille"]
[roles.south]
kind = "collector"
companies = ["FR01", "US01"]
regions = ["SOUTH"]
[roles.pager]
kind = "alerting"
companies = ["US01"]
[roles.auditor]
kind = "auditor"
[roles.sink]
kind = "service"
[roles.platform]
kind = "platform"
"""
ACCOUNTS = (("FR01", "C1", "camille", "SOUTH"), ("FR01", "C2", "hugo", "NORTH"), ("US01", "C1", "camille", "SOUTH"))


@pytest.fixture(scope="module")
def wanted() -> Wanted:
    """The roles of this module."""
    return make_wanted(read_access(tomllib.loads(FILE), "test"), DATABASE, {})


def _rows(
    number: int, company: str, account: str, collector: str, region: str
) -> list[tuple[str, dict[str, str | int]]]:
    key: dict[str, str | int] = {"company": company, "account_id": account}
    item = key | {"currency": "EUR", "region": region}
    payload = {
        "method": "card",
        "payer_name": 'Jane "J" Doe',
        "note": "rang, ill",
        "value_date": "2026-01-02",
        "invoice_ids": [f"I{number}"],
        "right_party": True,
        "action": "view",
    }
    day: dict[str, str | int] = {"effective_date": "2026-01-01", "recorded_at": "2026-01-01 00:00:00"}
    entry: dict[str, str | int] = {
        "balance_class": "invoice",
        "item_type": "invoice",
        "item_id": f"I{number}",
        "delta_minor": 100,
    }
    event: dict[str, str | int] = {"event_type": "PaymentReceived", "event_id": f"e{number}", "actor_id": "zoe"}
    receipt: dict[str, str | int] = {
        "payment_id": f"R{number}",
        "currency": "EUR",
        "amount_minor": 500,
        "payer_reference": "from Jane Doe",
    }
    return [
        ("accounts_log", key | {"collector_id": collector, "name": f"name {number}", "_offset": number}),
        ("items_versions", item | {"document_type": "invoice", "document_id": f"I{number}", "amount_minor": 100}),
        ("ledger_entries_log", item | entry | day),
        ("alerts_log", key | {"alert_id": f"A{number}", "kind": "promise_broken"}),
        ("receipts_versions", key | receipt),
        ("events", key | event | {"payload": json.dumps(payload, separators=(",", ":"))}),
    ]


def _literal(value: str | int) -> str:
    return literal(value) if isinstance(value, str) else str(value)


@pytest.fixture(scope="module")
def engine() -> Iterator["Popen[str]"]:
    with running() as process:
        yield process


@pytest.fixture(scope="module")
def place(engine: "Popen[str]", wanted: Wanted, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A database with all tables, our views, and three accounts: two in France, one in America."""
    place = Place(engine, tmp_path_factory.mktemp("access"))
    texts = [
        f"CREATE DATABASE {DATABASE}",
        f"USE {DATABASE}",
        "CREATE TABLE schema_migrations (number UInt32) ENGINE Log",
    ]
    texts += [statement for migration in MIGRATIONS for statement in migration.forward(Engines())]
    texts += [statement for statement, _ in wanted.views.values()]
    for number, (company, account, collector, region) in enumerate(ACCOUNTS):
        texts += [
            f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join(map(_literal, values.values()))})"
            for table, values in _rows(number, company, account, collector, region)
        ]
    # An opening over all of them, so that balances are asked the way they are in a ledger of years.
    texts += statements(OPENING, Bounds(2026 * 12 + 2, 2026 * 12 + 2))
    answers = ask(place, users_file(wanted), texts)
    assert [pair for pair in zip(texts, answers, strict=True) if pair[1].startswith("!")] == []
    return place


def seen(place: Place, wanted: Wanted, roles: list[str], queries: list[str]) -> list[str]:
    """Answers with these roles; names of tables are those of the database."""
    return ask(place, users_file(wanted, roles), [f"USE {DATABASE}", *queries])[1:]


def lists(table: str, order: str = "company, account_id") -> str:
    return f"SELECT company, account_id FROM {table} ORDER BY {order}"


AGING = "aging_as_of(as_of = '2026-02-01', known_as_of = '2299-12-31 23:59:59')"
OPENING = "0123456789abcdef"
F1, F2, U1 = "FR01\tC1\n", "FR01\tC2\n", "US01\tC1\n"


@pytest.mark.parametrize(
    ("roles", "rows"),
    [
        (["france"], F1 + F2),
        (["group"], F1 + F2 + U1),
        (["camille"], F1),
        (["south"], F1 + U1),
        (["camille", "south"], F1 + U1),
        (["france", "auditor"], F1 + F2 + U1),
        (["auditor"], F1 + F2 + U1),
        (["platform"], F1 + F2 + U1),
    ],
    ids=str,
)
def test_rows_through_tables_and_views(place: Place, wanted: Wanted, roles: list[str], rows: str) -> None:
    tables = ["ledger_entries_log", "items", "accounts", "alerts", AGING]
    if roles not in (["platform"], ["auditor"]):
        tables += ["events_masked", "receipts_masked"]
    *answers, count = seen(place, wanted, roles, [*map(lists, tables), "SELECT count() FROM items"])
    assert answers == [rows] * len(tables)
    assert count == f"{rows.count(chr(10))}\n"


@pytest.mark.parametrize("role", ["france", "south", "auditor"])
def test_an_opening_serves_whoever_sees_some_accounts_only(place: Place, wanted: Wanted, role: str) -> None:
    """Postings and counts are left out alike, so the opening holds for each of them."""
    (plan,) = seen(place, wanted, [role], [f"EXPLAIN indexes = 1 SELECT * FROM {AGING}"])
    assert OPENING in plan


def test_what_is_found_is_what_was_made(place: Place, wanted: Wanted) -> None:
    """Rights, limits and marks read back from the engine's own tables equal those that are wanted."""
    (found_text,) = ask(place, users_file(wanted), [FOUND])
    found = json.loads(found_text)
    assert set(found["roles"]) == wanted.roles
    assert DEFINER in found["users"]
    assert found["grants"].keys() == wanted.grants.keys()
    for name, grants in wanted.grants.items():
        assert {Grant(*grant) for grant in found["grants"][name]} == grants, name
    assert {name: found["marks"][name] for name in wanted.views} == {
        name: mark for name, (_, mark) in wanted.views.items()
    }
    for profile in wanted.profiles:
        settings, quota = found["profiles"][profile.name]
        assert {tuple(setting) for setting in settings} == profile.settings
        assert tuple(quota) == profile.quota


def test_conditions_read_back_are_those_that_were_made(place: Place, wanted: Wanted) -> None:
    name = f"{PREFIX}camille"
    texts = {policy.table: policy.condition for policy in wanted.policies if policy.role == name}
    administrator = users_file(wanted, ["camille"]).replace(
        "<grants>", "<grants><query>GRANT SHOW ACCESS ON *.*</query>", 1
    )
    sql = (
        "SELECT table, formatQuerySingleLine(concat('SELECT ', select_filter)) FROM system.row_policies "
        "WHERE has(apply_to_list, 'default') ORDER BY table"
    )
    rows = ask(
        place,
        administrator,
        [
            sql,
            *(
                f"SELECT {literal(table)}, formatQuerySingleLine({literal(f'SELECT {condition}')})"
                for table, condition in sorted(texts.items())
            ),
        ],
    )
    assert rows[0] == "".join(rows[1:])
    assert len(rows) > 10


def test_an_alerting_program_sees_alerts_of_its_company_only(place: Place, wanted: Wanted) -> None:
    alerts, ledger = seen(place, wanted, ["pager"], [lists("alerts"), lists("ledger_entries")])
    assert alerts == U1
    assert "ACCESS_DENIED" in ledger


def test_texts_about_persons_are_hidden(place: Place, wanted: Wanted) -> None:
    hidden = ["SELECT payload FROM events", "SELECT payer_reference FROM receipts", "SELECT * FROM receipts_versions"]
    for answer in seen(place, wanted, ["france"], hidden):
        assert "ACCESS_DENIED" in answer
    payloads, receipts, methods = seen(
        place,
        wanted,
        ["france"],
        [
            "SELECT payload FROM events_masked ORDER BY account_id",
            "SELECT * FROM receipts_masked",
            "SELECT company, event_type FROM events LIMIT 1",
        ],
    )
    rest = '"value_date":"2026-01-02","invoice_ids":["I%d"],"right_party":true,"action":"view"}\n'
    masked = '{"method":"card","payer_name":"***","note":"***",' + rest
    assert payloads == masked % 0 + masked % 1
    assert "Jane" not in receipts
    assert receipts.count("\n") == 2
    assert methods == "FR01\tPaymentReceived\n"
    shown, _ = seen(place, wanted, ["group"], ["SELECT payload FROM events", "SELECT 1"])
    assert shown.count("Jane") == 3


def test_what_is_no_text_about_a_person_is_read_out_of_the_payload(place: Place, wanted: Wanted) -> None:
    """Columns of the payload are readable, masked or not, by name and in conditions; views show the same to all."""
    columns = "value_date, effective_date, invoice_ids, right_party, action, succeeded"
    window = "from_date = '1970-01-01', to_date = '2026-02-01'"
    queries = [
        f"SELECT {columns} FROM events WHERE company = 'FR01' AND has(invoice_ids, 'I1') AND right_party",
        f"SELECT {columns} FROM events_masked WHERE company = 'FR01' AND has(invoice_ids, 'I1')",
        "SELECT details FROM events WHERE company = 'FR01' ORDER BY account_id",
        "SELECT detail FROM invoice_history(company = 'FR01', invoice_id = 'I1') WHERE log = 'event'",
        f"SELECT * FROM operator_productivity({window}, known_as_of = '2299-12-31 23:59:59') WHERE company = 'FR01'",
        f"SELECT case_id, activity FROM process_log(company = 'FR01', {window})",
    ]
    masked, all_ = (seen(place, wanted, [role], queries) for role in ("france", "group"))
    assert masked == all_
    assert masked[0] == masked[1] == "2026-01-02\t\\N\t['I1']\ttrue\tview\t\\N\n"
    assert masked[2].count('"note":"***"') == 2
    assert masked[3].count('"payer_name":"***"') == 1
    assert masked[4].startswith("FR01\tzoe\t")
    assert not any("Jane" in answer or "rang" in answer for answer in masked)


def test_every_view_that_a_role_is_given_can_be_asked(place: Place, wanted: Wanted) -> None:
    """The rights below each view are complete, parameterized or not.

    Rights only permit: whoever has all the rights of another role can ask whatever that one can. So the role with the
    fewest is asked first, with conditions on the rows, and each further one about what is left.
    """
    access = read_access(tomllib.loads(FILE), "test")
    asked: set[str] = set()
    below: frozenset[Grant] = frozenset()
    for name in ("camille", "france", "group", "auditor"):
        grants = wanted.grants[PREFIX + name]
        # The view of accounts is for conditions on the rows alone.
        assert {grant.table for grant in below if not is_covered(grant, grants)} <= {ACCOUNTS_VIEW}, name
        given = {view for view in views_of(access.roles[name]) if name in {"group", "auditor"} or view != "receipts"}
        assert given >= asked
        views = sorted(given - asked)
        answers = seen(place, wanted, [name], [f"SELECT * FROM {call(view)} LIMIT 1" for view in views])
        refused = [(view, answer) for view, answer in zip(views, answers, strict=True) if answer.startswith("!")]
        assert refused == [], name
        asked, below = given, grants
    assert len(asked) > 60


def is_covered(grant: Grant, grants: frozenset[Grant]) -> bool:
    """Whether they permit it: by itself, or for the whole table or database."""
    wider = (grant, grant._replace(column=""), grant._replace(table="", column=""))
    return not grants.isdisjoint(wider)


def call(view: str) -> str:
    """A view with a value for each of its parameters."""
    text = next(
        statement
        for migration in reversed(MIGRATIONS)
        for statement in migration.forward(Engines())
        if re.match(rf"CREATE OR REPLACE VIEW {view}\b", statement)
    )
    values = {"Date": "'2026-02-01'", "Date32": "'2026-02-01'", "DateTime64(6, 'UTC')": "'2026-02-01 00:00:00'"}
    parameters = dict(re.findall(r"\{(\w+): ?([^}]+)\}", text))
    named = {"credit_mode": "'own_date'"}
    given = [
        f"{name} = {named.get(name) or values.get(type_, '1' if 'Int' in type_ else repr('2026-02-01'))}"
        for name, type_ in parameters.items()
    ]
    return f"{view}({', '.join(given)})" if given else view


def test_nobody_writes_but_who_should(place: Place, wanted: Wanted) -> None:
    write = "INSERT INTO events (company) SELECT 'FR01' WHERE 0"
    drop = "DROP TABLE companies_versions"
    for role in ("france", "camille", "group", "auditor", "pager"):
        for answer in seen(place, wanted, [role], [write, drop]):
            assert "ACCESS_DENIED" in answer, role
    tables = f"SELECT countIf(create_table_query != '') FROM system.tables WHERE database = '{DATABASE}'"
    inserted, dropped, read, counted = seen(
        place, wanted, ["sink"], [write, drop, "SELECT payload FROM events", tables]
    )
    # A sink checks at its start how every table was made.
    assert counted == ask(place, users_file(wanted), [tables])[0]
    assert inserted == ""
    assert "ACCESS_DENIED" in dropped
    assert "ACCESS_DENIED" in read


def test_the_platform_role_migrates(engine: "Popen[str]", wanted: Wanted, tmp_path: Path) -> None:
    """Forward and back, with no more rights than the role has."""
    forward = [statement for migration in MIGRATIONS for statement in migration.forward(Engines())]
    back = [statement for migration in reversed(MIGRATIONS) for statement in migration.backward(Engines())]
    texts = [f"CREATE DATABASE {DATABASE}", f"USE {DATABASE}", *forward, *back, "CREATE USER mallory"]
    answers = ask(Place(engine, tmp_path), users_file(wanted, ["platform"]), texts)
    refused = [text for text, answer in zip(texts, answers, strict=True) if answer.startswith("!")]
    assert refused == ["CREATE USER mallory"]
    assert "ACCESS_DENIED" in answers[-1]
