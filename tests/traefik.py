"""The real Traefik on loopback, with the configuration that is delivered in deploy/traefik; only ports and paths differ."""

import json
import os
import shutil
import socket
import ssl
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import yaml

from tests.certificates import Authority, Certificate
from tests.patience import PATIENCE_SECONDS, wait_until
from tests.signing_client import Reply, SignedCall
from vaultsigner.dev.ports import free_port
from vaultsigner.dev.processes import ChildProcess

DELIVERED = Path(__file__).parents[1] / "deploy" / "traefik"


@dataclass(frozen=True)
class Traefik:
    """A running Traefik.

    Args:
        port: where it speaks TLS.
        authority: whose certificate it has.
        directory: its files; `access.jsonl` is there for tests alone.
        known: a certificate that every client may have to show.
    """

    port: int
    authority: Authority
    directory: Path
    process: ChildProcess
    known: Certificate | None = None

    def connect(
        self, certificate: Certificate | None = None, *, source: str = "127.0.0.1", protocol: str = "http/1.1"
    ) -> ssl.SSLSocket:
        """A TLS connection, from any loopback address, by somebody who shows a certificate or none."""
        context = self.context(certificate)
        context.set_alpn_protocols([protocol])
        return context.wrap_socket(self.plain(source=source), server_hostname="localhost")

    def plain(self, *, source: str = "127.0.0.1") -> socket.socket:
        """A connection on which nobody has spoken TLS yet."""
        return socket.create_connection(("127.0.0.1", self.port), PATIENCE_SECONDS, (source, 0))

    def context(self, certificate: Certificate | None = None) -> ssl.SSLContext:
        """What such a client has."""
        context = ssl.create_default_context(cafile=str(self.authority.file))
        if certificate is not None:
            context.load_cert_chain(certificate.file)
        return context

    def raw(
        self,
        data: bytes,
        certificate: Certificate | None = None,
        *,
        source: str = "127.0.0.1",
        silence_seconds: float = PATIENCE_SECONDS,
    ) -> bytes:
        """Send bytes as they are; everything that comes back until Traefik closes, or says nothing for so long."""
        answer = b""
        with closing(self.connect(certificate, source=source)) as connection:
            connection.settimeout(silence_seconds)
            try:
                connection.sendall(data)
                while piece := connection.recv(65536):
                    answer += piece
            except (OSError, TimeoutError):
                pass  # cut off, or silent: what came before that counts
        return answer

    def send(
        self, call: SignedCall, certificate: Certificate | None = None, *, source: str = "127.0.0.1"
    ) -> Reply:
        """A request just as it is."""
        connection = HTTPConnection("localhost", self.port, timeout=PATIENCE_SECONDS)
        with closing(connection):
            connection.sock = self.connect(certificate, source=source)
            connection.putrequest(call.method, call.target, skip_accept_encoding=True)
            for name, value in call.headers.items():
                connection.putheader(name, value)
            if call.body or call.method in ("POST", "PUT"):
                connection.putheader("Content-Length", str(len(call.body)))
            connection.endheaders(call.body or None)
            response = connection.getresponse()
            text = response.read()
            is_json = response.headers.get_content_type() == "application/json"
            body = json.loads(text) if is_json and text else text.decode()
            return Reply(response.status, body, dict(response.getheaders()))

    def routed(self) -> list[dict[str, Any]]:
        """What Traefik made of every request, in its own words; a line that is being written is left for the next look."""
        path = self.directory / "access.jsonl"
        whole = path.read_text().rpartition("\n")[0] if path.exists() else ""
        return [json.loads(line) for line in whole.splitlines()]


@contextmanager
def running_traefik(
    directory: Path, *upstreams: str, ops_port: int, clients: Authority | None = None, client_auth: str = ""
) -> Iterator[Traefik]:
    """Traefik in front of one or two services.

    Args:
        directory: to be made.
        upstreams: URLs.
        ops_port: where each of them tells how it is, at its own address.
        clients: the authority whose certificates clients have to show.
        client_auth: another of Traefik's ways to ask for them.
    """
    authority = Authority(directory / "certificates")
    server = authority.certificate("localhost")
    port, health_port = free_port(), free_port()
    shutil.copytree(DELIVERED / "dynamic", directory / "dynamic")
    static = adapted(DELIVERED / "traefik.yml", directory, port, health_port)
    environment = {
        "PATH": os.defpath,
        "CERTIFICATE": str(server.file),
        "CERTIFICATE_KEY": str(server.file),
        "CLIENT_CA": str(clients.file) if clients else "",
        "CLIENT_AUTH": client_auth,
        "UPSTREAM_1": upstreams[0],
        "UPSTREAM_2": upstreams[-1],
        "UPSTREAM_OPS_PORT": str(ops_port),
    }
    process = start(directory, static, environment)
    try:
        known = clients.certificate("known") if clients else None
        running = Traefik(port, authority, directory, process, known)
        wait_until(lambda: _serves(running), "Traefik serves")
        yield running
    finally:
        process.stop()


def adapted(delivered: Path, directory: Path, port: int, health_port: int) -> Path:
    """A copy of the static configuration for these ports and paths, with an access log that only tests may have."""
    static = yaml.safe_load(delivered.read_text())
    static["entryPoints"]["https"]["address"] = f"127.0.0.1:{port}"
    static["entryPoints"]["health"]["address"] = f"127.0.0.1:{health_port}"
    static["providers"]["file"]["directory"] = str(directory / "dynamic")
    static["accessLog"] = {
        "filePath": str(directory / "access.jsonl"),
        "format": "json",
        "fields": {"headers": {"defaultMode": "keep"}},
    }
    copy = directory / "traefik.yml"
    copy.write_text(yaml.safe_dump(static))
    return copy


def program() -> str:
    """Traefik's own binary, as its package carries it."""
    return str(Path(sys.executable).parent / "traefik")


def start(directory: Path, static: Path, environment: Mapping[str, str]) -> ChildProcess:
    """Start it on a static configuration."""
    return ChildProcess(
        [program(), f"--configFile={static}"], log=directory / "traefik.log", environment=environment
    )


def _serves(running: Traefik) -> bool:
    """Past reading its certificates and routes; a client without a certificate may be turned away."""
    if not running.process.running:
        raise running.process.failure("Traefik ended:")
    request = b"GET /is-it-there HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    try:
        return b"404 page not found" not in running.raw(request, running.known)
    except OSError:
        return False
