"""Secrets are not shown, files are read anew, and what would be rounded or read by others is refused."""

import inspect
import json
import pydoc
import ssl
import subprocess
import sys
import traceback
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from vaultsigner.client import (
    AccessToken,
    AsyncSigningClient,
    ClientCertificate,
    CredentialsError,
    Ed25519Key,
    HmacKey,
    OpenApiKey,
    Order,
    PartnerKey,
    Password,
    Payment,
    RsaKey,
    SigningClient,
    Token,
    Transfer,
)
from vaultsigner.client.asks import pairs
from vaultsigner.client.calls.documents import encoded
from vaultsigner.client.calls.exchanges import forward
from vaultsigner.client.operations import Operations
from vaultsigner.client.session import Session

CANARY = "kanarienvogel-4711"
HELP = pydoc.plain(pydoc.render_doc(SigningClient))
KEY = Ed25519PrivateKey.generate()


def pem(passphrase: bytes | None = None) -> bytes:
    protection = NoEncryption() if passphrase is None else BestAvailableEncryption(passphrase)
    return KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection)


CREDENTIALS: list[Any] = [
    Password("sam", CANARY),
    AccessToken(CANARY),
    HmacKey("key", CANARY),
    RsaKey("key", CANARY, CANARY),
    Ed25519Key("key", CANARY, CANARY),
    OpenApiKey("key", CANARY),
    PartnerKey(CANARY, CANARY),
    ClientCertificate("file", passphrase=CANARY),
    Token(access_token=CANARY),
]


@pytest.mark.parametrize("credentials", CREDENTIALS, ids=lambda each: type(each).__name__)
def test_no_repr_shows_a_secret(credentials: Any) -> None:
    assert CANARY not in repr(credentials)
    if not isinstance(credentials, ClientCertificate | Token):
        client = SigningClient("http://127.0.0.1:1", credentials)
        client._session.token = CANARY
        assert CANARY not in f"{client!r} {client._session!r}"


def test_a_key_that_cannot_be_read_is_not_quoted() -> None:
    with pytest.raises(CredentialsError) as caught:
        Ed25519Key("key", f"-----BEGIN PRIVATE KEY-----\n{CANARY}\n-----END PRIVATE KEY-----").sign(b"")
    told = "".join(traceback.format_exception(caught.value))
    assert CANARY not in "".join(line for line in told.splitlines() if "Ed25519Key(" not in line)


@pytest.mark.parametrize(
    "credentials",
    [
        Password("sam", f"\xff{CANARY}".encode("latin-1")),
        Password("sam", f"\udcff{CANARY}"),
        AccessToken(f"\xff{CANARY}".encode("latin-1")),
        AccessToken(f"\udcff{CANARY}"),
        HmacKey("key", f"\udcff{CANARY}"),
        OpenApiKey("key", f"\udcff{CANARY}"),
    ],
)
def test_a_secret_that_is_no_text_is_not_quoted(credentials: Any) -> None:
    """Python's own errors hold the whole text; one that was in the environment and no UTF-8 has surrogates."""
    with pytest.raises(CredentialsError) as caught:
        SigningClient("http://127.0.0.1:1", credentials, retry_seconds=0).check()
    error: BaseException | None = caught.value
    while error is not None:
        assert CANARY not in repr(error)
        error = error.__cause__ or error.__context__


def test_a_password_is_in_no_request_that_is_shown() -> None:
    plan = Session(Password("sam", CANARY)).log_in()
    step: Any = next(plan)
    assert json.loads(step.request.body) == {"username": "sam", "password": CANARY}
    assert CANARY not in repr(step)


def test_secrets_come_from_files_and_functions_at_each_use(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("first\n")
    told = iter((b"first", b"second"))
    from_file, from_function = HmacKey("key", file), HmacKey("key", lambda: next(told))
    first = HmacKey("key", "first").sign(b"x")
    assert from_file.sign(b"x") == from_function.sign(b"x") == first
    file.write_text("second")
    second = HmacKey("key", "second").sign(b"x")
    assert from_file.sign(b"x") == from_function.sign(b"x") == second != first


def test_a_replaced_private_key_is_used_at_once(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_bytes(pem())
    key = Ed25519Key("key", file)
    first = key.sign(b"x")
    other = Ed25519PrivateKey.generate()
    file.write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    assert key.sign(b"x") != first


@pytest.mark.parametrize("source", ["", b"", lambda: "", lambda: None, Path("/nowhere/at/all")])
def test_a_secret_that_is_not_there_is_told(source: Any) -> None:
    with pytest.raises(CredentialsError):
        HmacKey("key", source).sign(b"")


def test_private_keys_with_a_passphrase_and_of_another_kind() -> None:
    assert Ed25519Key("key", pem(b"word"), "word").sign(b"x") == Ed25519Key("key", pem()).sign(b"x")
    for key in (
        Ed25519Key("key", pem(b"word")),
        Ed25519Key("key", pem(b"word"), "other"),
        RsaKey("key", pem()),
        PartnerKey(pem()),
    ):
        with pytest.raises(CredentialsError):
            key.sign(b"x")


@pytest.mark.parametrize(
    "url",
    [
        "http://signer.example.com",
        "http://10.0.0.1:8000",
        "ftp://127.0.0.1",
        "127.0.0.1:8000",
        "https://a.example.com/prefix",
        "https://sam:word@a.example.com",
        "https://a.example.com?x=1",
        "https://",
    ],
)
@pytest.mark.parametrize("client", [SigningClient, AsyncSigningClient])
def test_addresses_that_would_not_do_are_refused(url: str, client: type[SigningClient]) -> None:
    with pytest.raises(ValueError, match=r"URL|plain HTTP"):
        client(url)


def test_addresses_that_do() -> None:
    for url in ("http://localhost:1", "http://[::1]:1", "http://127.3.2.1", "https://a.example.com/"):
        SigningClient(url)
    SigningClient("http://10.0.0.1:8000", allow_http=True)
    with pytest.raises(ValueError, match="https"):
        SigningClient("http://127.0.0.1", client_certificate=ClientCertificate("x"))
    with pytest.raises(CredentialsError):
        SigningClient("https://a.example.com", ca_file="/nowhere/at/all")
    context = ssl.create_default_context()
    SigningClient("https://a.example.com", tls=context)


def test_what_would_be_rounded_is_refused() -> None:
    with pytest.raises(TypeError, match="price"):
        Order(symbol="A_B", side=1, price=0.1, quantity=1).document()  # type: ignore[arg-type]  # the mistake
    with pytest.raises(TypeError, match="amount"):
        Payment(to_address="x", symbol="BNB", amount=True).document()
    with pytest.raises(TypeError, match="float"):
        encoded({"a": [{"b": 0.1}]})
    with pytest.raises(TypeError, match="float"):
        pairs({"price": 0.1})  # type: ignore[dict-item]  # the mistake
    assert Payment(to_address="x", symbol="BNB", amount=Decimal("1E-8")).document()["amount"] == "0.00000001"
    with pytest.raises(ValueError, match="payments"):
        Transfer(amount=1, payments=[Payment(to_address="x", symbol="BNB", amount=1)]).document()


def test_both_clients_have_the_same_names() -> None:
    public = {name for name in dir(SigningClient) if not name.startswith("_")}
    assert public == {name for name in dir(AsyncSigningClient) if not name.startswith("_")}
    assert {name for name in dir(Operations) if not name.startswith("_")} <= public


@pytest.mark.parametrize("name", [name for name in vars(Operations) if not name.startswith("_")])
def test_every_method_tells_what_it_does(name: str) -> None:
    method = getattr(SigningClient("http://127.0.0.1:1"), name)
    assert inspect.getdoc(method)
    assert f" {name}(self" in HELP
    assert "session" not in inspect.signature(method).parameters
    assert next(iter(inspect.signature(getattr(SigningClient, name)).parameters)) == "self"


@pytest.mark.parametrize("path", ["/a?b=c", "/a#b", "/a b", "/a\n", "/é", "/a\x00", "/\x7f"])
def test_paths_that_could_be_read_otherwise_are_refused(path: str) -> None:
    with pytest.raises(ValueError, match="percent-encoded"):
        forward("main", "GET", path)


def test_paths_and_names_go_out_as_one_part() -> None:
    assert forward("a/b?c", "get", "api/v3/x%20y:~@!").path == "/exchange/a%2Fb%3Fc/api/v3/x%20y:~@!"
    for name in ("", ".", ".."):
        with pytest.raises(ValueError, match="name"):
            forward(name, "GET", "/x")


def test_the_client_brings_nothing_of_the_service_along() -> None:
    """Whoever imports it has no custody, no database and no Vault client in the process."""
    program = "import sys, vaultsigner.client; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    ours = {name for name in loaded.stdout.split() if name.split(".")[0] == "vaultsigner"}
    assert {name for name in ours if name.split(".")[1:2] not in ([], ["client"], ["errors"])} == set()
    assert not {"duckdb", "psycopg", "coincurve", "hvac", "yaml"} & set(loaded.stdout.split())


@pytest.mark.parametrize("token", [f"{CANARY}\n", f"{CANARY}\r\nX-Evil: 1", f"{CANARY}é"])
def test_a_token_that_no_header_can_hold_is_not_shown_by_whoever_refuses_it(token: str) -> None:
    """A file with two line ends at its end, say; http.client and aiohttp would quote what they do not send."""
    with (
        SigningClient("http://127.0.0.1:9", AccessToken(token), retry_seconds=0) as client,
        pytest.raises(CredentialsError, match="Authorization would hold what no header can") as told,
    ):
        client.wallets()
    assert CANARY not in "".join(traceback.format_exception(told.value))
