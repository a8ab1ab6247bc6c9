"""`vaultsigner dev`: a complete local world, a demonstration in it, and then it is yours until Ctrl-C."""

import asyncio
import secrets
import signal
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from vaultsigner.cli.key_material import new_mnemonic, new_private_key
from vaultsigner.dev.api_client import ApiClient, SigningBot
from vaultsigner.dev.beacon_node import BeaconNode, run_beacon_node
from vaultsigner.dev.demonstration import Demonstration, DemonstrationError
from vaultsigner.dev.exchange.server import ExchangeServer, run_exchange
from vaultsigner.dev.exchange.signatures import Account
from vaultsigner.dev.exchange_demonstration import ExchangeDemonstration, exchange_scenes
from vaultsigner.dev.installation import (
    EVERY_PERMISSION,
    Installation,
    Plan,
    PlannedClient,
    PlannedUser,
    PlannedWallet,
    install,
)
from vaultsigner.dev.openbao import OpenBao, run_openbao
from vaultsigner.dev.planned_exchanges import PlannedExchange
from vaultsigner.dev.records import Record, read_records
from vaultsigner.dev.scenes import (
    BOT,
    DESK,
    EXCHANGE,
    POLICY,
    TREASURY,
    TREASURY_PERMISSIONS,
    USERNAME,
    refused_scenes,
    scenes,
)
from vaultsigner.dev.service import Service, run_service
from vaultsigner.dev.showing import Show
from vaultsigner.errors import VaultsignerError

DESK_ACCOUNT, TREASURY_ACCOUNT = 1042, 77
TREASURY_SEQUENCE = 311


@dataclass(frozen=True, slots=True)
class World:
    """Everything that runs, and how to get in."""

    openbao: OpenBao
    node: BeaconNode
    exchange: ExchangeServer
    account: Account
    installation: Installation
    service: Service
    wallets: dict[str, PlannedWallet]
    password: str
    bot: PlannedClient

    @property
    def anchors(self) -> Path:
        """Where checkpoints are kept beside the record."""
        return self.installation.directory.parent / "anchors"

    def address(self, wallet: str) -> str:
        """Of a wallet, on the node's chain."""
        return self.wallets[wallet].address(self.node.chain.address_prefix)


async def demonstrate(show: Show, *, once: bool, port: int) -> int:
    """Set everything up, perform the demonstration, and stay unless `once`.

    Returns:
        The exit status: 0 when everything was as it should be, 1 when not; Ctrl-C and SIGTERM change nothing about it.
    """
    _cancel_on_signals()
    status = 1
    try:
        with tempfile.TemporaryDirectory(prefix="vaultsigner-dev-") as directory:
            async with (
                _world(show, Path(directory), port) as world,
                aiohttp.ClientSession(trust_env=False) as session,
            ):
                client = ApiClient(session, world.service.url)
                await _perform(show, world, client)
                status = 0
                if not once:
                    _invite(show, world, client)
                    show.note("\nEverything stays up. Ctrl-C ends it and removes every trace.")
                    await asyncio.Event().wait()
    except asyncio.CancelledError:
        show.note("\nStopped; nothing is left behind.")
    except VaultsignerError as error:
        show.failure(str(error))
        status = 1
    return status


@asynccontextmanager
async def _world(show: Show, directory: Path, port: int) -> AsyncIterator[World]:
    """OpenBao, the node and the service, each announced when it is there."""
    show.title("vaultsigner: keys stay in Vault, policy decides, everything is on the record")
    wallets = {
        DESK: PlannedWallet(DESK, new_private_key()),
        TREASURY: PlannedWallet(TREASURY, new_mnemonic(24), permissions=TREASURY_PERMISSIONS),
    }
    password, bot = secrets.token_urlsafe(12), _bot()
    async with AsyncExitStack() as stack:
        clock = time.perf_counter()
        openbao = await stack.enter_async_context(run_openbao(directory / "openbao"))
        show.step(f"OpenBao, in memory, at {openbao.address}", time.perf_counter() - clock)
        clock = time.perf_counter()
        node = await stack.enter_async_context(run_beacon_node())
        show.step(
            f"Beacon Chain node stand-in ({node.chain.chain_id}) at {node.url}", time.perf_counter() - clock
        )
        clock = time.perf_counter()
        account = Account("demo", secrets.token_urlsafe(16), "hmac", secrets.token_urlsafe(32))
        exchange = await stack.enter_async_context(run_exchange([account]))
        show.step(f"exchange stand-in at {exchange.url}", time.perf_counter() - clock)
        clock = time.perf_counter()
        users, nodes = (_user(password),), {"TESTNET": node.url}
        exchanges = (
            PlannedExchange(EXCHANGE, exchange.url, account.api_key, account.scheme, account.verifier),
        )
        anchors = directory / "anchors"
        anchors.mkdir()
        audit = {"checkpoint_every": 10, "anchors": [{"name": "second-disk", "directory": str(anchors)}]}
        keys = tuple(wallets.values())
        plan = Plan(keys, users, nodes, POLICY, port, clients=(bot,), audit=audit, exchanges=exchanges)
        installation = await asyncio.to_thread(install, directory / "vaultsigner", openbao, plan)
        show.step(
            "fresh keys, a least policy and a token for it, all in OpenBao", time.perf_counter() - clock
        )
        clock = time.perf_counter()
        service = await stack.enter_async_context(run_service(installation))
        show.step(
            f"vaultsigner at {service.url}: server {service.server_pid}, custody {service.custody_pid}",
            time.perf_counter() - clock,
        )
        world = World(openbao, node, exchange, account, installation, service, wallets, password, bot)
        node.chain.add_account(world.address(DESK), DESK_ACCOUNT)
        node.chain.add_account(world.address(TREASURY), TREASURY_ACCOUNT, TREASURY_SEQUENCE)
        yield world


def _user(password: str) -> PlannedUser:
    permissions = {DESK: EVERY_PERMISSION, TREASURY: ("trade", "transfer", "resync", "vote")}
    return PlannedUser(USERNAME, password, permissions, roles=("operator", "auditor"), exchanges=(EXCHANGE,))


def _bot() -> PlannedClient:
    api_key = f"vs_{secrets.token_hex(16)}"
    secret = secrets.token_hex(32)
    return PlannedClient(BOT, api_key, "hmac", {DESK: ("freeze",)}, secret, exchanges=(EXCHANGE,))


async def _perform(show: Show, world: World, client: ApiClient) -> None:
    started = time.perf_counter()
    answer = await client.log_in(USERNAME, world.password)
    if answer.status != 200:
        raise DemonstrationError(f"log-in answered {answer.status}: {answer.body}")
    show.step(f"logged in as {USERNAME}", time.perf_counter() - started)
    bot = SigningBot(client.session, client.url, world.bot.api_key, world.bot.secret or "")
    demonstration = Demonstration(client, bot, world.node.chain, world.installation.audit_directory)
    desk = world.address(DESK)
    order_id = f"{world.wallets[DESK].account_hash.hex().upper()}-1"
    good = list(scenes(desk, world.address(TREASURY), order_id))
    bad = list(refused_scenes())
    order, too_large = exchange_scenes()
    total = len(good) + len(bad) + 2
    for number, scene in enumerate(good, start=1):
        show.scene(number, total, await demonstration.perform(scene))
    for number, scene in enumerate(bad, start=len(good) + 1):
        show.scene(number, total, await demonstration.perform_refused(scene))
    trading = ExchangeDemonstration(
        client, bot, world.exchange.exchange, world.account, world.installation.audit_directory
    )
    show.asked(total - 1, total, await trading.perform(order))
    show.asked(total, total, await trading.perform_refused(too_large))
    records = read_records(world.installation.audit_directory)
    show.heading("All of it")
    show.fact(f"{len(good)} messages signed, broadcast and verified; {len(bad)} refused")
    show.fact("an exchange order signed, forwarded and verified; one refused")
    show.fact(f"{len(records)} audit records, whose hash chain holds")
    show.fact(
        f"{_signed(records)} of them covered by a checkpoint that a key in OpenBao signed; another each minute"
    )


def _signed(records: list[Record]) -> int:
    """How many records the latest checkpoint covers."""
    return max((record["tree_size"] for record in records if record["kind"] == "checkpoint"), default=0)


def _invite(show: Show, world: World, client: ApiClient) -> None:
    """What to do next, and where everything is."""
    url, directory = world.service.url, world.installation.directory
    show.heading("Now you")
    transfer = f'{{"wallet_name": "{DESK}", "msg": {{"to_address": "{world.address(TREASURY)}", '
    transfer += '"symbol": "BNB", "amount": "0.1"}}'
    asking = '-H "Authorization: Bearer $TOKEN"'
    show.commands(
        [
            f"TOKEN={client.token}",
            f"curl -s {url}/api/wallet {asking}",
            f"curl -si {url}/api/transfer/broadcast {asking} -d '{transfer}'",
            f'curl -s {url}/api/wallet/resync {asking} -d \'{{"wallet_name": "{DESK}"}}\'',
            f'curl -s {url}/api/auth/login -d \'{{"username": "{USERNAME}", "password": "{world.password}"}}\'',
        ]
    )
    show.note("\nAs the bot, which signs each request with HMAC (bash)")
    freeze = f'{{"wallet_name": "{DESK}", "msg": {{"symbol": "BNB", "amount": "1"}}}}'
    show.commands(
        [
            f"API_KEY={world.bot.api_key} SECRET={world.bot.secret}",
            f"body='{freeze}'",
            'query="timestamp=$(date +%s%3N)&recvWindow=5000"',
            'signature=$(printf %s "$query$body" | openssl dgst -sha256 -hmac "$SECRET" | sed \'s/.* //\')',
            f'curl -si "{url}/api/freeze/broadcast?$query&signature=$signature" -H "X-MBX-APIKEY: $API_KEY" -d "$body"',
        ]
    )
    show.note("\nThe same bot at the exchange: only the address is another (bash)")
    order = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.005&price=60000"
    show.commands(
        [
            f'query="{order}&timestamp=$(date +%s%3N)"',
            'signature=$(printf %s "$query" | openssl dgst -sha256 -hmac "$SECRET" | sed \'s/.* //\')',
            f'curl -si -X POST "{url}/exchange/{EXCHANGE}/api/v3/order?$query&signature=$signature" -H "X-MBX-APIKEY: $API_KEY"',
        ]
    )
    show.note("\nAs an auditor, who trusts the files no further than their signatures")
    program, keys = ".venv/bin/vaultsigner", directory / "audit-keys.txt"
    show.commands(
        [
            f"{program} audit key --config {world.installation.config_file} --out {keys}",
            f"{program} audit verify {world.installation.audit_directory} --trust {keys} --anchors {world.anchors}",
        ]
    )
    show.note(f"\nThe node stand-in knows the accounts of {DESK} and {TREASURY} alone, no others.")
    show.heading("Where everything is")
    show.places(
        {
            "console": f"{url}/console  (user {USERNAME}, password {world.password})",
            "API, to try in a browser": f"{url}/docs  (or {url}/redoc)",
            "health": f"{world.service.ops_url}/readyz",
            "configuration": str(world.installation.config_file),
            "policy": str(directory / "policies" / "policy.yml"),
            "records": str(world.installation.audit_directory),
            "their checkpoints, elsewhere": str(world.anchors),
            "operational log": str(world.service.log),
            "the chain": f"{world.node.url}/api/v1/account/{world.address(DESK)}",
            "the exchange": f"{world.exchange.url}  (a stand-in: nothing there is worth anything)",
            "OpenBao": f"{world.openbao.address}  (its root token is in this process alone)",
        }
    )


def _cancel_on_signals() -> None:
    """Ctrl-C and SIGTERM end the demonstration in order, wherever it stands."""
    task = asyncio.current_task()
    if task is None:
        raise RuntimeError("demonstrate() runs as a task")
    loop = asyncio.get_running_loop()
    for each in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(each, task.cancel)
