"""Two services behind one Traefik: one is killed and comes back; and no request is ever sent twice."""

import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any

import pytest

from tests.integration.signed.callers import HMAC, planned_clients
from tests.patience import wait_until
from tests.signing_client import signed_call
from tests.traefik import Traefik, running_traefik
from tests.world import World, running_world
from vaultsigner.dev.ports import free_port
from vaultsigner.dev.service import Service

CHECK = "/api/auth/check"
ONE, OTHER = "127.0.0.1", "127.0.0.2"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    directory = tmp_path_factory.mktemp("two")
    with running_world(
        directory / "world", [], clients=planned_clients(), trusted_proxies=("127.0.0.1/32",)
    ) as running:
        yield running


@pytest.fixture(scope="module")
def second(world: World) -> Iterator[Service]:
    """At another address, and the same ports, as a second container is."""
    server = world.installation.settings.server
    ports: dict[str, Any] = {"listen_port": server.listen.port, "ops_port": server.ops_listen.port}
    with world.second_service("second", listen_host=OTHER, **ports) as service:
        yield service


@pytest.fixture(scope="module")
def traefik(world: World, second: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traefik]:
    ops = world.installation.settings.server.ops_listen.port
    directory = tmp_path_factory.mktemp("balancing") / "traefik"
    with running_traefik(directory, world.url, second.url, ops_port=ops) as running:
        yield running


def ask(traefik: Traefik, times: int) -> Counter[tuple[str, int]]:
    """Who answered how."""
    before = len(traefik.routed())
    statuses = [traefik.send(signed_call(HMAC, "GET", CHECK)).status for _ in range(times)]
    wait_until(lambda: len(traefik.routed()) >= before + times, "the access log is written")
    asked = traefik.routed()[before : before + times]
    answered_by = [entry.get("ServiceAddr", "nobody").partition(":")[0] for entry in asked]
    return Counter(zip(answered_by, statuses, strict=True))


def shared_alike(traefik: Traefik) -> bool:
    """On a busy machine one may be late once with its readiness, and is left out for two seconds."""
    return ask(traefik, 20) == {(ONE, 200): 10, (OTHER, 200): 10}


def test_both_are_asked(traefik: Traefik) -> None:
    wait_until(lambda: shared_alike(traefik), "each gets half", poll_seconds=0.2)


def test_one_that_was_killed_is_left_out_and_taken_back(traefik: Traefik, second: Service) -> None:
    second.kill()
    wait_until(lambda: ask(traefik, 20) == {(ONE, 200): 20}, "Traefik leaves it out", poll_seconds=0.2)
    second.start()
    wait_until(lambda: shared_alike(traefik), "Traefik takes it back", poll_seconds=0.2)


class Dying:
    """A service that reads a request and dies of it, at two addresses; it says that it is ready."""

    def __init__(self) -> None:
        self.requests: list[bytes] = []
        self.port, self.ops_port = free_port(), free_port()

    @contextmanager
    def running(self) -> Iterator[None]:
        sockets = [
            socket.create_server((host, port)) for host in (ONE, OTHER) for port in (self.port, self.ops_port)
        ]
        threads = [threading.Thread(target=self._serve, args=(each,)) for each in sockets]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            for each in sockets:
                each.shutdown(socket.SHUT_RDWR)
                each.close()
            for thread in threads:
                thread.join()

    def _serve(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with closing(connection), suppress(OSError):
                    data = connection.recv(65536)
                    if b"GET /readyz" in data:
                        connection.sendall(
                            b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                        )
                    elif data and b"/is-it-there" not in data:
                        self.requests.append(data)


@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT"])
@pytest.mark.parametrize("body", [b"", b"{}"])
@pytest.mark.parametrize("header", ["X-Plain: 1", "Idempotency-Key: 1", "X-Idempotency-Key: 1"])
def test_a_request_without_an_answer_is_not_sent_again(
    dying: tuple[Dying, Traefik], method: str, body: bytes, header: str
) -> None:
    """Go's own client would repeat a request that says it is idempotent, on a connection that it had used before."""
    service, traefik = dying
    service.requests.clear()
    length = f"Content-Length: {len(body)}"
    lines = [
        f"{method} /api/transfer/broadcast HTTP/1.1",
        "Host: localhost",
        header,
        length,
        "Connection: close",
    ]
    answer = traefik.raw("\r\n".join([*lines, "", ""]).encode() + body)
    assert b" 502 " in answer.split(b"\r\n")[0]
    assert len(service.requests) == 1


ALIASES = ("X_Forwarded_For", "X.Forwarded.For", "X_Forwarded_Tls_Client_Cert", "X-Forwarded_For")


def test_no_name_is_handed_on_that_others_might_read_as_another(dying: tuple[Dying, Traefik]) -> None:
    service, traefik = dying
    service.requests.clear()
    lines = [*(f"{name}: 10.0.0.1" for name in ALIASES), "X-Plain: 1", "Connection: close"]
    traefik.raw("\r\n".join(["GET /anything HTTP/1.1", "Host: localhost", *lines, "", ""]).encode())
    (request,) = service.requests
    names = [line.partition(b":")[0].decode().lower() for line in request.split(b"\r\n")[1:] if line]
    assert {"x-plain", "x-forwarded-for"} <= set(names)
    assert not [name for name in names if "_" in name or "." in name]


@pytest.fixture(scope="module")
def dying(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Dying, Traefik]]:
    service = Dying()
    urls = [f"http://{host}:{service.port}" for host in (ONE, OTHER)]
    directory = tmp_path_factory.mktemp("dying") / "traefik"
    with service.running(), running_traefik(directory, *urls, ops_port=service.ops_port) as traefik:
        yield service, traefik
