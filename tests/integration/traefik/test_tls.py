"""What it takes to get as far as HTTP."""

import ssl
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.certificates import Authority
from tests.integration.signed.callers import ACCENTED
from tests.integration.traefik.conftest import Desk
from tests.signing_client import signed_call
from tests.traefik import Traefik, running_traefik


@pytest.fixture(scope="module")
def strict(live: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traefik]:
    """As delivered with `CLIENT_CA` set, and nothing else, in front of the same service."""
    directory = tmp_path_factory.mktemp("strict")
    ops = live.world.installation.settings.server.ops_listen.port
    clients = Authority(directory / "clients")
    with running_traefik(directory / "traefik", live.world.url, ops_port=ops, clients=clients) as running:
        yield running


def test_older_tls_is_refused(live: Desk) -> None:
    context = live.traefik.context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises((ssl.SSLError, ConnectionError)), closing(live.traefik.plain()) as plain:
        context.wrap_socket(plain, server_hostname="localhost")
    with closing(live.traefik.connect()) as connection:
        assert connection.version() == "TLSv1.3"


def test_plain_http_is_not_served(live: Desk) -> None:
    with closing(live.traefik.plain()) as plain:
        plain.sendall(b"GET /api/wallet HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        answer = plain.recv(65536)
    assert b"404 page not found" in answer, "Traefik has no route for it"
    assert b"X-Request-Id" not in answer


def test_without_a_certificate_nobody_gets_in_where_all_must_have_one(strict: Traefik, live: Desk) -> None:
    request = b"GET /docs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    assert b"200 OK" in strict.raw(request, strict.known)
    assert strict.raw(request) == b""
    # Of another authority.
    assert strict.raw(request, live.own) == b""


def test_a_certificate_of_an_unknown_authority_is_no_way_in(
    live: Desk, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """It has the client's name, and somebody else's signature."""
    forged = Authority(tmp_path_factory.mktemp("forged")).certificate("bot")
    call = signed_call(ACCENTED, "GET", "/api/auth/check").as_bytes("localhost")
    assert live.traefik.raw(call.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), forged) == b""
