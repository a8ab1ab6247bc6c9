"""What AWS and Vault's AWS method are to custody: places that give out a role's credentials, and a Vault that has the signed
request verified. The credentials, and the verification of signatures, are those of moto's IAM and STS.
"""

import json
import threading
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import urlsplit

import boto3

from vaultsigner.dev.openbao import OpenBao

ACCOUNT = "123456789012"
ROLE = "vaultsigner-task"
SERVER_ID = "vault.example.com"
POD_TOKEN = "of-the-pod"
_TRUST = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:*"}]}


@dataclass
class Aws:
    """moto, with one role."""

    url: str
    arn: str = ""

    def __post_init__(self) -> None:
        iam = self._client("iam")
        made = iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(_TRUST))
        self.arn = made["Role"]["Arn"]

    def credentials(self) -> dict[str, str]:
        """As containers and machines are given them."""
        found = self._client("sts").assume_role(RoleArn=self.arn, RoleSessionName="task")["Credentials"]
        return {
            "AccessKeyId": found["AccessKeyId"],
            "SecretAccessKey": found["SecretAccessKey"],
            "Token": found["SessionToken"],
            "Expiration": found["Expiration"].isoformat(),
        }

    def who_signed(self, headers: dict[str, str], body: bytes) -> str | None:
        """The ARN that STS names for a signed request; None where the signature is not good."""
        self._check_signatures("0")
        try:
            status, answer = self._post("/", headers, body)
        finally:
            self._check_signatures("inf")
        text = answer.decode()
        return text.partition("<Arn>")[2].partition("</Arn>")[0] if status == 200 else None

    def _check_signatures(self, from_request: str) -> None:
        status, _ = self._post("/moto-api/reset-auth", {}, from_request.encode())
        assert status == 200

    def _post(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        connection = HTTPConnection(urlsplit(self.url).netloc, timeout=30)
        try:
            connection.putrequest("POST", path, skip_host="Host" in headers, skip_accept_encoding=True)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def _client(self, service: str) -> Any:
        return boto3.client(
            service,
            region_name="us-east-1",
            endpoint_url=self.url,
            aws_access_key_id="AKIAOPERATOR",
            aws_secret_access_key="of-no-use",
        )


@dataclass
class Seen:
    """What custody has sent."""

    log_ins: list[dict[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    given: list[dict[str, str]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


class VaultWithAws(ThreadingHTTPServer):
    """In front of OpenBao: everything goes there, but a log-in by AWS is answered here, as Vault's documentation has it."""

    def __init__(self, openbao: OpenBao, aws: Aws, *, server_id: str = SERVER_ID) -> None:
        super().__init__(("127.0.0.1", 0), _Vault)
        self.openbao, self.aws, self.server_id, self.seen = openbao, aws, server_id, Seen()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def log_in(self, document: dict[str, str]) -> str | None:
        """A token for a log-in that is right, the reason why not otherwise noted."""
        self.seen.log_ins.append(document)
        why = self._wrong(document)
        if why is not None:
            self.seen.refused.append(why)
            return None
        answer = self.openbao.client.auth.token.create(
            policies=["vaultsigner"], no_default_policy=True, no_parent=True, ttl="1h", renewable=True
        )
        return cast(str, answer["auth"]["client_token"])

    def _wrong(self, document: dict[str, str]) -> str | None:
        body = b64decode(document["iam_request_body"])
        url = b64decode(document["iam_request_url"]).decode()
        headers = json.loads(b64decode(document["iam_request_headers"]))
        self.seen.headers.append(headers)
        signed = headers["Authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
        needed = {"host", "x-amz-date", "x-vault-aws-iam-server-id"}
        wrong = {
            "role or method": (document["role"], document["iam_http_request_method"])
            != ("vaultsigner", "POST"),
            "question": (body, urlsplit(url).path) != (b"Action=GetCallerIdentity&Version=2011-06-15", "/"),
            "host": headers.get("Host") != urlsplit(url).netloc,
            "server id": headers.get("X-Vault-AWS-IAM-Server-ID") != self.server_id,
            "signed headers": not needed <= set(signed),
        }
        if any(wrong.values()):
            return ", ".join(what for what, is_wrong in wrong.items() if is_wrong)
        arn = self.aws.who_signed(headers, body)
        if arn is None:
            return "signature"
        return None if f":assumed-role/{ROLE}/" in arn else f"principal {arn}"


class _Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status: int, body: bytes, kind: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def received(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", "0")))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        """Says nothing."""


class _Vault(_Answering):
    def _handle(self) -> None:
        vault, body = cast(VaultWithAws, self.server), self.received()
        if self.path == "/v1/auth/aws/login":
            token = vault.log_in(json.loads(body))
            if token is None:
                self.answer(400, b'{"errors":["refused"]}')
                return
            auth = {
                "client_token": token,
                "lease_duration": 3600,
                "renewable": True,
                "token_policies": ["vaultsigner"],
            }
            self.answer(200, json.dumps({"request_id": "of-the-stand-in", "auth": auth}).encode())
            return
        connection = HTTPConnection(urlsplit(vault.openbao.address).netloc, timeout=30)
        try:
            connection.request(self.command, self.path, body or None, dict(self.headers.items()))
            answer = connection.getresponse()
            self.answer(answer.status, answer.read())
        finally:
            connection.close()

    def do_GET(self) -> None:
        self._handle()

    def do_POST(self) -> None:
        self._handle()


class CredentialsPlace(ThreadingHTTPServer):
    """The task's, the pod's and the machine's address in one."""

    def __init__(self, aws: Aws) -> None:
        super().__init__(("127.0.0.1", 0), _Credentials)
        # Made before they are asked for: custody waits two seconds for an answer, and moto takes its time for its first.
        self.credentials, self.seen = aws.credentials(), Seen()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class _Credentials(_Answering):
    def _handle(self) -> None:
        place = cast(CredentialsPlace, self.server)
        self.received()
        place.seen.asked.append(f"{self.command} {self.path}")
        metadata = "/latest/meta-data/iam/security-credentials/"
        with_token = self.headers.get("X-aws-ec2-metadata-token") == "imds-token"
        match (self.command, self.path):
            case ("PUT", "/latest/api/token") if self.headers.get("X-aws-ec2-metadata-token-ttl-seconds"):
                self.answer(200, b"imds-token", "text/plain")
            case ("GET", path) if path == metadata and with_token:
                self.answer(200, ROLE.encode(), "text/plain")
            case ("GET", path) if path == metadata + ROLE and with_token:
                self._give()
            case ("GET", "/task?id=1"):
                self._give()
            case ("GET", "/pod") if self.headers.get("Authorization") == POD_TOKEN:
                self._give()
            case _:
                self.answer(401, b"{}")

    def _give(self) -> None:
        place = cast(CredentialsPlace, self.server)
        place.seen.given.append(place.credentials)
        self.answer(200, json.dumps({"Code": "Success", **place.seen.given[-1]}).encode())

    def do_GET(self) -> None:
        self._handle()

    def do_PUT(self) -> None:
        self._handle()


@contextmanager
def served(server: ThreadingHTTPServer) -> Iterator[None]:
    """While the block lasts."""
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    with server:
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
