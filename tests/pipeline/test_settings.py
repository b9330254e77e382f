"""Settings: where they come from, which wins, and what a wrong one is answered with."""

import tomllib
from datetime import date
from pathlib import Path

import pytest

from pipeline import settings_reference
from pipeline.companies import read_companies
from pipeline.errors import Problem
from pipeline.settings import KafkaSettings, Settings, section_model, variable_name
from pipeline.settings_sources import load


def _file(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "arrears.toml"
    file.write_text(text)
    return file


def test_without_file_and_environment_everything_has_its_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert load(environment={}) == Settings()


def test_the_environment_wins_over_the_file_and_the_file_over_the_default(tmp_path: Path) -> None:
    file = _file(tmp_path, '[kafka]\nbootstrap_servers = "a:1"\ntopic_prefix = "test."\n[sink]\nrows_max = 7\n')
    settings = load(file, {"ARREARS_KAFKA__BOOTSTRAP_SERVERS": "b:2,c:3", "ARREARS_SINK__AGE_SECONDS_MAX": "0.5"})
    assert settings.kafka.bootstrap_servers == "b:2,c:3"
    assert settings.kafka.topic_prefix == "test."
    assert (settings.sink.rows_max, settings.sink.age_seconds_max, settings.sink.group_id) == (7, 0.5, "arrears-sink")


def test_the_file_of_the_current_directory_is_read_when_none_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _file(tmp_path, "[service]\nport = 9100\n")
    monkeypatch.chdir(tmp_path)
    assert load(environment={}).service.port == 9100


@pytest.mark.parametrize(
    ("text", "environment", "line"),
    [
        (
            '[kafka]\nbootstrap_server = "a:1"\n',
            {},
            "kafka.bootstrap_server in FILE is not a setting. Keys of kafka are bootstrap_servers, security_protocol, ",
        ),
        ("[kafak]\nx = 1\n", {}, "kafak in FILE is not a setting. Sections are kafka, clickhouse, "),
        (
            '[clock]\nmode = "fast"\n',
            {},
            "clock.mode in FILE: must be 'live' or 'external', not 'fast'. live: workers append the clock's ticks;",
        ),
        ("[sink]\nrows_max = 0\n", {}, "sink.rows_max in FILE: must be greater than 0, not 0. Rows after which"),
        (
            '[kafka]\nbootstrap_servers = "localhost"\n',
            {},
            "kafka.bootstrap_servers in FILE: must be host:port, several joined by commas, not 'localhost'.",
        ),
        (
            '[clickhouse]\nurl = "clickhouse:8123"\n',
            {},
            "clickhouse.url in FILE: must start with http:// or https://, not 'clickhouse:8123'.",
        ),
        (
            "[worker]\nheartbeat_interval_seconds = 5\n",
            {},
            "worker in FILE: heartbeat_interval_seconds must be at most a third of session_timeout_seconds.",
        ),
        (
            "",
            {"ARREARS_SINK__ROWS_MAX": "many"},
            "the environment variable ARREARS_SINK__ROWS_MAX: must be a valid integer",
        ),
        (
            "",
            {"ARREARS_SINK__ROWS": "1"},
            "the environment variable ARREARS_SINK__ROWS is not a setting. Keys of sink are group_id, rows_max, ",
        ),
        (
            "",
            {"ARREARS_SNIK__ROWS_MAX": "1"},
            "the environment variable ARREARS_SNIK__ROWS_MAX is not a setting. Sections are kafka, ",
        ),
        (
            "",
            {"ARREARS_PORT": "1"},
            "the environment variable ARREARS_PORT sets nothing. Write ARREARS_SECTION__FIELD,",
        ),
        ("[kafka\n", {}, "FILE is not valid TOML: "),
        ("kafka = 1\n", {"ARREARS_KAFKA__TOPIC_PREFIX": "a."}, "kafka in FILE is not a section. Write [kafka]"),
        ("kafka = 1\n", {}, "kafka in FILE is not a section. Write [kafka] and its keys below it."),
        (
            '[kafka]\nbootstrap_servers = "localhost:99999"\n',
            {},
            "kafka.bootstrap_servers in FILE: must be host:port, several joined by commas, not 'localhost:99999'.",
        ),
    ],
)
def test_what_is_wrong_is_one_line_with_its_place_and_what_is_allowed(
    tmp_path: Path, text: str, environment: dict[str, str], line: str
) -> None:
    file = _file(tmp_path, text)
    with pytest.raises(Problem) as raised:
        load(file, environment)
    assert str(raised.value).startswith(line.replace("FILE", str(file)))
    assert "\n" not in str(raised.value)


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(Problem, match=r"there is no settings file .*none\.toml\. Give its path with --config"):
        load(tmp_path / "none.toml", {})


def test_a_file_that_is_no_text_and_a_folder_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Problem, match=r"binary\.toml cannot be read: it is not UTF-8\. Give a TOML file"):
        load(tmp_path / "binary.toml", {})
    with pytest.raises(Problem, match=r"cannot be read: Is a directory\. Give a TOML file with --config"):
        load(tmp_path, {})


def test_a_password_is_shown_nowhere(tmp_path: Path) -> None:
    file = _file(tmp_path, '[clickhouse]\npassword = "s3cret"\n')
    assert "s3cret" not in repr(load(file, {}))
    with pytest.raises(Problem) as raised:
        load(_file(tmp_path, "[clickhouse]\npassword = 314159\n"), {})
    assert "314159" not in str(raised.value)


def test_clients_of_kafka_get_librdkafkas_options() -> None:
    assert KafkaSettings().client_config() == {
        "bootstrap.servers": "127.0.0.1:9092",
        "security.protocol": "PLAINTEXT",
        "client.id": "arrears",
        "log_level": 2,
    }
    secured = {"SECURITY_PROTOCOL": "SASL_SSL", "SASL_USERNAME": "me", "SASL_PASSWORD": "x", "SSL_CA_LOCATION": "/ca"}
    settings = load(environment={f"ARREARS_KAFKA__{name}": value for name, value in secured.items()})
    options = settings.kafka.client_config()
    assert options["sasl.mechanism"] == "SCRAM-SHA-512"
    assert (options["sasl.username"], options["sasl.password"]) == ("me", "x")
    assert (options["ssl.ca.location"], "ssl.key.location" in options) == ("/ca", False)


def test_all_our_producers_agree_where_a_key_lives() -> None:
    assert KafkaSettings().producer_config()["partitioner"] == "murmur2_random"
    assert "partitioner" not in KafkaSettings().client_config()


def test_addresses_of_the_local_stack_give_way_to_those_that_were_given(tmp_path: Path) -> None:
    settings = load(_file(tmp_path, '[kafka]\nbootstrap_servers = "a:1"\n'), {})
    local = settings.with_addresses("127.0.0.1:5", "http://127.0.0.1:6")
    assert (local.kafka.bootstrap_servers, local.clickhouse.url) == ("a:1", "http://127.0.0.1:6")
    assert settings.with_addresses("", "") == settings


def test_the_reference_file_has_every_setting_with_its_default() -> None:
    text = settings_reference.REFERENCE.read_text(encoding="utf-8")
    assert text == settings_reference.reference_toml(), "run python -m pipeline.settings_reference"
    assert load(settings_reference.REFERENCE, {}) == Settings()
    choices = [
        line[2:] if line.startswith(("# bootstrap_servers =", "# url =")) else line for line in text.splitlines()
    ]
    written = tomllib.loads("\n".join(choices))
    assert {name: set(keys) for name, keys in written.items()} == {
        name: set(section_model(name).model_fields) for name in Settings.model_fields
    }
    assert Settings.model_validate(written) == Settings()


def test_the_reference_file_leaves_the_local_stack_its_work() -> None:
    settings = load(settings_reference.REFERENCE, {})
    assert not settings.kafka.is_set("bootstrap_servers")
    assert not settings.clickhouse.is_set("url")


def test_the_minimal_file_is_valid_and_every_key_differs_from_the_default() -> None:
    file = settings_reference.ROOT / "config" / "minimal.toml"
    settings, defaults = load(file, {}), Settings()
    for section, keys in tomllib.loads(file.read_text(encoding="utf-8")).items():
        for key in set(keys) - {"folder"}:
            assert getattr(getattr(settings, section), key) != getattr(getattr(defaults, section), key)


def test_the_document_is_what_the_model_says() -> None:
    text = settings_reference.DOCUMENT.read_text(encoding="utf-8")
    assert text == settings_reference.document(), "run python -m pipeline.settings_reference"
    for section in Settings.model_fields:
        for field in section_model(section).model_fields:
            assert f"| `{field}` |" in text


def test_every_setting_is_explained_and_can_be_set_by_a_variable() -> None:
    for section in Settings.model_fields:
        for field, info in section_model(section).model_fields.items():
            assert info.description, f"{section}.{field}"
            assert not info.description.endswith(".")
            assert variable_name(section, field) == f"ARREARS_{section.upper()}__{field.upper()}"


def test_the_sample_companies_are_valid_and_their_holidays_are_working_days() -> None:
    companies = read_companies(settings_reference.ROOT / "config" / "companies")
    assert {code: (one.timezone, one.base_currency) for code, one in companies.items()} == {
        "FR01": ("Europe/Paris", "EUR"),
        "JP01": ("Asia/Tokyo", "JPY"),
        "US01": ("America/New_York", "USD"),
    }
    for company in companies.values():
        assert all(date.weekday(holiday) < 5 for holiday in company.holidays), company.code
        assert list(company.holidays) == sorted(set(company.holidays))
