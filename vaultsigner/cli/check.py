"""`vaultsigner check`: would the service work if it were started now?"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

import aiohttp
import click

from vaultsigner import policy
from vaultsigner.cli.check_report import (
    CheckReport,
    NodeFinding,
    TokenKeyFinding,
    VaultFinding,
    WalletFinding,
)
from vaultsigner.cli.custody_session import custody_session
from vaultsigner.cli.vault_options import DEFAULT_CONFIG, config_option, load_settings
from vaultsigner.config.password_hashes import is_guessable
from vaultsigner.config.settings import Environment, Settings, TransitReference, Wallet
from vaultsigner.custody.client import CustodyClient
from vaultsigner.dispatch.beacon_node import BeaconNode
from vaultsigner.errors import CustodyError, NodeError

TOKEN_LOOK_UP_SECONDS = 2.0
POLL_SECONDS = 0.05
AT_ONCE = 16
COLOURS = {"ok": "green", "warn": "yellow", "FAIL": "red"}


@click.command()
@config_option
@click.option("--offline", is_flag=True, help="Do not ask the chain nodes.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def check(config_file: Path | None, offline: bool, as_json: bool) -> None:
    """Check the configuration and try every secret reference.

    Tells everything that is wrong with config.yml and the policies. Then starts the custody process as `serve` would, with the
    token it would have, and has it find each wallet's address from the key in Vault; no key leaves custody. A chain node that
    does not answer is a warning only.

    Exit status: 0 all is well, 1 something would not work.

    \b
    Examples:
      vaultsigner check --config config/config.yml
      vaultsigner check --offline --json | jq '.wallets[] | select(.problem)'
    """
    settings = load_settings(config_file)
    policies = policy.load(settings.policies)
    report = asyncio.run(_look(config_file or DEFAULT_CONFIG, settings, policies.digest, offline))
    if as_json:
        click.echo(json.dumps(report.document(), indent=2))
    else:
        for mark, line in report.lines():
            click.echo(f"{click.style(f'{mark:<6}', fg=COLOURS[mark])}{line}")
    sys.exit(0 if report.ok else 1)


async def _look(config_file: Path, settings: Settings, policy_digest: str, offline: bool) -> CheckReport:
    async with custody_session(config_file, settings, os.environ) as custody:
        wallets = await _try_wallets(custody, settings.wallets.values())
        token_key = await _try_token_key(custody, settings.access_token_key)
        vault = await _ask_health(custody, settings.vault.address)
    nodes = None if offline else await _ask_nodes(settings.environments, wallets)
    return CheckReport(
        config=str(settings.source),
        users=len(settings.users),
        guessable=tuple(
            user.username for user in settings.users.values() if is_guessable(user.password_hash)
        ),
        policy=policy_digest,
        vault=vault,
        access_token_key=token_key,
        wallets=wallets,
        nodes=nodes,
    )


async def _try_wallets(custody: CustodyClient, wallets: Iterable[Wallet]) -> tuple[WalletFinding, ...]:
    turn = asyncio.Semaphore(AT_ONCE)

    async def try_wallet(wallet: Wallet) -> WalletFinding:
        async with turn:
            try:
                answer = await custody.public_key(wallet.name)
            except CustodyError as error:
                problem = f"{error.code}: {error}"
                return WalletFinding(wallet.name, wallet.environment.name, str(wallet.key), problem=problem)
        public_key = answer.public_key.hex()
        return WalletFinding(
            wallet.name, wallet.environment.name, str(wallet.key), answer.address, public_key
        )

    return tuple(await asyncio.gather(*map(try_wallet, wallets)))


async def _try_token_key(custody: CustodyClient, reference: TransitReference) -> TokenKeyFinding:
    try:
        return TokenKeyFinding(str(reference), tuple(await custody.access_token_keys()))
    except CustodyError as error:
        return TokenKeyFinding(str(reference), problem=f"{error.code}: {error}")


async def _ask_health(custody: CustodyClient, address: str) -> VaultFinding:
    """Asked last, and again if need be: custody looks its token up in the background when it starts."""
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
