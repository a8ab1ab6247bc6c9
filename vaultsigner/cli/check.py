"""`vaultsigner check`: would the service work if it were started now?"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import aiohttp
import click

from vaultsigner.cli.anchor_probe import try_anchors
from vaultsigner.cli.cautions import cautions
from vaultsigner.cli.check_report import (
    CheckReport,
    NodeFinding,
    PartnerFinding,
    VaultFinding,
    WalletFinding,
)
from vaultsigner.cli.check_secrets import not_tried, try_secrets
from vaultsigner.cli.configuration import DEFAULT_CONFIG, config_option, load_with_policies
from vaultsigner.cli.custody_session import custody_session
from vaultsigner.cli.exchange_probe import ask_exchanges
from vaultsigner.cli.launcher import make_token_remedy, open_token
from vaultsigner.cli.shared_keys import shared_keys
from vaultsigner.cli.state_probe import try_state
from vaultsigner.cli.wrapped_secret_id import why_left
from vaultsigner.config.directories import directory_problems
from vaultsigner.config.public_keys import fingerprint
from vaultsigner.config.settings import Environment, Partner, Settings
from vaultsigner.custody.client import CustodyClient
from vaultsigner.dispatch.beacon_node import BeaconNode
from vaultsigner.domain.signed_notes import VerifierKey
from vaultsigner.errors import CustodyError, NodeError
from vaultsigner.policy import PolicySet, unknown_names

TOKEN_LOOK_UP_SECONDS = 5.0
POLL_SECONDS = 0.05
COLOURS = {"ok": "green", "warn": "yellow", "FAIL": "red", "-": "bright_black"}


@click.command()
@config_option
@click.option(
    "--offline", is_flag=True, help="Do not ask the chain nodes, the exchanges, and anchors elsewhere."
)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def check(config_file: Path | None, offline: bool, as_json: bool) -> None:
    """Check the configuration and try every secret reference.

    Tells everything that is wrong with config.yml and the policies, and whether the record and the state can be written, without
    leaving anything behind. Then starts the custody process as `serve` would, with the token it would have, and has it find each
    wallet's address from the key in Vault and try the secret of each client, exchange and Open API app; no key and no secret
    leaves custody. A wrapped secret id of an AppRole stays wrapped for `serve`: then what needs Vault is not tried;
    nor beside a service that is ready and has used it up, which is a warning only.
    A PostgreSQL state gets every test that opening it makes, and no tables. Each exchange is asked for the time,
    unsigned: whether its API key and secret are right shows only when something is signed for it. A chain node or an exchange
    that does not answer is a warning only; an exchange's clock more than ten minutes off is a failure. Each anchor of the record
    is tried without leaving anything there; one that a start can do without (`required: false`) is a warning only. A record that
    is behind its anchors is a failure, as `serve` would refuse it.

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
        vault = await _ask_vault(custody, settings)
        found = await try_secrets(custody, settings) if vault.usable else not_tried(settings)
        keys = await _checkpoint_keys(custody, settings) if vault.usable else ()
    nodes = None if offline else await _ask_nodes(settings.environments, found.wallets)
    exchange_hosts = None if offline else await ask_exchanges(settings.exchanges.values())
    state = await try_state(settings)
    anchors = await try_anchors(settings.audit, keys=keys, offline=offline)
    return CheckReport(
        config=str(settings.source),
        users=len(settings.users),
        failures=(
            *directory_problems(settings),
            *(name.text for name in unknown_names(policies, settings) if name.opens),
        ),
        warnings=(*cautions(settings, policies), *shared_keys(found.wallets)),
        policy=policies.digest,
        vault=vault,
        access_token_key=found.access_token_key,
        checkpoint_key=found.checkpoint_key,
        wallets=found.wallets,
        nodes=nodes,
        clients=found.clients,
        exchanges=found.exchanges,
        open_api=found.open_api,
        exchange_hosts=exchange_hosts,
        state=state,
        anchors=anchors,
        partner=_partner_finding(settings.partner),
    )


async def _checkpoint_keys(custody: CustodyClient, settings: Settings) -> tuple[VerifierKey, ...]:
    if not settings.audit.anchors:
        return ()
    try:
        return await custody.checkpoint_keys()
    except CustodyError:
        # Told by `try_secrets`, of the key itself.
        return ()


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


async def _ask_vault(custody: CustodyClient, settings: Settings) -> VaultFinding:
    vault = settings.vault
    found = await _ask_health(custody, vault.address)
    missing = _missing_token(vault.token_path) if vault.token_path else None
    left = await why_left(found.problem, vault.auth, settings.server.ops_listen)
    if left is not None:
        found = replace(found, problem=None, left=left)
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
