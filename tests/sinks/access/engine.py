"""The embedded engine with users, in a process of its own: what a server does with rights and policies.

The engine cannot create users, but it reads them from a file as a server does, whenever it opens a folder. So the
statements of `sinks.access` are written into such a file: GRANTs as they are, row policies by their conditions, for the
one user that the engine runs as. Called as a program it takes a folder, the text of a users file and SQL as a line of
JSON, opens the folder as that user, answers with a line of JSON, and takes the next.
"""

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, cast
from xml.sax.saxutils import escape

from clickhouse_connect.driver.client import Client

from sinks.access import Wanted, statements
from sinks.access.found import read_found
from sinks.access.wanted import DEFINER, HOUR, PREFIX

ROOT = Path(__file__).resolve().parents[3]
_USER = "<password></password><networks><ip>::/0</ip></networks><profile>default</profile><quota>default</quota>"
DATABASE = "arrears"


def users_file(wanted: Wanted, roles: Sequence[str] = ()) -> str:
    """A users file: the engine runs with these roles' rights and rows, or as administrator when there are none."""
    names = [PREFIX + role for role in roles]
    grants = [text for name in names for text in statements.grant(wanted.grants[name], name)]
    rights = (
        _grants(text.rpartition(" TO ")[0] for text in grants) if names else "<access_management>1</access_management>"
    )
    conditions: dict[str, list[str]] = {}
    for policy in sorted(wanted.policies):
        if policy.role in names:
            conditions.setdefault(policy.table, []).append(policy.condition)
    filters = "".join(
        f"<{table}><filter>{escape(_either(parts))}</filter></{table}>" for table, parts in conditions.items()
    )
    definer = _grants(text.rpartition(" TO ")[0] for text in statements.grant(wanted.grants[DEFINER], DEFINER))
    all_roles = "".join(
        f"<{name}>{_grants(text.rpartition(' TO ')[0] for text in statements.grant(grants, name))}</{name}>"
        for name, grants in sorted(wanted.grants.items())
        if name in wanted.roles
    )
    return (
        f"<clickhouse><profiles><default/>{_profiles(wanted)}</profiles>"
        f"<quotas><default/>{_quotas(wanted)}</quotas><users>"
        f"<default>{_USER}{rights}<databases><{DATABASE}>{filters}</{DATABASE}></databases></default>"
        f"<{DEFINER}>{_USER}{definer}</{DEFINER}></users><roles>{all_roles}</roles></clickhouse>"
    )


def _either(conditions: Sequence[str]) -> str:
    return conditions[0] if len(conditions) == 1 else " OR ".join(f"({condition})" for condition in conditions)


def _profiles(wanted: Wanted) -> str:
    texts = []
    for profile in wanted.profiles:
        values = "".join(f"<{name}>{value}</{name}>" for name, value, _ in profile.settings)
        bounds = "".join(
            f"<{name}>{f'<max>{highest}</max>' if highest else '<const/>'}</{name}>"
            for name, _, highest in profile.settings
        )
        texts.append(f"<{profile.name}>{values}<constraints>{bounds}</constraints></{profile.name}>")
    return "".join(texts)


def _quotas(wanted: Wanted) -> str:
    texts = []
    for name, _, (queries, rows, seconds), _ in wanted.profiles:
        limits = f"<queries>{queries}</queries><read_rows>{rows}</read_rows><execution_time>{seconds}</execution_time>"
        if queries:
            texts.append(f"<{name}><interval><duration>{HOUR}</duration>{limits}</interval></{name}>")
    return "".join(texts)


def _grants(texts: Iterable[str]) -> str:
    return "<grants>" + "".join(f"<query>{escape(text)}</query>" for text in texts) + "</grants>"


class Place(NamedTuple):
    """A folder of data, and the process that opens it."""

    process: "subprocess.Popen[str]"
    folder: Path


@contextmanager
def running() -> Iterator["subprocess.Popen[str]"]:
    """The process: one for many users, since starting another costs three times what opening a folder does."""
    command = [sys.executable, "-m", "tests.sinks.access.engine"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        yield process
        process.communicate(timeout=60)


def ask(place: Place, users: str, queries: Sequence[str]) -> list[str]:
    """The answers as TSV, in order; of a query that is refused `! ` and the engine's words."""
    asked, told = place.process.stdin, place.process.stdout
    assert asked
    assert told
    asked.write(json.dumps([str(place.folder), users, list(queries)]) + "\n")
    asked.flush()
    line = told.readline()
    assert line, "the engine's process has ended"
    answers: list[str] = json.loads(line)
    return answers


FOUND = "what access found"


class _Result(NamedTuple):
    result_rows: list[list[Any]]


class _Client:
    """As much of a client as reading needs, over the engine."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine

    def query(self, sql: str, parameters: dict[str, str]) -> _Result:
        for name, value in parameters.items():
            sql = sql.replace(f"{{{name}:String}}", f"'{value}'")
        lines = str(self._engine.query(sql, "JSONCompactEachRow")).splitlines()
        return _Result([json.loads(line) for line in lines])


def _found(engine: Any) -> str:
    found = read_found(cast("Client", _Client(engine)), DATABASE)
    profiles = {name: [sorted(profile.settings), profile.quota] for name, profile in found.profiles.items()}
    return json.dumps(
        {
            "roles": sorted(found.roles),
            "users": sorted(found.users),
            "grants": {name: sorted(grants) for name, grants in found.grants.items()},
            "marks": found.marks,
            "profiles": profiles,
        }
    )


def _answers(folder: Path, users: str, queries: Sequence[str]) -> Iterator[str]:
    users_path, config = folder / "users.xml", folder / "config.xml"
    users_path.write_text(users, encoding="utf-8")
    config.write_text(f"<clickhouse><users_config>{users_path}</users_config></clickhouse>", encoding="utf-8")
    # It has no types. The engine ends with its session: the next one reads the users anew.
    engine: Any = import_module("chdb.session").Session(f"{folder / 'data'}?config-file={config}")
    for query in queries:
        try:
            yield _found(engine) if query == FOUND else str(engine.query(query, "TSV"))
        except RuntimeError as error:
            yield f"! {error}"
    engine.close()


if __name__ == "__main__":
    for line in sys.stdin:
        folder, users, queries = json.loads(line)
        print(json.dumps([*_answers(Path(folder), users, queries)]), flush=True)  # noqa: T201
