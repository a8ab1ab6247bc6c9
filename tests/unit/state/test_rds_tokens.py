"""Tokens of AWS IAM: a presigned `connect`, for one host, port and user, by Signature Version 4; nobody is asked for them."""

import hashlib
import hmac
import re
import socket
from datetime import UTC, datetime
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from psycopg.conninfo import conninfo_to_dict

from vaultsigner.config.settings import StateOptions
from vaultsigner.errors import StateError
from vaultsigner.state.postgres import PostgresState
from vaultsigner.state.rds_tokens import RdsTokens

pytest.importorskip("boto3")

HOST = "desk.abc123.eu-west-1.rds.amazonaws.com"
URL = f"postgresql://signer@{HOST}:6543/desk?sslmode=verify-full"
KEY_ID, KEY, SESSION = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "session+of/the=task"
EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("ACCESS_KEY_ID", KEY_ID), ("SECRET_ACCESS_KEY", KEY), ("SESSION_TOKEN", SESSION)):
        monkeypatch.setenv(f"AWS_{name}", value)


def signature_of(host: str, query: str, moment: str, region: str) -> str:
    """By the book: docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html."""
    canonical = "\n".join(["GET", "/", query, f"host:{host}", "", "host", EMPTY_SHA256])
    scope = f"{moment[:8]}/{region}/rds-db/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", moment, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = f"AWS4{KEY}".encode()
    for part in (moment[:8], region, "rds-db", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.new(key, text.encode(), "sha256").hexdigest()


def test_a_token_is_a_presigned_connect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("somebody was asked"))
    token = RdsTokens(conninfo_to_dict(URL), "eu-west-1").make()
    assert token.startswith(f"{HOST}:6543/?")
    signed, _, signature = token.partition("?")[2].rpartition("&X-Amz-Signature=")
    parameters = {name: values[0] for name, values in parse_qs(urlsplit(f"https://{token}").query).items()}
    moment = parameters["X-Amz-Date"]
    assert (
        abs((datetime.now(UTC) - datetime.strptime(f"{moment}+0000", "%Y%m%dT%H%M%SZ%z")).total_seconds())
        < 900
    )
    assert parameters | {"X-Amz-Signature": ""} == {
        "Action": "connect",
        "DBUser": "signer",
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"{KEY_ID}/{moment[:8]}/eu-west-1/rds-db/aws4_request",
        "X-Amz-Date": moment,
        "X-Amz-Expires": "900",
        "X-Amz-SignedHeaders": "host",
        "X-Amz-Security-Token": SESSION,
        "X-Amz-Signature": "",
    }
    query = "&".join(sorted(signed.split("&")))
    assert quote(SESSION, safe="") in query
    assert signature == signature_of(f"{HOST}:6543", query, moment, "eu-west-1")


def test_without_a_port_it_is_for_the_usual_one() -> None:
    token = RdsTokens(conninfo_to_dict(URL.replace(":6543", "")), "eu-west-1").make()
    assert token.startswith(f"{HOST}:5432/?")


async def test_each_connection_has_a_token_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[str] = []

    def connect(_url: str, **settings: object) -> None:
        given.append(str(settings["password"]))
        raise StateError("nobody is there")

    monkeypatch.setattr("vaultsigner.state.postgres_address.psycopg.connect", connect)
    for _ in range(2):
        with pytest.raises(StateError, match="nobody is there"):
            await PostgresState(URL, StateOptions(aws_region="eu-west-1")).__aenter__()
    assert len(given) == 2
    assert all(
        re.match(rf"{re.escape(HOST)}:6543/\?Action=connect&DBUser=signer&X-Amz-", each) for each in given
    )


async def test_without_credentials_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN"):
        monkeypatch.delenv(f"AWS_{name}")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    with pytest.raises(StateError, match="AWS IAM gives no token for the database: NoCredentialsError"):
        await PostgresState(URL, StateOptions(aws_region="eu-west-1")).__aenter__()
