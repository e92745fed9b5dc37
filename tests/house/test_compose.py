"""The containers, checked as far as can be without an engine: the file's shape, commands, settings, ports, secrets, images.

OPA's part is run for real: the built bundle under the command of the image, asked by the compose file's own health check.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from engine.policy import opa_binary, opa_server
from engine.policy.bundle import load_bundle
from engine.policy.opa_child import write_bundle
from engine.settings import PREFIX, SHIPPED_POLICIES, Settings
from tests.house.test_documents import parse
from tests.services import kafka, postgres
from tests.services.parts import ROOT, free_ports, wait_until

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = [name for name, service in SERVICES.items() if service["image"].startswith("covenant:")]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
VARIABLE = re.compile(r"\$\{([A-Z_]+)(:\?[^}]+)?\}")
GIVEN = {"POSTGRES_PASSWORD": "abc123", "COVENANT_ORGANISATION_KEY": "0123456789abcdef"}

_TEXT = {"type": "string", "minLength": 1}
_TEXTS = {"type": "array", "items": _TEXT, "minItems": 1}
_SPAN = {"type": "string", "pattern": "^[0-9]+(s|m|h)$"}
SCHEMA = {
    # The part of the compose specification that the file uses; whatever else it came to hold must be added here knowingly.
    "type": "object",
    "required": ["name", "services", "volumes"],
    "patternProperties": {"^x-": {"type": "object"}},
    "properties": {
        "name": _TEXT,
        "volumes": {"type": "object", "additionalProperties": {"type": "null"}},
        "services": {"type": "object", "additionalProperties": {"$ref": "#/$defs/service"}},
    },
    "additionalProperties": False,
    "$defs": {
        "service": {
            "type": "object",
            "required": ["image", "restart", "security_opt"],
            "properties": {
                "image": _TEXT,
                "build": {
                    "type": "object",
                    "properties": {"context": {"const": "."}, "target": _TEXT},
                    "required": ["context", "target"],
                    "additionalProperties": False,
                },
                "init": {"const": True},
                "restart": {"enum": ["unless-stopped", "on-failure"]},
                "read_only": {"const": True},
                "cap_drop": {"const": ["ALL"]},
                "security_opt": {"const": ["no-new-privileges:true"]},
                "tmpfs": _TEXTS,
                "command": _TEXTS,
                "environment": {"type": "object", "additionalProperties": {"type": "string"}},
                "volumes": _TEXTS,
                "ports": _TEXTS,
                "shm_size": _TEXT,
                "stop_grace_period": _SPAN,
                "depends_on": {
                    "type": "object",
                    "additionalProperties": {
                        "type": "object",
                        "properties": {"condition": {"enum": ["service_healthy", "service_completed_successfully"]}},
                        "required": ["condition"],
                        "additionalProperties": False,
                    },
                },
                "healthcheck": {
                    "type": "object",
                    "properties": {
                        "test": {"type": "array", "prefixItems": [{"const": "CMD"}], "items": _TEXT, "minItems": 2},
                        "interval": _SPAN,
                        "timeout": _SPAN,
                        "retries": {"type": "integer", "minimum": 1},
                        "start_period": _SPAN,
                    },
                    "required": ["test", "interval", "timeout", "retries"],
                    "additionalProperties": False,
                },
            },
            "additionalProperties": False,
        }
    },
}


def interpolated(value: str) -> str:
    """Fill in the variables as compose does."""
    return VARIABLE.sub(lambda match: GIVEN[match[1]], value)


def instructions() -> Iterator[tuple[str, str]]:
    """Give the Dockerfile's instructions: name, and what follows it."""
    joined = re.sub(r"\\\n", " ", DOCKERFILE)
    for line in joined.splitlines():
        if line.strip() and not line.startswith("#"):
            name, _, rest = line.partition(" ")
            yield name, rest.strip()


def test_the_compose_file_has_the_shape_of_one() -> None:
    """Every key is one that compose knows, with a value of its kind."""
    Draft202012Validator.check_schema(SCHEMA)
    errors = Draft202012Validator(SCHEMA).iter_errors(COMPOSE)
    assert [f"{'/'.join(map(str, error.absolute_path))}: {error.message}" for error in errors] == []


def test_the_services_are_all_that_production_needs() -> None:
    """Broker, policy engine, database, and our processes."""
    assert set(SERVICES) == {"kafka", "postgres", "opa", "topics", "worker", "relay", "console"}
    assert set(OURS) == {"topics", "worker", "relay", "console"}


@pytest.mark.parametrize("name", OURS)
def test_the_commands_of_our_services_are_the_programs(name: str) -> None:
    """Parsed as the program would parse them, health checks too."""
    parse(SERVICES[name]["command"])
    check = SERVICES[name].get("healthcheck", {}).get("test", ["CMD", "covenant", "doctor"])
    if check[1] == "covenant":
        parse([word for word in check[2:] if word != "--quiet"])


@pytest.mark.parametrize("name", OURS)
def test_the_environment_of_our_services_is_settings(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each name is one, and its value is accepted; store, broker and policy engine are the services of this file."""
    monkeypatch.chdir(tmp_path)
    environment: dict[str, str] = SERVICES[name]["environment"]
    fields = {f"{PREFIX}{field.upper()}" for field in Settings.model_fields}
    assert set(environment) <= fields
    for key, value in environment.items():
        monkeypatch.setenv(key, interpolated(value))
    settings = Settings()
    assert settings.store_url == "postgresql+psycopg://covenant:abc123@postgres:5432/covenant"
    assert (settings.opa_url, settings.broker) == ("http://opa:8181", "kafka:19092")
    assert settings.key() is not None


def test_only_loopback_is_published() -> None:
    """Nobody beyond this machine reaches the broker or the console, and nobody at all the database or OPA."""
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {"kafka": ["127.0.0.1:9092:9092"], "console": ["127.0.0.1:8600:8600"]}
    console = SERVICES["console"]["environment"]
    assert (console["COVENANT_PORT"], console["COVENANT_BEYOND_LOOPBACK"]) == ("8600", "true")


def test_no_secret_stands_in_the_file() -> None:
    """Passwords and keys come from `.env`, compose refuses to start without them, and the example holds none."""
    text = (ROOT / "docker-compose.yml").read_text()
    wanted = {match[1]: match[2] for match in VARIABLE.finditer(text)}
    assert set(wanted) == set(GIVEN)
    assert all(wanted.values()), "compose starts without them"
    example = [line for line in (ROOT / ".env.example").read_text().splitlines() if line and not line.startswith("#")]
    assert sorted(example) == [f"{name}=" for name in sorted(GIVEN)]
    secret = re.compile(r"(?i)(password|secret|key|token)\w*\s*[:=]\s*\S|://\w+:\w+@")
    assert [line for line in VARIABLE.sub("", text).splitlines() if secret.search(line)] == []


def test_services_start_after_what_they_need() -> None:
    """What is waited for exists, can become healthy or completes, and there is no circle."""
    graph: dict[str, list[str]] = {}
    for name, service in SERVICES.items():
        graph[name] = list(service.get("depends_on", {}))
        for other, how in service.get("depends_on", {}).items():
            healthy = how["condition"] == "service_healthy"
            assert ("healthcheck" in SERVICES[other]) == healthy, f"{name} waits for {other}"
    assert len(list(TopologicalSorter(graph).static_order())) == len(SERVICES)


def test_volumes_are_declared_and_hold_what_must_last() -> None:
    """The broker's log and the database; nothing of ours is kept in a container."""
    used = {volume.partition(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])}
    assert used == set(COMPOSE["volumes"]) == {"kafka", "postgres"}


@pytest.mark.parametrize("name", [*OURS, "opa"])
def test_our_containers_may_do_nothing_they_need_not(name: str) -> None:
    """A read-only root, no capabilities, no new privileges."""
    service = SERVICES[name]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]


def test_images_are_those_the_tests_run_on() -> None:
    """Broker and database by the tags of the tests, OPA by the version that the builder pins; none is `latest`."""
    assert SERVICES["kafka"]["image"] == kafka.IMAGE
    assert SERVICES["postgres"]["image"] == postgres.IMAGE
    bases = [rest.split()[0] for name, rest in instructions() if name == "FROM"]
    assert f"openpolicyagent/opa:{opa_binary.VERSION}-static" in bases
    assert [base for base in bases if base.endswith(":latest")] == []
    python = {base for base in bases if base.startswith("python:")}
    assert len(python) == 1
    assert python.pop().startswith("python:3.11-")


def test_the_dockerfile_copies_what_is_there_and_ends_without_root() -> None:
    """Stages and sources exist and reach the builder; both images run as an ordinary user; compose builds both."""
    stages: dict[str, str] = {}
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    for name, rest in instructions():
        if name == "FROM":
            base, _, stage = rest.partition(" AS ")
            assert stage
            assert ":" in base or base in stages
            stages[stage] = stages.get(base, "root")
        elif name == "USER":
            stages[stage] = rest
        elif name == "COPY" and rest.startswith("--from="):
            assert rest.split()[0].partition("=")[2] in stages
        elif name == "COPY":
            for source in rest.split()[:-1]:
                assert (ROOT / source).exists()
                assert f"!{source}" in ignored
    targets = {service["build"]["target"] for service in SERVICES.values() if "build" in service}
    assert targets == {"covenant", "opa"}
    assert {stages[target] for target in targets} == {"10001:10001"}


@pytest.mark.needs_opa
def test_the_image_of_opa_serves_our_revision_and_its_health_check_says_so(opa_binary: str, tmp_path: Path) -> None:
    """The bundle under the image's own command answers with the digest a worker asks for; down, the check fails."""
    bundle = load_bundle(SHIPPED_POLICIES, Path(opa_binary))
    write_bundle(bundle, tmp_path / "bundle")
    [port] = free_ports(1)
    [command] = [yaml.safe_load(rest) for name, rest in instructions() if name == "CMD" and "--server" in rest]
    here = {command[command.index("--addr") + 1]: f"127.0.0.1:{port}", "/bundle": str(tmp_path / "bundle")}
    check = [part.replace("127.0.0.1:8181", f"127.0.0.1:{port}") for part in SERVICES["opa"]["healthcheck"]["test"][2:]]

    def healthy() -> bool:
        return subprocess.run([opa_binary, *check], capture_output=True, check=False).returncode == 0

    assert not healthy()
    with subprocess.Popen([opa_binary, *(here.get(part, part) for part in command)]) as server:
        try:
            wait_until(healthy, 30, lambda: "OPA didn't become healthy")
            opa_server.connect(f"http://127.0.0.1:{port}", bundle.digest).close()
        finally:
            server.terminate()
