"""What compose.yaml promises: one way in, networks that keep apart what need not meet, and no secret in the repository."""

import os
import re
import shutil
import subprocess
from ipaddress import IPv4Network, ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml

from vaultsigner import config

ROOT = Path(__file__).parents[3]
COMPOSE, TRAEFIK = ROOT / "deploy" / "compose", ROOT / "deploy" / "traefik"
DOCUMENT: dict[str, Any] = yaml.safe_load((COMPOSE / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = DOCUMENT["services"]
REPLICAS = ("vaultsigner-1", "vaultsigner-2")
OVERRIDES = {
    (): {},
    ("compose.letsencrypt.yaml",): {"ACME_DOMAIN": "signer.example"},
    ("compose.mtls.yaml",): {},
    ("compose.letsencrypt.yaml", "compose.mtls.yaml"): {"ACME_DOMAIN": "signer.example"},
}


def networks(service: str) -> set[str]:
    return set(SERVICES[service].get("networks", ()))


def config_command() -> list[str] | None:
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    docker = shutil.which("docker")
    if (
        docker
        and subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode == 0
    ):
        return [docker, "compose"]
    return None


@pytest.mark.parametrize("overrides", OVERRIDES, ids=lambda names: " and ".join(names) or "alone")
def test_compose_finds_it_valid(overrides: tuple[str, ...]) -> None:
    command = config_command()
    if command is None:
        pytest.skip("there is no Docker Compose: apt-get install docker-compose")
    files = [word for name in ("compose.yaml", *overrides) for word in ("-f", str(COMPOSE / name))]
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **OVERRIDES[overrides]}
    done = subprocess.run(
        [*command, *files, "config"], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    merged = yaml.safe_load(done.stdout)["services"]
    assert [name for name, service in merged.items() if service.get("ports")] == ["traefik"]


def test_traefik_alone_is_published() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["traefik"]
    assert not any("expose" in service for service in SERVICES.values())


def test_nobody_has_the_engines_socket_or_more_rights_than_it_needs() -> None:
    text = "".join(path.read_text() for path in COMPOSE.rglob("*.yaml"))
    assert "docker.sock" not in text
    assert "privileged" not in re.sub(r"no-new-privileges", "", text)
    for name, service in SERVICES.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert re.fullmatch(r"\d+:\d+", service["user"]), name
        assert name == "prepare" or not service["user"].startswith("0:"), name
    assert SERVICES["prepare"]["network_mode"] == "none"


def test_every_image_is_our_own_or_named_by_its_digest() -> None:
    for name, service in SERVICES.items():
        image = re.sub(r"^\$\{\w+:-(.*)\}$", r"\1", service["image"])
        assert image == "vaultsigner:local" or re.search(r"@sha256:[0-9a-f]{64}$", image), name


def test_one_service_builds_the_image_that_several_run() -> None:
    """Two that build the same name at once fail at the second: "already exists"."""
    ours = [name for name, service in SERVICES.items() if "vaultsigner:local" in service["image"]]
    assert ours == [*REPLICAS, "prepare", "operator"]
    assert [name for name, service in SERVICES.items() if "build" in service] == ["prepare"]


def test_each_meets_only_those_it_talks_to() -> None:
    """Vault and the database cannot be reached from Traefik, nor anything but Traefik from outside."""
    internal = {name for name, network in DOCUMENT["networks"].items() if (network or {}).get("internal")}
    assert internal == {"front", "vault", "data"}
    assert networks("traefik") == {"edge", "front"}
    assert networks("openbao") == {"vault"}
    assert networks("postgres") == {"data"}
    for replica in REPLICAS:
        assert networks(replica) == {"front", "vault", "data", "outside"}
    assert networks("operator") == {"vault", "data"}
    others = [name for name in SERVICES if name not in REPLICAS]
    assert not any("outside" in networks(name) for name in others)


def test_nobody_who_joins_the_front_gets_an_address_that_is_believed() -> None:
    (given,) = DOCUMENT["networks"]["front"]["ipam"]["config"]
    fixed = {
        service["networks"]["front"]["ipv4_address"]
        for service in SERVICES.values()
        if "front" in service.get("networks", ())
    }
    assert len(fixed) == 3
    assert IPv4Network(given["ip_range"]).subnet_of(IPv4Network(given["subnet"]))
    assert not any(ip_address(address) in ip_network(given["ip_range"]) for address in fixed)


def test_replicas_listen_for_traefik_alone_and_believe_traefik_alone() -> None:
    subnet = ip_network(DOCUMENT["networks"]["front"]["ipam"]["config"][0]["subnet"])
    proxy = SERVICES["traefik"]["networks"]["front"]["ipv4_address"]
    upstreams = SERVICES["traefik"]["environment"]
    for number, replica in enumerate(REPLICAS, start=1):
        service = SERVICES[replica]
        address = service["networks"]["front"]["ipv4_address"]
        assert ip_address(address) in subnet
        assert service["environment"]["VAULTSIGNER_SERVER__LISTEN"] == f"{address}:8000"
        assert service["environment"]["VAULTSIGNER_SERVER__OPS_LISTEN"] == f"{address}:9100"
        assert upstreams[f"UPSTREAM_{number}"] == f"http://{address}:8000"
        settings = config.load(COMPOSE / "config" / "config.yml", service["environment"])
        assert settings.audit.replica == replica, "else nobody misses a record that is gone at the next start"
        assert [str(network) for network in settings.server.trusted_proxies] == [f"{proxy}/32"]
        assert str(settings.server.ops_listen) == f"{address}:{upstreams['UPSTREAM_OPS_PORT']}"


def test_each_replica_has_a_record_of_its_own_and_they_share_the_rest() -> None:
    one, other = (set(SERVICES[name]["volumes"]) for name in REPLICAS)
    assert one ^ other == {"audit-1:/srv/vaultsigner/audit", "audit-2:/srv/vaultsigner/audit"}
    assert SERVICES[REPLICAS[0]]["init"] is True


def test_each_volume_of_secrets_has_one_reader() -> None:
    readers: dict[str, set[str]] = {}
    for name, service in SERVICES.items():
        for volume in service.get("volumes", ()):
            source = volume.partition(":")[0]
            if "secret" in source or "certificate" in source:
                assert name == "prepare" or volume.endswith(":ro"), volume
                readers.setdefault(source, set()).add(name)
    assert readers["openbao-secrets"] == {"prepare", "openbao"}
    assert readers["postgres-secrets"] == {"prepare", "postgres"}
    assert readers["traefik-certificate"] == {"prepare", "traefik"}
    assert readers["vaultsigner-secrets"] == {"prepare", "operator", *REPLICAS}


def test_no_secret_lies_in_the_repository() -> None:
    for path in (ROOT / "deploy").rglob("*"):
        if path.is_file() and path.suffix != ".py":
            text = path.read_text()
            assert "PRIVATE KEY" not in text, path
            assert not re.search(r"(?i)password\s*[:=]\s*['\"]?[A-Za-z0-9+/_-]{8,}", text), path


def test_lets_encrypt_changes_where_certificates_come_from_and_nothing_else() -> None:
    usual = yaml.safe_load((TRAEFIK / "traefik.yml").read_text())
    other = yaml.safe_load((TRAEFIK / "traefik.letsencrypt.yml").read_text())
    resolvers = other.pop("certificatesResolvers")
    assert usual == other
    assert resolvers["letsencrypt"]["acme"]["tlsChallenge"] == {}


def test_traefik_shows_nothing_of_itself_and_repeats_nothing() -> None:
    text = "".join(path.read_text() for path in TRAEFIK.rglob("*.yml"))
    usual = yaml.safe_load((TRAEFIK / "traefik.yml").read_text())
    assert usual["api"] == {"dashboard": False, "insecure": False}
    assert usual["entryPoints"]["https"]["forwardedHeaders"] == {"insecure": False, "trustedIPs": []}
    assert usual["entryPoints"]["health"]["address"].startswith("127.0.0.1:")
    assert "accessLog" not in usual
    assert not re.search(r"^\s*(retry|tcp|docker):", text, re.MULTILINE)
