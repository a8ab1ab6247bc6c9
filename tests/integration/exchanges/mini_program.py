"""Binance's Open API for mini-programs, as far as tests need it: verifies tokens with PyJWT, encrypts for the app's key."""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

APP_ID, ACCESS_KEY_ID, SECRET = (
    "testApp01",
    "test-access-key-id",
    "a secret of the app's, for tests alone, 0123456789",
)
_DATA = "/mp-api/v1/apps/testApp01/user-open-data"


@dataclass(slots=True)
class MiniProgram:
    """The API's side of one app.

    Args:
        users: what a data token stands for.
        answer: instead of what it would say, for the next call.
    """

    url: str
    key: RSAPrivateKey
    users: dict[str, str] = field(default_factory=dict)
    answer: bytes | None = None
    asked: list[str] = field(default_factory=list)

    @property
    def private_key(self) -> str:
        """PEM, as the app's owner has it."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

    def encrypted(self, text: str) -> str:
        """base64url, PKCS#1 v1.5."""
        raw = self.key.public_key().encrypt(text.encode(), PKCS1v15())
        return base64.urlsafe_b64encode(raw).decode()

    def says(self, target: str, token: str | None) -> bytes:
        """The answer to a GET."""
        self.asked.append(target)
        path, query = urlsplit(target).path, urlsplit(target).query
        if self.answer is not None:
            answer, self.answer = self.answer, None
            return answer
        if path != _DATA or not token or not _covers(token, f"{path}/", query):
            return json.dumps({"code": "900002", "message": "Jwt auth failed", "data": None}).encode()
        user = self.users.get(parse_qs(query)["openData"][0])
        if user is None:
            return json.dumps({"code": "900201", "message": "Invalid data token", "data": None}).encode()
        data = {"userData": self.encrypted(user)}
        return json.dumps({"code": "000000", "message": None, "data": data, "success": True}).encode()


def _covers(token: str, path: str, query: str) -> bool:
    try:
        claims = jwt.decode(token, SECRET, algorithms=["HS256"])
    except jwt.InvalidTokenError:
        return False
    empty = hashlib.sha256(b"").hexdigest()
    digest = hashlib.sha256(f"GET\n{path}\n{query}\n{empty}".encode()).hexdigest()
    timely = abs(time.time() - claims["ts"]) < 60
    return (claims["iss"], claims["dig"]) == (ACCESS_KEY_ID, digest) and timely


@contextmanager
def running_mini_program() -> Iterator[MiniProgram]:
    """The API on a loopback port."""
    program = MiniProgram("", generate_private_key(65537, 2048))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = program.says(self.path, self.headers.get("X-Mp-Open-Api-Token"))
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    program.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield program
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
