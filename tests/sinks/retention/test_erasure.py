"""Personal fields go, everything else stays, and the chain stays whole; what only looks like an erasure is found."""

from typing import Any

import pytest

from avro import contracts
from sinks.audit.book import AuditBook
from sinks.audit.canon import PERSONAL_KEYS
from sinks.audit.chain import Finding
from sinks.audit.deletions import Deletion
from sinks.audit.seal import seal
from sinks.errors import SinkProblem
from sinks.retention.erasure import _OF_ACCOUNT, _OF_ACTOR, _PERSONS, Erased, Erasure, Person
from sinks.retention.holds import Hold, place_hold
from tests.sinks.retention.conftest import World

pytestmark = pytest.mark.clickhouse

CHANGE = "ALTER TABLE {} UPDATE {} WHERE {} SETTINGS mutations_sync = 2"
CAMILLE = Person("FR01", "actor", "camille")


def _erase(world: World, person: Person) -> Erased:
    return Erasure(world.client, person).run(world.log, "privacy office", "request 12", world.now)


def _kinds(findings: list[Finding]) -> set[str]:
    return {finding.kind for finding in findings}


def _without_persons(world: World) -> list[tuple[Any, ...]]:
    return world.rows(
        "SELECT * EXCEPT (actor_id, payload), JSONExtractRaw(payload, 'due_date'), "
        "JSONExtractRaw(payload, 'value_date') FROM events ORDER BY _topic, _partition, _offset"
    )


def _mentions(world: World, name: str) -> dict[str, int]:
    """Rows of each table with a text column that has the name in it."""
    columns = world.rows(
        "SELECT table, name FROM system.columns WHERE database = currentDatabase() AND type LIKE '%String%' "
        "AND table IN (SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree')"
    )
    found: dict[str, int] = {}
    for table in {table for table, _ in columns}:
        texts = [f"position(toString(`{column}`), '{name}') > 0" for one, column in columns if one == table]
        if count := world.one(f"SELECT count() FROM {table} WHERE {' OR '.join(texts)}"):
            found[table] = count
    return found


def test_an_actor_becomes_a_pseudonym_everywhere_and_the_chain_stays_whole(whole_world: World) -> None:
    world = whole_world
    assert "events" in _mentions(world, "camille")
    count = world.one("SELECT count() FROM events WHERE actor_id = 'camille' AND company = 'FR01'")
    kept = _without_persons(world)
    erased = _erase(world, CAMILLE)
    assert erased.rows >= count > 5
    assert _mentions(world, "camille") == {}
    assert world.one(f"SELECT count() FROM events WHERE actor_id = '{erased.pseudonym}'") == count
    assert _without_persons(world) == kept
    assert world.verify() == []
    assert Erasure(world.client, CAMILLE).count() == (0, 0)


def test_an_account_loses_names_and_payers_and_nothing_else(sealed_world: World) -> None:
    world = sealed_world
    account = world.one("SELECT account_id FROM events WHERE payload LIKE '%payer_%' AND company = 'FR01' LIMIT 1")
    kept, actors = _without_persons(world), world.rows("SELECT _partition, _offset, actor_id FROM events ORDER BY 1, 2")
    erased = _erase(world, Person("FR01", "account", account))
    assert erased.rows > 0
    # Other companies may have an account of that id; it is another customer.
    mine = f"company = 'FR01' AND account_id = '{account}'"
    left = world.rows(f"SELECT payload FROM events WHERE {mine} AND payload LIKE '%payer_reference%'")
    assert left
    assert [payload for (payload,) in left if '"payer_reference":""' not in payload] == []
    assert world.one(f"SELECT count() FROM receipts_versions WHERE {mine} AND payer_reference IS NOT NULL") == 0
    assert _without_persons(world) == kept
    assert world.rows("SELECT _partition, _offset, actor_id FROM events ORDER BY 1, 2") == actors
    assert world.verify() == []


def test_both_may_be_erased_in_one_row(sealed_world: World) -> None:
    world = sealed_world
    company, account, actor = world.rows(
        "SELECT company, account_id, actor_id FROM events WHERE payload LIKE '%payer_%' AND actor_id != '' LIMIT 1"
    )[0]
    _erase(world, Person(company, "account", account))
    _erase(world, Person(company, "actor", actor))
    assert world.verify() == []


def test_it_is_recorded_who_asked_and_why_and_not_whose(sealed_world: World) -> None:
    world = sealed_world
    erased = _erase(world, CAMILLE)
    (deletion,) = world.log.deletions
    assert deletion[:6] == (erased.erasure_id, "erasure", "FR01", "events", "actor", None)
    assert (deletion.done_by, deletion.reason) == ("privacy office", "request 12")
    assert "camille" not in repr(deletion)
    assert world.rows("SELECT erasure_id, requested_by, is_finished FROM erasures FINAL") == [
        (erased.erasure_id, "privacy office", True)
    ]


def test_the_salts_are_gone(sealed_world: World) -> None:
    """With them, and a list of users, the hashes in the chain would still tell who it was."""
    world = sealed_world
    erased = _erase(world, CAMILLE)
    assert world.one("SELECT count() FROM event_chain WHERE salt = ''") == erased.rows
    assert world.one("SELECT uniqExact(personal_hash) FROM erased_rows") == erased.rows


def test_a_row_that_is_changed_after_its_erasure_is_found(sealed_world: World) -> None:
    world = sealed_world
    erased = _erase(world, CAMILLE)
    world.client.command(CHANGE.format("events", "actor_id = 'eve'", f"actor_id = '{erased.pseudonym}'"))
    assert _kinds(world.verify()) == {"changed"}


def test_an_erasure_that_was_never_published_is_found(sealed_world: World) -> None:
    """Whoever can write the tables can write an erasure, too; Kafka does not know of it."""
    world = sealed_world
    _erase(world, CAMILLE)
    world.log.deletions.clear()
    assert _kinds(world.verify()) == {"erasure_changed"}


def test_rows_that_are_added_to_an_erasure_are_found(sealed_world: World) -> None:
    world = sealed_world
    erased = _erase(world, CAMILLE)
    world.client.command(
        f"INSERT INTO erased_rows SELECT topic, partition, offset, '{erased.erasure_id}', content_hash, content_hash, "
        "now64(6) FROM event_chain WHERE salt != '' LIMIT 1"
    )
    assert "erasure_changed" in _kinds(world.verify())


def test_what_was_tampered_with_is_not_erased_over(sealed_world: World) -> None:
    world = sealed_world
    world.client.command(CHANGE.format("events", "payload = concat(payload, ' ')", "actor_id = 'camille'"))
    with pytest.raises(SinkProblem, match="not what was sealed"):
        _erase(world, CAMILLE)
    assert world.log.deletions == []
    assert world.one("SELECT count() FROM erased_rows") == 0


def test_an_account_on_hold_stays_as_it_is(sealed_world: World) -> None:
    world = sealed_world
    account = world.one("SELECT account_id FROM events WHERE actor_id = 'camille' AND account_id != '' LIMIT 1")
    place_hold(world.client, Hold("case-7", "FR01", account, "lawsuit", "counsel", world.now))
    erased = _erase(world, CAMILLE)
    held = world.one(f"SELECT count() FROM events WHERE actor_id = 'camille' AND account_id = '{account}'")
    assert held == erased.held > 0
    assert world.one("SELECT count() FROM events WHERE actor_id = 'camille'") == held
    assert world.verify() == []


@pytest.mark.parametrize("statement", [1, 2, 3])
def test_an_erasure_that_was_cut_off_is_taken_up_again(
    sealed_world: World, monkeypatch: pytest.MonkeyPatch, statement: int
) -> None:
    world = sealed_world
    erasure = Erasure(world.client, CAMILLE)
    done = 0

    def broken(table: str, change: str, where: str) -> None:
        nonlocal done
        done += 1
        if done == statement:
            raise ConnectionError("gone")
        Erasure._change(erasure, table, change, where)

    monkeypatch.setattr(erasure, "_change", broken)
    with pytest.raises(ConnectionError):
        erasure.run(world.log, "privacy office", "request 12", world.now)
    _erase(world, CAMILLE)
    assert _mentions(world, "camille") == {}
    assert world.verify() == []
    assert world.rows("SELECT is_finished FROM erasures FINAL") == [(True,)]


def test_where_a_chain_is_kept_only_sealed_rows_are_erased(unsealed_world: World) -> None:
    """Else one that is sealed at the same moment would not be what its link says."""
    world = unsealed_world
    book = AuditBook(world.client)
    seal(book, world.log, dict.fromkeys(book.places(), 60), lambda: world.now)
    count = Erasure(world.client, CAMILLE).count()[0]
    erased = _erase(world, CAMILLE)
    assert (erased.rows > 0, erased.waiting > 0, erased.rows + erased.waiting) == (True, True, count)
    world.seal()
    assert world.verify() == []
    assert _erase(world, CAMILLE).waiting == 0
    assert _mentions(world, "camille") == {}
    assert world.verify() == []


def test_only_what_the_chain_leaves_out_may_be_erased() -> None:
    keys = f"{_OF_ACTOR}|{_PERSONS}|{_OF_ACCOUNT}".split("|")
    assert set(keys) == set(PERSONAL_KEYS)


def test_rows_that_are_not_sealed_yet_are_erased_and_sealed_so(unsealed_world: World) -> None:
    world = unsealed_world
    _erase(world, CAMILLE)
    assert _mentions(world, "camille") == {}
    world.seal()
    assert world.verify() == []


def test_a_published_deletion_has_all_that_the_record_wants() -> None:
    schema = contracts().schema("DataDeleted")
    assert [field["name"] for field in schema["fields"]] == list(Deletion._fields)
