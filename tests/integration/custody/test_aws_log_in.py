"""Log-in by AWS role: where the credentials come from, and what Vault is sent. The signatures are verified by moto's STS."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.adversarial.memory_search import ProcessMemory
from tests.aws_log_in import POD_TOKEN, SERVER_ID, Aws, CredentialsPlace, VaultWithAws, served
from tests.buckets import running_s3
from tests.integration.custody.conftest import CustodyWorld, plan
from tests.integration.custody.custody_process import connected, running_custody
from tests.integration.custody.log_ins import Drop, Issuer, log_lines, until_health, write_vault
from tests.world import Vector
from vaultsigner import config
from vaultsigner.dev.installation import Installation, install
from vaultsigner.dev.openbao import OpenBao


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    with running_s3() as url:
        yield Aws(url)


@dataclass(frozen=True, slots=True)
class Desk:
    """OpenBao with the AWS method in front of it, an installation on it, and a place with credentials."""

    openbao: OpenBao
    vault: VaultWithAws
    place: CredentialsPlace
    directory: Path
    installation: Installation

    def with_auth(self, **members: object) -> Installation:
        auth = {"method": "aws", "server_id": SERVER_ID, **members}
        write_vault(self.installation.config_file, address=self.vault.url, auth=auth)
        settings = config.load(self.installation.config_file, {})
        return Installation(self.installation.directory, settings)

    def task(self) -> dict[str, str]:
        """What an ECS task's environment says."""
        return {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{self.place.url}/task?id=1"}


@pytest.fixture
def desk(tmp_path: Path, own_openbao: OpenBao, vectors: list[Vector], aws: Aws) -> Iterator[Desk]:
    installation = install(tmp_path / "vs", own_openbao, plan(vectors[:1]))
    vault, place = VaultWithAws(own_openbao, aws), CredentialsPlace(aws)
    with served(vault), served(place):
        yield Desk(own_openbao, vault, place, tmp_path, installation)


async def signs(
    desk: Desk, installation: Installation, order: Vector, environment: Mapping[str, str]
) -> CustodyWorld:
    with running_custody(installation, **environment) as custody:
        world = CustodyWorld(desk.openbao, installation, custody)
        async with connected(custody.socket_path) as client:
            answer = await client.sign_beacon(world.request(order))
            assert answer.signature.hex() == order["signature"], desk.vault.seen.refused
            if os.geteuid() == 0:
                secrets = [given["SecretAccessKey"] for given in desk.place.seen.given]
                needles = {f"key {number}": secret.encode() for number, secret in enumerate(secrets)}
                needles |= {
                    f"bytes {number}": f"AWS4{secret}".encode() for number, secret in enumerate(secrets)
                }
                assert ProcessMemory(custody.pid).find(needles) == set()
        (log_in,) = log_lines(world, "logged_in")
        assert log_in["method"] == "aws"
        return world


@pytest.mark.parametrize(
    ("members", "host"),
    [
        ({}, "sts.amazonaws.com"),
        ({"region": "us-east-1"}, "sts.amazonaws.com"),
        ({"region": "eu-west-1"}, "sts.eu-west-1.amazonaws.com"),
        ({"region": "eu-west-1", "sts_endpoint": "https://sts.example:8443"}, "sts.example:8443"),
    ],
    ids=["global", "us-east-1", "eu-west-1", "endpoint"],
)
async def test_the_task_s_role(desk: Desk, order: Vector, members: dict[str, object], host: str) -> None:
    await signs(desk, desk.with_auth(**members), order, desk.task())
    (headers,) = desk.vault.seen.headers
    assert headers["Host"] == host
    assert f"/{members.get('region', 'us-east-1')}/sts/aws4_request" in headers["Authorization"]
    assert headers["X-Amz-Security-Token"] == desk.place.seen.given[0]["Token"]


async def test_the_pods_identity(desk: Desk, order: Vector) -> None:
    Drop(desk.directory / "pod-token").put(POD_TOKEN)
    environment = {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{desk.place.url}/pod",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(desk.directory / "pod-token"),
    }
    await signs(desk, desk.with_auth(), order, environment)


async def test_the_machines_role_by_imdsv2(desk: Desk, order: Vector) -> None:
    await signs(desk, desk.with_auth(), order, {"AWS_EC2_METADATA_SERVICE_ENDPOINT": desk.place.url})
    assert desk.place.seen.asked[0] == "PUT /latest/api/token"
    assert len(desk.place.seen.asked) == 3


async def test_the_pods_web_identity(desk: Desk, order: Vector, aws: Aws) -> None:
    Drop(desk.directory / "web-identity").put(Issuer().jwt(sub="system:serviceaccount:trading:vaultsigner"))
    environment = {
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(desk.directory / "web-identity"),
        "AWS_ROLE_ARN": aws.arn,
    }
    await signs(desk, desk.with_auth(sts_endpoint=aws.url), order, environment)
    assert desk.vault.seen.headers[0]["Host"] == aws.url.partition("://")[2]


@pytest.mark.parametrize(
    ("members", "why"),
    [({"server_id": "vault.other.example"}, "server id"), ({"server_id": None}, "server id, signed headers")],
)
async def test_a_log_in_for_another_vault_is_no_good_here(
    desk: Desk, members: dict[str, object], why: str
) -> None:
    """The server id is what keeps a request that was signed for one Vault from counting at another."""
    with running_custody(desk.with_auth(**members), **desk.task()) as custody:
        async with connected(custody.socket_path) as client:
            health = await until_health(client, lambda health: health.vault == "denied")
    assert "refuses the log-in by aws (status 400)" in (health.vault_problem or "")
    assert set(desk.vault.seen.refused) == {why}


async def test_a_server_id_put_in_afterwards_is_not_covered_by_the_signature(
    desk: Desk, order: Vector, aws: Aws
) -> None:
    """That moto checks signatures at all: the same headers with another server id, date or body are refused."""
    await signs(desk, desk.with_auth(), order, desk.task())
    (headers,) = desk.vault.seen.headers
    question = b"Action=GetCallerIdentity&Version=2011-06-15"
    assert aws.who_signed(headers, question) is not None
    for name in ("X-Vault-AWS-IAM-Server-ID", "X-Amz-Date"):
        assert aws.who_signed({**headers, name: headers[name] + "0"}, question) is None
    assert aws.who_signed(headers, question + b"&x=y") is None


@pytest.mark.parametrize(
    ("environment", "problem"),
    [
        ({"AWS_EC2_METADATA_DISABLED": "true"}, "there are no AWS credentials"),
        (
            {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://203.0.113.7/creds"},
            "one of this machine's, or https",
        ),
        (
            {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://u@127.0.0.1/creds"},
            "one of this machine's, or https",
        ),
        (
            {"AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:1"},
            "are not to be had from http://127.0.0.1:1",
        ),
        ({"AWS_WEB_IDENTITY_TOKEN_FILE": "/nonexistent", "AWS_ROLE_ARN": "arn"}, "cannot be read"),
    ],
    ids=["none", "elsewhere", "user", "silent", "file"],
)
async def test_without_credentials_it_is_told_why(
    desk: Desk, environment: dict[str, str], problem: str
) -> None:
    with running_custody(desk.with_auth(), **environment) as custody:
        async with connected(custody.socket_path) as client:
            health = await until_health(client, lambda health: health.vault == "denied")
    assert problem in (health.vault_problem or "")
    assert not desk.vault.seen.log_ins
