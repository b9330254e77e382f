"""The file, and the statements that it leads to."""

import hashlib
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest
from clickhouse_connect.driver.client import Client

from pipeline.local import ClickHouseServer
from sinks.access import AccessRunner, Role, Wanted, make_wanted, read_access
from sinks.access.found import Found, changes
from sinks.access.scope import views_of
from sinks.access.wanted import DEFINER, Grant, Policy
from sinks.clickhouse import Address
from sinks.errors import SinkProblem
from tests.docs.pages import DOCS, blocks
from tests.pipeline.cli.calls import arrears, assert_one_line

ROOT = Path(__file__).resolve().parents[3]
PAGE = DOCS / "access.md"
ENVIRONMENT = {f"ARREARS_PASSWORD_{name}": "secret's" for name in ("ANNA", "SERVICE", "CAMILLE", "AUDIT", "PAGER")}
NOTHING = Found(frozenset(), frozenset(), {}, frozenset(), {}, {}, {})


def wanted_of(name: str) -> Wanted:
    document = tomllib.loads((ROOT / "config" / name).read_text(encoding="utf-8"))
    return make_wanted(read_access(document, name), "arrears", ENVIRONMENT)


def as_made(wanted: Wanted) -> Found:
    """What the server has after all of it was applied."""
    return Found(
        wanted.roles,
        frozenset({DEFINER, *wanted.users}),
        dict(wanted.grants),
        wanted.policies,
        {name: comment for name, (_, comment) in wanted.views.items()},
        {profile.name: profile for profile in wanted.profiles},
        {name: frozenset(f"arrears_{role}" for role in user.roles) for name, user in wanted.users.items()},
    )


def plan(wanted: Wanted, found: Found) -> list[str]:
    texts = {policy.condition: policy.condition for policy in wanted.policies | found.policies}
    return [statement for change in changes(wanted, found, texts) for statement in change.statements]


@pytest.mark.clickhouse
@pytest.mark.parametrize("name", ["access.minimal.toml", "access.reference.toml"])
def test_every_statement_is_one_of_clickhouse(clickhouse: ClickHouseServer, name: str) -> None:
    wanted = wanted_of(name)
    gone = as_made(wanted)._replace(
        roles=frozenset({"arrears_old"}),
        policies=frozenset({Policy("arrears_old", "items_versions", "1")}),
        members={"leaver": frozenset({"arrears_old"})},
    )
    statements = plan(wanted, NOTHING) + plan(wanted, gone)
    with Address(clickhouse.url, "").client() as client:
        for statement in statements:
            assert formatted(client, statement), statement
        assert not formatted(client, "GRANT SELECT ON TO nobody")
    assert sum(statement.startswith("DROP") for statement in statements) == 2
    assert "REVOKE arrears_old FROM leaver" in statements


def formatted(client: Client, statement: str) -> Any:
    sql = "SELECT formatQueryOrNull({text:String})"
    return client.query(sql, parameters={"text": statement}).result_rows[0][0]


def test_what_is_made_is_not_made_again() -> None:
    wanted = wanted_of("access.reference.toml")
    assert plan(wanted, as_made(wanted)) == []


def test_what_somebody_changed_is_put_right() -> None:
    wanted = wanted_of("access.reference.toml")
    made = as_made(wanted)
    name = "arrears_analyst_france"
    added = Grant("SELECT", "arrears", "events", "payload")
    removed = Grant("SELECT", "arrears", "items")
    changed = made._replace(grants={**made.grants, name: made.grants[name] - {removed} | {added}})
    assert plan(wanted, changed) == [
        f"REVOKE SELECT(payload) ON arrears.events FROM {name}",
        f"GRANT SELECT ON arrears.items TO {name}",
    ]
    loosened = Policy(name, "items_versions", "1")
    policies = frozenset(policy for policy in made.policies if policy[:2] != loosened[:2]) | {loosened}
    (put_right,) = plan(wanted, made._replace(policies=policies))
    assert put_right.startswith(f"CREATE ROW POLICY OR REPLACE {name} ON arrears.items_versions ")
    assert put_right.endswith(f"USING company IN ('FR01') TO {name}")
    assert plan(wanted, made._replace(members={**made.members, "leaver": frozenset({name})})) == [
        f"REVOKE {name} FROM leaver"
    ]


def test_what_restricts_comes_before_what_permits() -> None:
    statements = plan(wanted_of("access.reference.toml"), NOTHING)
    policies = [at for at, text in enumerate(statements) if text.startswith("CREATE ROW POLICY")]
    grants = [at for at, text in enumerate(statements) if text.startswith("GRANT") and DEFINER not in text]
    assert max(policies) < min(grants)


def test_passwords_are_hashes_in_statements() -> None:
    statements = plan(wanted_of("access.reference.toml"), NOTHING)
    assert not any("secret" in statement for statement in statements)
    digest = hashlib.sha256(b"secret's").hexdigest().upper()
    assert any(digest in statement for statement in statements if "USER camille" in statement)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[roles.a]\nkind = "king"', "king"),
        ('[roles.a]\nkind = "analyst"', "has no companies"),
        ('[roles.a]\nkind = "alerting"', "has no companies"),
        ('[roles.a]\nkind = "auditor"\ncompanies = ["FR01"]', "sees all companies"),
        ('[roles.a]\nkind = "collector"\ncompanies = ["FR01"]', "neither regions nor collectors"),
        ('[roles.a]\nkind = "analyst"\ncompanies = ["FR01"]\nregions = ["EU"]', "are for collectors"),
        ('[roles.a]\nkind = "auditor"\ncompanys = []', "companys"),
        ('[roles."a; DROP"]\nkind = "auditor"', "regex"),
        ('[roles.a]\nkind = "auditor"\n[users.u]\nroles = ["b"]\npassword_variable = "P"', "does not define"),
        ('[roles.a]\nkind = "auditor"\n[users.u]\nroles = ["a"]', "needs either"),
        ('[roles.a]\nkind = "auditor"\n[users.u]\nroles = ["a"]\npassword_sha256 = "secret"', "64 hexadecimal"),
        ('[roles.a]\nkind = "auditor"\n[users.u]\nroles = ["a"]\npassword_variable = "P"\nhosts = ["x"]', "no network"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(text: str, words: str) -> None:
    with pytest.raises(SinkProblem, match=words):
        read_access(tomllib.loads(text), "access.toml")


def test_a_password_that_is_not_there_is_named_when_it_is_needed() -> None:
    access = read_access(tomllib.loads((ROOT / "config/access.minimal.toml").read_text()), "access.toml")
    wanted = make_wanted(access, "arrears", {})
    with pytest.raises(SinkProblem, match="ARREARS_PASSWORD_ANNA"):
        plan(wanted, NOTHING)
    assert plan(wanted, as_made(wanted)) == []


def test_the_page_shows_what_the_minimal_file_leads_to() -> None:
    (example,) = [block.text for block in blocks(PAGE) if block.language == "sql"]
    statements = plan(wanted_of("access.minimal.toml"), NOTHING)
    shown = [line.removesuffix(";") for line in example.splitlines()]
    assert len(shown) > 5
    assert [line for line in shown if line not in statements] == []
    assert [statements.index(line) for line in shown] == sorted(statements.index(line) for line in shown)


def test_no_view_needs_personal_fields() -> None:
    """What views take out of payloads are columns of their own; one that reads the payload itself is withheld."""
    for role in (Role(kind="analyst", companies=("FR01",)), Role(kind="collector", regions=("SOUTH",))):
        assert not role.sees_personal_fields
        assert views_of(role) == views_of(msgspec.structs.replace(role, personal_fields=True))
        assert {"collector_performance", "invoice_history", "process_log", "unapplied_cash_aging"} <= {*views_of(role)}


@pytest.mark.clickhouse
def test_the_embedded_engine_is_refused(clickhouse: ClickHouseServer) -> None:
    runner = AccessRunner(Address(clickhouse.url, ""), wanted_of("access.minimal.toml"))
    with pytest.raises(SinkProblem, match="keeps no users"):
        runner.plan()


@pytest.mark.clickhouse
@pytest.mark.parametrize("command", ["plan", "apply"])
def test_the_command_says_why_it_does_nothing(clickhouse: ClickHouseServer, tmp_path: Path, command: str) -> None:
    file = ROOT / "config" / "access.minimal.toml"
    where = {"ARREARS_CLICKHOUSE__URL": clickhouse.url, "ARREARS_CLICKHOUSE__DATABASE": "default"}
    assert_one_line(arrears("access", command, "--file", str(file), folder=tmp_path, **where), "keeps no users")
    missing = arrears("access", command, "--file", "none.toml", folder=tmp_path, **where)
    assert_one_line(missing, "none.toml cannot be read")
