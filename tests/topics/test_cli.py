"""`arrears topics`: what a person sees, and what a program reads."""

import json

import pytest
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.errors import Problem
from pipeline.local import KafkaBroker
from tests.topics.test_broker import partitions_of, until
from topics import catalogue

run = CliRunner()


def test_list_shows_every_topic_without_a_broker() -> None:
    shown = run.invoke(app, ["topics", "list"], env={"COLUMNS": "200"})
    assert shown.exit_code == 0
    for name in catalogue():
        assert name in shown.stdout


def test_list_for_programs_has_the_settings() -> None:
    topics = {topic["name"]: topic for topic in json.loads(run.invoke(app, ["topics", "list", "--json"]).stdout)}
    assert topics["ar.events"]["config"]["message.timestamp.type"] == "LogAppendTime"
    assert topics["ar.events"]["partitions"] == 12


@pytest.mark.kafka
def test_plan_then_apply_then_nothing_to_do(kafka: KafkaBroker, topic_prefix: str) -> None:
    environment = {
        "ARREARS_KAFKA__BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "ARREARS_KAFKA__TOPIC_PREFIX": topic_prefix,
        "COLUMNS": "200",
    }
    count = len(catalogue())
    planned = run.invoke(app, ["topics", "plan"], env=environment)
    assert f"{count} to do, 0 left as they are, 0 topics unchanged" in planned.stdout
    applied = json.loads(run.invoke(app, ["topics", "apply", "--json"], env=environment).stdout)
    assert len(applied["changes"]) == count
    again = run.invoke(app, ["topics", "apply"], env=environment)
    assert again.exit_code == 0
    assert f"0 done, 0 left as they are, {count} topics unchanged" in again.stdout


@pytest.mark.kafka
def test_apply_fails_where_accounts_would_be_looked_for_elsewhere(kafka: KafkaBroker, topic_prefix: str) -> None:
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})
    for future in admin.create_topics([NewTopic(f"{topic_prefix}ar.events", 4, 1)]).values():
        future.result(30)
    until(lambda: partitions_of(admin, f"{topic_prefix}ar.events") == 4)
    environment = {
        "ARREARS_KAFKA__BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "ARREARS_KAFKA__TOPIC_PREFIX": topic_prefix,
    }
    failed = run.invoke(app, ["topics", "apply"], env=environment)
    assert failed.exit_code == 1
    assert isinstance(failed.exception, Problem)
    assert "ar.events has 4 partitions instead of 12" in str(failed.exception)
