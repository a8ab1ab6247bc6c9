"""Trying every secret reference of a configuration: custody looks, and says what it could not use."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

from vaultsigner.cli.check_report import (
    NOT_TRIED,
    ClientFinding,
    ExchangeFinding,
    OpenApiFinding,
    OwnKeyFinding,
    WalletFinding,
)
from vaultsigner.config.public_keys import fingerprint
from vaultsigner.config.settings import Client, Exchange, OpenApiApp, Settings, TransitReference, Wallet
from vaultsigner.custody.client import CustodyClient
from vaultsigner.errors import CustodyError

AT_ONCE = 16
T = TypeVar("T")
F = TypeVar("F")


@dataclass(frozen=True, slots=True)
class SecretFindings:
    """What was found of each."""

    wallets: tuple[WalletFinding, ...]
    clients: tuple[ClientFinding, ...]
    exchanges: tuple[ExchangeFinding, ...]
    open_api: tuple[OpenApiFinding, ...]
    access_token_key: OwnKeyFinding
    checkpoint_key: OwnKeyFinding | None


def not_tried(settings: Settings) -> SecretFindings:
    """One cause, one line: what needs Vault is not asked of a Vault that cannot be used."""
    checkpoint_key = settings.audit.checkpoint_key
    return SecretFindings(
        wallets=tuple(replace(_wallet(wallet), problem=NOT_TRIED) for wallet in settings.wallets.values()),
        clients=tuple(
            replace(_client(client), problem=NOT_TRIED if client.secret else None)
            for client in settings.clients.values()
        ),
        exchanges=tuple(
            replace(_exchange(exchange), problem=NOT_TRIED) for exchange in settings.exchanges.values()
        ),
        open_api=tuple(replace(_app(app), problem=NOT_TRIED) for app in settings.open_api.values()),
        access_token_key=OwnKeyFinding(str(settings.access_token_key), problem=NOT_TRIED),
        checkpoint_key=OwnKeyFinding(str(checkpoint_key), problem=NOT_TRIED) if checkpoint_key else None,
    )


async def try_secrets(custody: CustodyClient, settings: Settings) -> SecretFindings:
    """Have custody try them all."""

    async def try_wallet(wallet: Wallet) -> WalletFinding:
        found = _wallet(wallet)
        try:
            answer = await custody.public_key(wallet.name)
        except CustodyError as error:
            return replace(found, problem=_explained(error, f"may not read {wallet.key}", "a wallet"))
        return replace(found, address=answer.address, public_key=answer.public_key.hex())

    async def try_client(client: Client) -> ClientFinding:
        try:
            await custody.check_client(client.name)
        except CustodyError as error:
            problem = _explained(error, f"may not read {client.secret}", "a client")
            return replace(_client(client), problem=problem)
        return _client(client)

    async def try_exchange(exchange: Exchange) -> ExchangeFinding:
        found = _exchange(exchange)
        try:
            return replace(found, exportable=await custody.check_exchange(exchange.name))
        except CustodyError as error:
            problem = _explained(error, f"may not use {exchange.secret}", "an exchange")
            return replace(found, problem=problem)

    async def try_app(app: OpenApiApp) -> OpenApiFinding:
        found = _app(app)
        try:
            await custody.check_open_api(app.name)
        except CustodyError as error:
            problem = _explained(error, f"may not read {' or '.join(found.references)}", "an Open API app")
            return replace(found, problem=problem)
        return found

    return SecretFindings(
        wallets=await _each(settings.wallets.values(), try_wallet),
        clients=await _each(settings.clients.values(), try_client),
        exchanges=await _each(settings.exchanges.values(), try_exchange),
        open_api=await _each(settings.open_api.values(), try_app),
        access_token_key=await _try_own_key(settings.access_token_key, custody.access_token_keys()),
        checkpoint_key=None
        if settings.audit.checkpoint_key is None
        else await _try_own_key(settings.audit.checkpoint_key, _checkpoint_key_ids(custody)),
    )


async def _each(entries: Iterable[T], try_one: Callable[[T], Awaitable[F]]) -> tuple[F, ...]:
    turn = asyncio.Semaphore(AT_ONCE)

    async def in_turn(entry: T) -> F:
        async with turn:
            return await try_one(entry)

    return tuple(await asyncio.gather(*map(in_turn, entries)))


async def _try_own_key(reference: TransitReference, versions: Awaitable[Iterable[str]]) -> OwnKeyFinding:
    try:
        return OwnKeyFinding(str(reference), tuple(await versions))
    except CustodyError as error:
        problem = _explained(error, f"may not use {reference}", "a wallet")
        return OwnKeyFinding(str(reference), problem=problem)


async def _checkpoint_key_ids(custody: CustodyClient) -> list[str]:
    return [key.id.hex() for key in await custody.checkpoint_keys()]


def _explained(error: CustodyError, denied: str, added: str) -> str:
    """A token that is good, but refused for one secret, lacks a line of its policy."""
    if error.code == "vault_denied":
        again = f"run `vaultsigner vault setup` again (needed after adding {added})"
        return f"{error.code}: custody's token {denied}: {again}"
    return f"{error.code}: {error}"


def _wallet(wallet: Wallet) -> WalletFinding:
    return WalletFinding(wallet.name, wallet.environment.name, str(wallet.key))


def _client(client: Client) -> ClientFinding:
    return ClientFinding(
        client.name,
        client.scheme,
        client.api_key,
        reference=str(client.secret) if client.secret else None,
        public_key=fingerprint(client.public_key) if client.public_key else None,
        key_file=str(client.key_file) if client.key_file else None,
    )


def _exchange(exchange: Exchange) -> ExchangeFinding:
    return ExchangeFinding(
        exchange.name,
        exchange.scheme,
        exchange.base_url,
        exchange.api_key,
        reference=str(exchange.secret),
        public_key=fingerprint(exchange.public_key) if exchange.public_key else None,
        key_file=str(exchange.key_file) if exchange.key_file else None,
    )


def _app(app: OpenApiApp) -> OpenApiFinding:
    references = (app.secret_key, *([app.private_key] if app.private_key else []))
    return OpenApiFinding(
        app.name, app.app_id, app.base_url, app.access_key_id, tuple(str(each) for each in references)
    )
