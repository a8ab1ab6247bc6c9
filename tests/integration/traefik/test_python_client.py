"""Our own client through the real Traefik: every scheme, and what Traefik itself says instead of vaultsigner."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.integration.client.asking import UNHURRIED, Asking, asking
from tests.integration.signed.callers import HMAC, KEYS, NAMES, OPEN_API, OPEN_API_NAME
from tests.integration.traefik.conftest import BOUND, BOUND_PASSWORD, Desk
from tests.integration.traefik.test_two_upstreams import Dying
from tests.patience import wait_until
from tests.traefik import Traefik, running_traefik
from tests.world import PASSWORD, USERNAME, Vector
from vaultsigner.client import (
    AuthenticationError,
    ClientCertificate,
    ConnectionLostError,
    Credentials,
    Ed25519Key,
    Freeze,
    HmacKey,
    MalformedRequestError,
    OpenApiKey,
    OutcomeUnknownError,
    PartnerError,
    PartnerKey,
    Password,
    RateLimitedError,
    RsaKey,
    SignedTransaction,
    SigningClientError,
)
from vaultsigner.dev.ports import free_port

MESSAGE = Freeze(symbol="BNB", amount="0.00000001")
MORE_THAN_TRAEFIK_TAKES = "x" * 70_000
BOT = HmacKey(HMAC.api_key, HMAC.secret)
UNHURRIED_SECONDS = 60.0
"""For what may be tried again; nothing waits for it to pass."""
Ask = Callable[..., Asking]


def pem(key: Any) -> str:
    """A private key as the client takes it."""
    text: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return text.decode()


CALLERS: dict[str, tuple[str, Credentials, Credentials]] = {
    "token": (USERNAME, Password(USERNAME, PASSWORD), Password(USERNAME, f"{PASSWORD}!")),
    "hmac": (NAMES["hmac_doc"], BOT, HmacKey(HMAC.api_key, f"{HMAC.secret[:-1]}!")),
    "rsa": (
        NAMES["rsa_test"],
        RsaKey(KEYS["rsa_test"]["api_key"], KEYS["rsa_test"]["private_key"]),
        RsaKey(KEYS["rsa_test"]["api_key"], pem(generate_private_key(65537, 2048))),
    ),
    "ed25519": (
        NAMES["ed25519_test"],
        Ed25519Key(KEYS["ed25519_test"]["api_key"], KEYS["ed25519_test"]["private_key"]),
        Ed25519Key(KEYS["ed25519_test"]["api_key"], pem(Ed25519PrivateKey.generate())),
    ),
    "open_api": (
        OPEN_API_NAME,
        OpenApiKey(OPEN_API.access_key_id, OPEN_API.secret),
        OpenApiKey(OPEN_API.access_key_id, f"{OPEN_API.secret}!"),
    ),
}
"""By scheme: whom the service knows by it, with their key, and with another."""


@pytest.fixture(params=["sync", "async"])
def ask(request: pytest.FixtureRequest) -> Iterator[Ask]:
    """A client of a Traefik, closed at the end."""
    with ExitStack() as stack:

        def made(traefik: Traefik, credentials: Credentials, **options: Any) -> Asking:
            url = f"https://localhost:{traefik.port}"
            usual = {"retry_seconds": UNHURRIED_SECONDS, "recv_window_ms": 60_000}
            options = {**usual, "ca_file": traefik.authority.file, **options}
            return stack.enter_context(asking(request.param, url, credentials, **options))

        yield made


@pytest.mark.parametrize("scheme", CALLERS)
def test_every_scheme_has_a_signature(live: Desk, wallet: str, ask: Ask, scheme: str) -> None:
    name, credentials, _ = CALLERS[scheme]
    signed = ask(live.traefik, credentials).sign(wallet, MESSAGE)
    assert isinstance(signed, SignedTransaction)
    (intent, outcome) = live.world.records(signed.request_id)
    assert (intent["principal"]["name"], intent["principal"]["scheme"]) == (name, scheme)
    assert signed.decision is not None
    assert signed.decision.seq == outcome["seq"]


@pytest.mark.parametrize("scheme", CALLERS)
def test_another_key_has_the_verdict_that_it_has_without_traefik(
    live: Desk, wallet: str, ask: Ask, scheme: str
) -> None:
    _, _, wrong = CALLERS[scheme]
    with pytest.raises(AuthenticationError) as through:
        ask(live.traefik, wrong).sign(wallet, MESSAGE)
    with (
        asking("sync", live.world.url, wrong, recv_window_ms=60_000) as client,
        pytest.raises(AuthenticationError) as straight,
    ):
        client.sign(wallet, MESSAGE)
    assert verdict(through.value) == verdict(straight.value)
    assert through.value.request_id != straight.value.request_id


def verdict(error: AuthenticationError) -> tuple[int, str, str]:
    """Less what differs each time."""
    return error.status, error.code, error.message


def test_the_partner(live: Desk, sample: Vector, ask: Ask) -> None:
    partner = PartnerKey(KEYS["web3_partner"]["private_key"])
    assert "deposit" in ask(live.traefik, partner, **UNHURRIED).partner_task_completion(sample["address"])
    stranger = PartnerKey(pem(generate_private_key(65537, 2048)))
    with pytest.raises(PartnerError) as caught:
        ask(live.traefik, stranger, **UNHURRIED).partner_task_completion(sample["address"])
    assert caught.value.code == "000003"


def test_who_has_to_show_a_certificate_shows_it_to_traefik(live: Desk, wallet: str, ask: Ask) -> None:
    bound, shown = Password(BOUND, BOUND_PASSWORD), ClientCertificate(live.own.file)
    assert ask(live.traefik, bound, client_certificate=shown).sign(wallet, MESSAGE).signed_msg
    with pytest.raises(AuthenticationError):
        ask(live.traefik, bound).sign(wallet, MESSAGE)


def too_large(client: Asking, wallet: str, way: str) -> None:
    """A request of each kind that Traefik does not let through."""
    if way == "forward":
        client.forward("main", "POST", "/api/v3/order", {"symbol": MORE_THAN_TRAEFIK_TAKES}, proof="none")
    else:
        message = {"to_address": "tbnb1", "symbol": "BNB", "amount": 1, "memo": MORE_THAN_TRAEFIK_TAKES}
        getattr(client, f"{way}_transfer")(wallet, **message)


@pytest.mark.parametrize("way", ["sign", "broadcast", "forward"])
def test_too_large_a_request_is_told_as_such(live: Desk, wallet: str, ask: Ask, way: str) -> None:
    with pytest.raises(MalformedRequestError, match=r"too large.*nothing was signed") as caught:
        too_large(ask(live.traefik, BOT), wallet, way)
    assert (caught.value.status, caught.value.code, caught.value.request_id) == (413, "body_too_large", "")


@pytest.fixture(scope="module")
def strict(live: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traefik]:
    """One that has let through what it lets through in an hour."""
    ops = live.world.installation.settings.server.ops_listen.port
    directory = tmp_path_factory.mktemp("strict") / "traefik"
    with running_traefik(directory, live.world.url, ops_port=ops) as running:
        (file,) = (each for each in (directory / "dynamic").iterdir() if "rateLimit" in each.read_text())
        limits = file.read_text()
        for usual in ("average: 1000, burst: 2000, period: 1s", "average: 50, burst: 100, period: 1s"):
            assert usual in limits
            limits = limits.replace(usual, "average: 1, burst: 1, period: 1h")
        rewrite(file, limits)
        for path in ("/api/auth/nothing", "/api/nothing"):
            wait_until(lambda path=path: answered(running, path) == 429, f"no more {path}")  # type: ignore[misc]  # a default
        yield running


def rewrite(file: Path, text: str) -> None:
    """At once: Traefik never reads a half of it."""
    other = file.with_suffix(".new")
    other.write_text(text)
    other.replace(file)


def answered(traefik: Traefik, path: str) -> int:
    """The status of an empty request to it."""
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", "Content-Length: 0", "Connection: close", "", ""]
    return int(traefik.raw("\r\n".join(lines).encode()).split(b" ")[1])


@pytest.mark.parametrize("credentials", [BOT, Password(USERNAME, PASSWORD)], ids=["sign", "log in"])
def test_too_many_requests_are_told_as_such(
    strict: Traefik, wallet: str, ask: Ask, credentials: Credentials
) -> None:
    with pytest.raises(RateLimitedError, match=r"too many requests.*nothing was signed") as caught:
        ask(strict, credentials).broadcast(wallet, MESSAGE)
    error = caught.value
    assert (error.status, error.code) == (429, "rate_limited")
    assert error.retry_after_seconds is not None
    assert error.retry_after_seconds > UNHURRIED_SECONDS, "or it would have been tried again"


@pytest.fixture(scope="module")
def deserted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traefik]:
    """Nobody serves behind it, and it knows."""
    directory = tmp_path_factory.mktemp("deserted") / "traefik"
    with running_traefik(directory, f"http://127.0.0.1:{free_port()}", ops_port=free_port()) as running:
        wait_until(lambda: answered(running, "/api/nothing") == 503, "Traefik has no server left")
        yield running


@pytest.fixture(scope="module")
def dying(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Dying, Traefik]]:
    """Whoever serves behind it reads a request, and dies of it."""
    service = Dying()
    directory = tmp_path_factory.mktemp("dying") / "traefik"
    with (
        service.running(),
        running_traefik(directory, f"http://127.0.0.1:{service.port}", ops_port=service.ops_port) as running,
    ):
        yield service, running


def assert_unknown(client: Asking, status: int) -> None:
    """Signing lost its answer; nobody knows of what acts."""
    told = f"HTTP {status} without an error document of vaultsigner's.*unknown"
    with pytest.raises(ConnectionLostError, match=told):
        client.sign("w", MESSAGE)
    with pytest.raises(OutcomeUnknownError, match=f"may have been done: .*{told}"):
        client.broadcast("w", MESSAGE)
    with pytest.raises(OutcomeUnknownError, match=f"may have been done: .*{told}"):
        client.forward("main", "POST", "/api/v3/order", {"symbol": "BTCUSDT"})


def test_without_a_server_the_outcome_is_unknown(deserted: Traefik, ask: Ask) -> None:
    assert_unknown(ask(deserted, BOT, retry_seconds=0), 503)


def test_where_the_server_dies_of_it_nothing_that_acts_is_asked_twice(
    dying: tuple[Dying, Traefik], ask: Ask
) -> None:
    service, traefik = dying
    service.requests.clear()
    assert_unknown(ask(traefik, BOT, retry_seconds=0), 502)
    assert len(service.requests) == 3
    with pytest.raises(OutcomeUnknownError):
        ask(traefik, BOT).broadcast("w", MESSAGE)
    assert len(service.requests) == 4


def test_a_password_that_cannot_be_shown_is_a_typed_error_too(deserted: Traefik, ask: Ask) -> None:
    with pytest.raises(SigningClientError, match="HTTP 503 "):
        ask(deserted, Password(USERNAME, PASSWORD), retry_seconds=0).broadcast("w", MESSAGE)
