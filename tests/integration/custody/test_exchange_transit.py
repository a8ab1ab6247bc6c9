"""With a real OpenBao: Transit signs for exchanges by each scheme, exactly as a key in KV does, and for nobody else."""

from base64 import b64decode
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from tests.integration.custody.exchange_proving import (
    APP_SECRET,
    BINANCE_PAYLOAD,
    BINANCE_SIGNATURE,
    BINANCE_TIME_MS,
    EDWARDS,
    MODULAR,
)
from tests.integration.custody.exchange_world import (
    ALLOWED,
    KEPT_OUT,
    ORDER,
    SCHEMES,
    ExchangeWorld,
    exchange_world,
    planned_exchanges,
)
from tests.integration.custody.minting import mint
from tests.signing_client import OpenApiKey, open_api_token
from tests.world import Vector
from vaultsigner.config.settings import Settings, TransitReference
from vaultsigner.custody.process import build
from vaultsigner.custody.questions import Custody
from vaultsigner.custody.transit_signing import TYPE_KNOWN_SECONDS, TransitSigner
from vaultsigner.custody.vault_token.token_file import VaultToken
from vaultsigner.dev.openbao import running_openbao
from vaultsigner.domain.names import ExchangeName
from vaultsigner.domain.principals import Principal
from vaultsigner.errors import CustodyError
from vaultsigner.formats.open_api.calls import OpenApiCall
from vaultsigner.policy import load as load_policies


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, vectors: list[Vector]) -> Iterator[ExchangeWorld]:
    directory = tmp_path_factory.mktemp("exchanges")
    with (
        running_openbao(directory / "openbao") as openbao,
        exchange_world(openbao, directory, vectors) as at_hand,
    ):
        yield at_hand


@dataclass
class Desk:
    """Custody in this process, with its real token, at the time of Binance's example."""

    world: ExchangeWorld
    custody: Custody

    async def sign(self, exchange: str, **changes: Any) -> str:
        """What stands behind `signature=`."""
        answer = await self.custody.exchange_signer.sign(self.world.order(exchange, **changes))
        payload, _, signature = answer.signed.body.decode().rpartition("&signature=")
        assert payload == BINANCE_PAYLOAD
        assert (len(answer.vault_request_id), answer.retry_ticket) == (36, "")
        return unquote(signature)

    async def code(self, exchange: str, **changes: Any) -> str:
        """Why it is not signed."""
        with pytest.raises(CustodyError) as caught:
            await self.sign(exchange, **changes)
        return caught.value.code


async def desk_on(world: ExchangeWorld, settings: Settings, token: Path | None = None) -> AsyncIterator[Desk]:
    policies = load_policies(settings.policies)
    vault_token = VaultToken(None, token or world.token_path)
    custody = build(settings, policies, vault_token, lambda: BINANCE_TIME_MS)
    try:
        yield Desk(world, custody)
    finally:
        custody.pool.close()


@pytest.fixture
def root(world: ExchangeWorld, tmp_path: Path) -> Path:
    """A token that may do everything: not the least policy is to refuse here, but custody."""
    file = tmp_path / "root-token"
    file.write_text(world.openbao.root_token)
    return file


@pytest.fixture
async def desk(world: ExchangeWorld) -> AsyncIterator[Desk]:
    async for at_hand in desk_on(world, world.installation.settings):
        yield at_hand


async def test_transit_gives_binances_published_example(desk: Desk) -> None:
    assert await desk.sign("hmac-transit") == BINANCE_SIGNATURE


async def test_rsa_and_ed25519_signatures_verify(desk: Desk) -> None:
    modular, edwards = await desk.sign("rsa-transit"), await desk.sign("ed25519-transit")
    MODULAR.public_key().verify(b64decode(modular), BINANCE_PAYLOAD.encode(), PKCS1v15(), SHA256())
    EDWARDS.public_key().verify(b64decode(edwards), BINANCE_PAYLOAD.encode())


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_it_makes_no_difference_where_the_secret_lies(desk: Desk, scheme: str) -> None:
    """All three schemes are deterministic."""
    assert await desk.sign(f"{scheme}-kv") == await desk.sign(f"{scheme}-transit")


async def test_nothing_of_a_secret_in_transit_is_read(desk: Desk) -> None:
    for scheme in SCHEMES:
        await desk.sign(f"{scheme}-transit")
    assert desk.custody.reader.reads == 0


@pytest.mark.parametrize("exchange", [planned.name for planned in planned_exchanges()])
async def test_every_secret_is_found_good(desk: Desk, exchange: str) -> None:
    await desk.custody.exchange_signer.check(ExchangeName(exchange))


@pytest.mark.parametrize("place", ["transit", "kv"])
@pytest.mark.parametrize(("of", "asked"), [(of, asked) for of in SCHEMES for asked in SCHEMES if of != asked])
async def test_a_key_of_another_scheme_signs_nothing(
    world: ExchangeWorld, root: Path, place: str, of: str, asked: str
) -> None:
    """Every key in Transit makes HMACs, with a secret of its own that no exchange knows. Any text in KV is good for HMAC."""
    settings, name = world.installation.settings, ExchangeName(f"{of}-{place}")
    wrong = replace(settings.exchanges[name], scheme=asked)  # type: ignore[arg-type]  # the names of schemes are literals
    async for desk in desk_on(world, replace(settings, exchanges={name: wrong}), root):
        if place == "kv" and asked == "hmac":
            assert await desk.sign(name) != BINANCE_SIGNATURE
            continue
        assert await desk.code(name) == "key_malformed"
        with pytest.raises(CustodyError) as caught:
            await desk.custody.exchange_signer.check(name)
        assert caught.value.code == "key_malformed"
        assert str(wrong.secret) in str(caught.value)


async def test_the_least_token_may_not_sign_in_another_way(world: ExchangeWorld) -> None:
    settings, name = world.installation.settings, ExchangeName("ed25519-transit")
    wrong = replace(settings.exchanges[name], scheme="hmac")
    async for desk in desk_on(world, replace(settings, exchanges={name: wrong})):
        assert await desk.code(name) == "key_malformed"


async def test_a_key_that_is_not_there_is_told(world: ExchangeWorld, root: Path) -> None:
    settings, name = world.installation.settings, ExchangeName("hmac-transit")
    gone = replace(settings.exchanges[name], secret=TransitReference("transit", "gone"))
    async for desk in desk_on(world, replace(settings, exchanges={name: gone}), root):
        assert await desk.code(name) == "key_missing"
        with pytest.raises(CustodyError) as caught:
            await desk.custody.exchange_signer.check(name)
        assert caught.value.code == "key_missing"


async def test_a_key_that_was_replaced_by_one_of_another_type_is_noticed(
    world: ExchangeWorld, root: Path
) -> None:
    key, now = TransitReference("transit", "replaced"), [0.0]
    transit = world.openbao.client.secrets.transit
    transit.create_key("replaced", key_type="ed25519")
    async for desk in desk_on(world, world.installation.settings, root):
        signer = TransitSigner(desk.custody.pool, lambda: now[0])
        assert len((await signer.sign(key, "ed25519", b"x")).signature) == 64
        transit.update_key_configuration("replaced", deletion_allowed=True)
        transit.delete_key("replaced")
        transit.create_key("replaced", key_type="rsa-2048")
        now[0] += TYPE_KNOWN_SECONDS
        with pytest.raises(CustodyError) as caught:
            await signer.sign(key, "ed25519", b"x")
        assert caught.value.code == "key_malformed"
        assert "rsa-2048" in str(caught.value)


class TestUsers:
    """Whoever asks with an access token is who the token says, and gets what the list of exchanges has."""

    @pytest.mark.parametrize("place", ["transit", "kv"])
    async def test_a_user_without_the_exchange_gets_nothing(self, desk: Desk, place: str) -> None:
        reads = desk.custody.reader.reads
        assert await desk.code(f"hmac-{place}", user=KEPT_OUT) == "no_permission"
        assert desk.custody.reader.reads == reads

    async def test_the_token_says_who_asks(self, desk: Desk, world: ExchangeWorld) -> None:
        kims = world.asking(KEPT_OUT)["access_token"]
        expired = mint(world.openbao, world.installation.settings, ALLOWED, minutes=-1)
        for changes, code in (
            ({"access_token": kims}, "no_permission"),
            ({"principal": Principal("client", ALLOWED)}, "no_permission"),
            ({"principal": Principal("user", KEPT_OUT)}, "no_permission"),
            ({"access_token": expired}, "invalid_token"),
            ({"access_token": "a.b.c"}, "invalid_token"),
            ({"access_token": None, "ticket": "forged"}, "custody_unavailable"),
        ):
            assert await desk.code("hmac-transit", **changes) == code

    async def test_what_no_rule_allows_is_denied(self, desk: Desk) -> None:
        parameters = (("coin", "BTC"), ("address", "bc1q"), ("amount", "1"))
        withdrawal = replace(ORDER, path="/sapi/v1/capital/withdraw/apply", parameters=parameters)
        for request, operation in (
            (withdrawal, "exchange.withdraw"),
            (replace(ORDER, path="/sapi/v1/unheard/of"), "exchange.other"),
        ):
            assert await desk.code("hmac-transit", request=request, operation=operation) == "policy_denied"

    async def test_a_user_may_ask_as_often_as_they_like(self, desk: Desk) -> None:
        assert len({await desk.sign("hmac-transit") for _ in range(3)}) == 1

    async def test_tokens_of_the_open_api_are_made_for_users_too(
        self, desk: Desk, world: ExchangeWorld
    ) -> None:
        call = OpenApiCall("GET", "/mp-api/v1/apps/heldoutApp01/access-token")
        made = await desk.custody.open_api.token(world.token(call))
        key = OpenApiKey("access-key-1", APP_SECRET)
        assert made.token == open_api_token(key, call.method, call.path, ts=BINANCE_TIME_MS // 1000)
        with pytest.raises(CustodyError) as caught:
            await desk.custody.open_api.token(world.token(call, user=KEPT_OUT))
        assert caught.value.code == "no_permission"
        await desk.custody.open_api.check("mini-app")
