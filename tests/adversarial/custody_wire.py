"""Custody's own wire, spoken by hand: what one who has taken the server over can send, well-formed or not."""

import json
import socket
import struct
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.adversarial.desk import RECEIVER
from tests.patience import PATIENCE_SECONDS
from tests.signing_client import API_KEY_HEADER, SignedCall
from tests.world import USERNAME
from vaultsigner.dev.service import Service
from vaultsigner.policy import load as load_policies

HEADER = struct.Struct(">IBBQ")
"""Length of what follows it, version, code, id."""
AFTER_LENGTH = HEADER.size - 4
VERSION = 4
HELLO, PUBLIC_KEY, SIGN_BEACON, LOG_IN, ACCESS_TOKEN_KEYS, HEALTH, AUTHENTICATE, CHECK_CLIENT = range(8)
LOAD_POLICIES, SIGN_EXCHANGE, OPEN_API_TOKEN, OPEN_API_DECRYPT, CHECK_EXCHANGE, CHECK_OPEN_API = range(8, 14)
METRICS, LOG_IN_WITH_CERTIFICATE, FIND_KEYS = range(16, 19)
ANSWER = 0x80

OUTPUT: dict[str, Any] = {"to_address": RECEIVER, "coins": [{"denom": "BNB", "amount": 1}]}
TRANSFER: dict[str, Any] = {"kind": "transfer", "outputs": [OUTPUT]}


@dataclass(frozen=True, slots=True)
class Answer:
    """One frame from custody."""

    code: int
    id: int
    document: Any

    @property
    def error(self) -> str | None:
        """The code of an error; None for a good answer."""
        code: str | None = self.document.get("error", {}).get("code")
        return code


def frame(
    code: int, payload: bytes, id_: int = 1, version: int = VERSION, length: int | None = None
) -> bytes:
    """A frame; `length` may lie."""
    told = AFTER_LENGTH + len(payload) if length is None else length
    return HEADER.pack(told, version, code, id_) + payload


def question(**changed: Any) -> dict[str, Any]:
    """A good request to sign, with changes."""
    good = {
        **{
            "request_id": "forged",
            "principal": {"kind": "user", "name": USERNAME},
            "operation": "transfer.sign",
        },
        **{
            "wallet": "desk",
            "message": TRANSFER,
            "memo": "",
            "account_number": 1,
            "sequence": 0,
            "source": 0,
            "ip": "127.0.0.1",
        },
    }
    return {**good, **changed}


def signed_request(call: SignedCall, operation: str = "transfer.sign", **changed: Any) -> dict[str, Any]:
    """A good question about who signed a call, with changes."""
    asked = {
        **{"request_id": "forged", "family": "client", "operation": operation, "method": call.method},
        **{"ip": "127.0.0.1", "credential": _base64(call.headers.get(API_KEY_HEADER, "").encode())},
        **{
            "path": _base64(call.path.encode()),
            "query": _base64(call.query.encode()),
            "body": _base64(call.body),
        },
    }
    return {**asked, **changed}


def _base64(data: bytes) -> str:
    return b64encode(data).decode()


def user(name: str) -> dict[str, str]:
    """A principal."""
    return {"kind": "user", "name": name}


class Wire:
    """A connection to custody that has heard its hello."""

    def __init__(self, connection: socket.socket, tokens: Mapping[str, str], policy: str = "") -> None:
        self._connection = connection
        self._tokens = tokens
        self._policy = policy

    def send(self, data: bytes) -> None:
        """Any bytes at all."""
        self._connection.sendall(data)

    def ask(self, code: int, question: object, id_: int = 1) -> Answer:
        """A question in a good frame; bytes go as they are, all else as JSON.

        A request to sign gets the access token of whom it names, as far as that user has logged in, else of the first who did;
        and the digest of the policies that lay in the directory when the connection was made.
        """
        if code == SIGN_BEACON and isinstance(question, dict):
            question = {"policy": self._policy, **self._with_token(question)}
        payload = question if isinstance(question, bytes) else json.dumps(question).encode()
        self.send(frame(code, payload, id_))
        return self.read()

    def read(self) -> Answer:
        """The next frame.

        Raises:
            EOFError: custody has closed the connection.
        """
        length, _, code, id_ = HEADER.unpack(self._take(HEADER.size))
        return Answer(code, id_, json.loads(self._take(length - AFTER_LENGTH)))

    def _with_token(self, question: dict[str, Any]) -> dict[str, Any]:
        principal = question.get("principal")
        name = principal.get("name") if isinstance(principal, dict) else None
        known = self._tokens.get(str(name)) or next(iter(self._tokens.values()), "none")
        token = None if question.get("ticket") else known
        return {"access_token": token, "ticket": None, **question}

    def closed(self) -> bool:
        """Whether custody closes the connection, whatever it may still have to say before."""
        try:
            while True:
                self.read()
        except (EOFError, ConnectionError):
            return True
        except TimeoutError:
            return False

    def _take(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            more = self._connection.recv(count - len(data))
            if not more:
                raise EOFError("custody has closed the connection")
            data += more
        return data


@contextmanager
def wire_to(
    service: Service, tokens: Mapping[str, str] | None = None, *, timeout_seconds: float = PATIENCE_SECONDS
) -> Iterator[Wire]:
    """A connection to the custody process of a service, as its server has one.

    Args:
        tokens: the access tokens by user that the server has seen pass.
    """
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(timeout_seconds)
        connection.connect(str(custody_socket(service)))
        wire = Wire(connection, tokens or {}, policy_of(service))
        assert wire.read().code == HELLO | ANSWER
        yield wire


def policy_of(service: Service) -> str:
    """The digest of the policies as they lie in the service's directory."""
    return load_policies(service.installation.settings.policies).digest


def custody_socket(service: Service) -> Path:
    """Where custody listens: the server is told on its command line."""
    arguments = Path(f"/proc/{service.server_pid}/cmdline").read_bytes().split(b"\0")
    return Path(arguments[arguments.index(b"--custody-socket") + 1].decode())


def vault_reads(service: Service) -> int:
    """How many secrets custody has read since it started."""
    with wire_to(service) as wire:
        reads: int = wire.ask(HEALTH, {}).document["ok"]["vault_reads"]
        return reads
