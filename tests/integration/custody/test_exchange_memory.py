"""Custody's whole memory, searched from outside after requests to exchanges and decryptions: no secret of any of them."""

import asyncio
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from tests.adversarial.memory_search import ProcessMemory, forms_of_key, forms_of_text, may_read_memory
from tests.integration.custody.custody_process import CustodyProcess, connected, running_custody
from tests.integration.custody.exchange_proving import APP_SECRET, EDWARDS, MODULAR, encrypted, pem
from tests.integration.custody.exchange_world import (
    SCHEMES,
    ExchangeWorld,
    app_key,
    exchange_world,
    secret_of,
)
from tests.world import Vector
from vaultsigner.custody.client import CustodyClient
from vaultsigner.custody.protocol import OpenApiPlaintext
from vaultsigner.dev.openbao import OpenBao
from vaultsigner.domain.names import ExchangeName
from vaultsigner.domain.refusals import Refusal
from vaultsigner.errors import CustodyError
from vaultsigner.formats.open_api.calls import OpenApiCall

pytestmark = pytest.mark.skipif(
    not may_read_memory(), reason="needs the right to read another process's memory"
)

ROUNDS = 5
AT_ONCE = 10
CALL = OpenApiCall("GET", "/mp-api/v1/apps/heldoutApp01/access-token")


def forms_of_rsa(name: str, key: RSAPrivateKey) -> dict[str, bytes]:
    """Every number of the private half."""
    numbers = key.private_numbers()
    parts = {
        "p": numbers.p,
        "q": numbers.q,
        "d": numbers.d,
        "dp": numbers.dmp1,
        "dq": numbers.dmq1,
        "qinv": numbers.iqmp,
    }
    forms: dict[str, bytes] = {}
    for part, number in parts.items():
        forms |= forms_of_key(f"{name}, {part}", number.to_bytes((number.bit_length() + 7) // 8))
    return forms | forms_of_pem(name, key)


def forms_of_pem(name: str, key: RSAPrivateKey | Ed25519PrivateKey) -> dict[str, bytes]:
    """The text, a line of it, and what the base64 in it means."""
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    line = max(pem(key).splitlines(), key=len)
    return {
        f"{name}, PEM": pem(key).encode(),
        f"{name}, PEM in JSON": pem(key).replace("\n", "\\n").encode(),
        f"{name}, a line of PEM": line.encode(),
        f"{name}, DER": der[-40:],
    }


def needles() -> dict[str, bytes]:
    """Everything that may be in Vault alone."""
    app = load_pem_private_key(app_key().encode(), None)
    assert isinstance(app, RSAPrivateKey)
    return {
        **forms_of_text("hmac", secret_of("hmac")),
        **forms_of_text("app's secret", APP_SECRET),
        **forms_of_rsa("rsa", MODULAR),
        **forms_of_rsa("app", app),
        **forms_of_key("ed25519", EDWARDS.private_bytes_raw()),
        **forms_of_pem("ed25519", EDWARDS),
    }


def found_in(custody: CustodyProcess) -> set[str]:
    return ProcessMemory(custody.pid).find(needles())


async def work(world: ExchangeWorld, client: CustodyClient) -> None:
    """Every secret is used, many times at once."""
    app = load_pem_private_key(app_key().encode(), None)
    assert isinstance(app, RSAPrivateKey)
    good, bad = (urlsafe_b64encode(encrypted(b"openid", key)).decode() for key in (app, MODULAR))
    for _ in range(ROUNDS):
        await asyncio.gather(
            *(
                client.sign_exchange(world.order(f"{scheme}-kv"))
                for scheme in SCHEMES
                for _ in range(AT_ONCE)
            ),
            *(client.sign_exchange(world.order(f"{scheme}-transit")) for scheme in SCHEMES),
            *(client.open_api_token(world.token(CALL)) for _ in range(AT_ONCE)),
        )
        assert isinstance(await client.open_api_decrypt(world.decryption(good)), OpenApiPlaintext)
        assert isinstance(await client.open_api_decrypt(world.decryption(bad)), Refusal)


@pytest.fixture
def world(own_openbao: OpenBao, tmp_path: Path, vectors: list[Vector]) -> Iterator[ExchangeWorld]:
    with exchange_world(own_openbao, tmp_path / "exchanges", vectors) as at_hand:
        yield at_hand


async def test_no_secret_is_left_after_use(world: ExchangeWorld) -> None:
    with running_custody(world.installation) as custody:
        async with connected(custody.socket_path) as client:
            await work(world, client)
            token = {"token": world.token_path.read_bytes().strip()}
            assert ProcessMemory(custody.pid).find(token) == {"token"}, "the search sees custody's memory"
            assert found_in(custody) == set()
            await client.check_exchange(ExchangeName("rsa-kv"))
            await client.check_open_api("mini-app")
            assert found_in(custody) == set()


async def test_no_secret_is_left_after_errors(world: ExchangeWorld) -> None:
    """A kept exception keeps its frames, and those what they held."""
    spoilt = pem(MODULAR).replace("PRIVATE KEY", "PRIVATE KEYS"), pem(MODULAR)[:-60], pem(EDWARDS)
    with running_custody(world.installation) as custody:
        async with connected(custody.socket_path) as client:
            for text in spoilt:
                world.openbao.write_secret("exchanges/rsa-kv", {"secret": text})
                for _ in range(3):
                    with pytest.raises(CustodyError) as caught:
                        await client.sign_exchange(world.order("rsa-kv"))
                    assert caught.value.code == "key_malformed"
            assert found_in(custody) == set()
