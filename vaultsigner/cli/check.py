"""`vaultsigner check`: would the service work if it were started now?"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import aiohttp
import click

from vaultsigner.cli.cautions import cautions
from vaultsigner.cli.check_report import (
    NOT_TRIED,
    CheckReport,
    ClientFinding,
    NodeFinding,
    PartnerFinding,
    TokenKeyFinding,
    VaultFinding,
    WalletFinding,
)
from vaultsigner.cli.configuration import DEFAULT_CONFIG, config_option, load_with_policies
from vaultsigner.cli.custody_session import custody_session
from vaultsigner.cli.launcher import make_token_remedy, open_token
from vaultsigner.cli.shared_keys import shared_keys
from vaultsigner.cli.state_probe import try_state
from vaultsigner.config.directories import directory_problems
from vaultsigner.config.public_keys import fingerprint
from vaultsigner.config.settings import (
    Client,
    Environment,
    Partner,
    Settings,
    TransitReference,
    VaultSettings,
    Wallet,
)
from vaultsigner.custody.client import CustodyClient
from vaultsigner.dispatch.beacon_node import BeaconNode
from vaultsigner.errors import CustodyError, NodeError
from vaultsigner.policy import PolicySet, unknown_names

TOKEN_LOOK_UP_SECONDS = 2.0
POLL_SECONDS = 0.05
AT_ONCE = 16
COLOURS = {"ok": "green", "warn": "yellow", "FAIL": "red", "-": "bright_black"}


@click.command()
@config_option
@click.option("--offline", is_flag=True, help="Do not ask the chain nodes.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def check(config_file: Path | None, offline: bool, as_json: bool) -> None:
    """Check the configuration and try every secret reference.

    Tells everything that is wrong with config.yml and the policies, and whether the record and the state can be written, without
    leaving anything behind. Then starts the custody process as `serve` would, with the
    token it would have, and has it find each wallet's address from the key in Vault and try each client's secret; no key and no
    secret leaves custody. A PostgreSQL state gets every test that opening it makes, and no tables. A chain node that does not
    answer is a warning only.

    Exit status: 0 all is well, 1 something would not work.

    \b
    Examples:
      vaultsigner check --config config/config.yml
      vaultsigner check --offline --json | jq '.wallets[] | select(.problem)'
    """
    settings, policies = load_with_policies(config_file)
    report = asyncio.run(_look(config_file or DEFAULT_CONFIG, settings, policies, offline))
    if as_json:
        click.echo(json.dumps(report.document(), indent=2))
    else:
        for mark, line in report.lines():
            click.echo(f"{click.style(f'{mark:<6}', fg=COLOURS[mark])}{line}")
    sys.exit(0 if report.ok else 1)


async def _look(config_file: Path, settings: Settings, policies: PolicySet, offline: bool) -> CheckReport:
    async with custody_session(config_file, settings, os.environ) as custody:
        vault = await _ask_vault(custody, settings.vault)
        wallets, clients, token_key = _not_tried(settings)
        if vault.problem is None:
            wallets = await _try_wallets(custody, settings.wallets.values())
            clients = await _try_clients(custody, settings.clients.values())
            token_key = await _try_token_key(custody, settings.access_token_key)
    nodes = None if offline else await _ask_nodes(settings.environments, wallets)
    state = await try_state(settings.state_url)
    return CheckReport(
        config=str(settings.source),
        users=len(settings.users),
        failures=(
            *directory_problems(settings),
            *(name.text for name in unknown_names(policies, settings) if name.opens),
        ),
        warnings=(*cautions(settings, policies), *shared_keys(wallets)),
        policy=policies.digest,
        vault=vault,
        access_token_key=token_key,
        wallets=wallets,
        nodes=nodes,
        clients=clients,
        state=state,
        partner=_partner_finding(settings.partner),
    )


def _not_tried(
    settings: Settings,
) -> tuple[tuple[WalletFinding, ...], tuple[ClientFinding, ...], TokenKeyFinding]:
    """One cause, one line: what needs Vault is not asked of a Vault that cannot be used."""
    wallets = tuple(
        WalletFinding(wallet.name, wallet.environment.name, str(wallet.key), problem=NOT_TRIED)
        for wallet in settings.wallets.values()
    )
    clients = tuple(
        replace(_client_finding(client), problem=NOT_TRIED if client.secret else None)
        for client in settings.clients.values()
    )
    return wallets, clients, TokenKeyFinding(str(settings.access_token_key), problem=NOT_TRIED)


async def _try_wallets(custody: CustodyClient, wallets: Iterable[Wallet]) -> tuple[WalletFinding, ...]:
    turn = asyncio.Semaphore(AT_ONCE)

    async def try_wallet(wallet: Wallet) -> WalletFinding:
        async with turn:
            try:
                answer = await custody.public_key(wallet.name)
            except CustodyError as error:
                problem = _explained(error, f"may not read {wallet.key}")
                return WalletFinding(wallet.name, wallet.environment.name, str(wallet.key), problem=problem)
        public_key = answer.public_key.hex()
        return WalletFinding(
            wallet.name, wallet.environment.name, str(wallet.key), answer.address, public_key
        )

    return tuple(await asyncio.gather(*map(try_wallet, wallets)))


async def _try_clients(custody: CustodyClient, clients: Iterable[Client]) -> tuple[ClientFinding, ...]:
    turn = asyncio.Semaphore(AT_ONCE)

    async def try_client(client: Client) -> ClientFinding:
        found = _client_finding(client)
        async with turn:
            try:
                await custody.check_client(client.name)
            except CustodyError as error:
                problem = _explained(error, f"may not read {client.secret}", added="a client")
                return replace(found, problem=problem)
        return found

    return tuple(await asyncio.gather(*map(try_client, clients)))


def _client_finding(client: Client) -> ClientFinding:
    return ClientFinding(
        client.name,
        client.scheme,
        client.api_key,
        reference=str(client.secret) if client.secret else None,
        public_key=fingerprint(client.public_key) if client.public_key else None,
        key_file=str(client.key_file) if client.key_file else None,
    )


def _partner_finding(partner: Partner | None) -> PartnerFinding | None:
    if partner is None:
        return None
    return PartnerFinding(
        partner.url_prefix,
        {name: f"{task.operation}, {task.wallet_is}" for name, task in partner.tasks.items()},
        partner.key_bits,
        fingerprint(partner.public_key),
        str(partner.key_file) if partner.key_file else None,
    )


async def _try_token_key(custody: CustodyClient, reference: TransitReference) -> TokenKeyFinding:
    try:
        return TokenKeyFinding(str(reference), tuple(await custody.access_token_keys()))
    except CustodyError as error:
        return TokenKeyFinding(str(reference), problem=_explained(error, f"may not use {reference}"))


def _explained(error: CustodyError, denied: str, *, added: str = "a wallet") -> str:
    """A token that is good, but refused for one secret, lacks a line of its policy."""
    if error.code == "vault_denied":
        again = f"run `vaultsigner vault setup` again (needed after adding {added})"
        return f"{error.code}: custody's token {denied}: {again}"
    return f"{error.code}: {error}"


async def _ask_vault(custody: CustodyClient, vault: VaultSettings) -> VaultFinding:
    found = await _ask_health(custody, vault.address)
    missing = _missing_token(vault.auth.path)
    if missing is not None:
        # Without a token, a Vault that answers can only have denied; one that does not is a trouble of its own.
        problem = missing if found.state in ("ok", "denied") else f"{found.problem}; and {missing}"
        found = replace(found, problem=problem)
    own = vault.overridden
    if own is not None and own.address != vault.address:
        note = f" (from {own.variable}; config.yml says {own.address})"
        found = replace(found, address_note=note)
    return found


def _missing_token(path: Path) -> str | None:
    try:
        os.close(open_token(path))
    except FileNotFoundError:
        return f"no Vault token at {path}: {make_token_remedy(path)}"
    except OSError as error:
        return f"the Vault token at {path} cannot be read: {error.strerror}"
    return None


async def _ask_health(custody: CustodyClient, address: str) -> VaultFinding:
    """Asked again if need be: custody looks its token up in the background when it starts."""
    give_up_at = time.monotonic() + TOKEN_LOOK_UP_SECONDS
    try:
        health = await custody.health()
        while health.vault == "ok" and health.token_ttl_seconds is None and time.monotonic() < give_up_at:
            await asyncio.sleep(POLL_SECONDS)
            health = await custody.health()
    except CustodyError as error:
        return VaultFinding(address, "unavailable", None, f"{error.code}: {error}")
    problem = None if health.vault == "ok" else health.vault_problem or f"Vault is {health.vault}"
    return VaultFinding(address, health.vault, health.token_ttl_seconds, problem)


async def _ask_nodes(
    environments: Mapping[str, Environment], wallets: tuple[WalletFinding, ...]
) -> tuple[NodeFinding, ...]:
    """One question a chain that wallets use: the account of the first wallet there whose address is known."""
    addresses = {wallet.environment: wallet.address for wallet in reversed(wallets) if wallet.address}
    async with aiohttp.ClientSession(trust_env=False) as session:
        asked = (_ask_node(session, environments[name], address) for name, address in addresses.items())
        return tuple(await asyncio.gather(*asked))


async def _ask_node(session: aiohttp.ClientSession, environment: Environment, address: str) -> NodeFinding:
    problem = None
    try:
        await BeaconNode(session, environment).account(address)
    except NodeError as error:
        problem = str(error)
    return NodeFinding(environment.name, environment.node_url, environment.chain_id, problem)
