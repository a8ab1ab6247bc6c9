"""Starts the real parts once and loads them in turn, round by round, so that each ratio compares what ran close together."""

import asyncio
import json
import platform
import secrets
import statistics
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from rich.console import Console
from rich.progress import Progress

from benchmarks.failures import Timing, measure_failures
from benchmarks.load import Measured, Target, always, get, measure, post
from benchmarks.parts import ORDER, measure_pure_parts, measure_waiting_parts
from benchmarks.signed_requests import Signer
from vaultsigner.cli.key_material import new_mnemonic, new_private_key
from vaultsigner.config.settings import RateLimit
from vaultsigner.custody.client import CustodyClient
from vaultsigner.custody.protocol import SignBeaconRequest
from vaultsigner.dev.api_client import ApiClient
from vaultsigner.dev.beacon_node import run_beacon_node
from vaultsigner.dev.installation import (
    EVERY_PERMISSION,
    Installation,
    Plan,
    PlannedClient,
    PlannedUser,
    PlannedWallet,
    install,
)
from vaultsigner.dev.openbao import run_openbao
from vaultsigner.dev.service import Service, run_service
from vaultsigner.domain.names import Operation, RequestId, WalletName
from vaultsigner.domain.principals import Principal
from vaultsigner.formats.bnb_beacon.messages import message_to_document
from vaultsigner.policy import load as load_policies

CONNECTIONS = (1, 16, 64)
OURS, NAIVE = "as it is", "without decoy and grid"
WALLETS = 64
SIGN_PATH = "/api/order/sign"
PASSWORD = "bench-password"  # noqa: S105 (of a service that lives for minutes on loopback)
MESSAGE = {
    "symbol": "ANN-457_BNB",
    "side": 1,
    "order_type": 2,
    "time_in_force": 1,
    "price": "0.000396",
    "quantity": "10",
}
SIGNER = Signer("vs_benchmark", secrets.token_hex(32))
RSA_API_KEY = "vs_benchmark_rsa"
NO_LIMIT = RateLimit(1_000_000, 1)
VAULT, BARE, HOT, MANY, SIGNED, MNEMONIC = (
    "bare Vault read of the same secret",
    "bare aiohttp answer",
    "sign, one wallet for all",
    "sign, a wallet for each connection",
    "the same by requests signed with HMAC",
    "sign, one wallet from a mnemonic",
)


@dataclass(frozen=True, slots=True)
class Results:
    """All that was measured. `loads[name][connections]` are the medians over the rounds.

    `failures` has the service's own timings under OURS, and those of one that hides nothing under NAIVE.
    """

    machine: str
    rounds: int
    seconds: float
    loads: dict[str, dict[int, Measured]]
    pure_parts: dict[str, float]
    waiting_parts: dict[str, float]
    failures: dict[str, dict[str, Timing]]


async def run_scenarios(
    directory: Path, seconds: float, rounds: int, failures: int, console: Console
) -> Results:
    """Measure everything; blocks for some minutes and shows how far it is."""
    async with (
        run_openbao(directory / "openbao") as openbao,
        run_beacon_node() as node,
        aiohttp.ClientSession() as session,
    ):
        installation = await asyncio.to_thread(install, directory / "vaultsigner", openbao, _plan(node.url))
        async with run_service(installation) as service, _bare_server() as bare_port:
            client = ApiClient(session, service.url)
            await client.log_in("bench", PASSWORD)
            for number, wallet in enumerate((await client.get("/api/wallet")).body):
                node.chain.add_account(wallet["address"], number + 1, 1)
                await client.post("/api/wallet/resync", {"wallet_name": wallet["name"]})
            targets = _targets(installation, client.token, bare_port)
            loads = await _load_in_turn(targets, seconds, rounds, console)
            console.print("the parts of one signature ...")
            pure, waiting = await _measure_parts(service, client.token, directory)
            console.print("failures to authenticate ...")
            timings = {OURS: await measure_failures(service, SIGNER, RSA_API_KEY, failures)}
        async with run_service(installation, program=("-m", "benchmarks.naive")) as naive:
            timings[NAIVE] = await measure_failures(naive, SIGNER, RSA_API_KEY, failures)
    return Results(_machine(), rounds, seconds, loads, pure, waiting, timings)


def _plan(node_url: str) -> Plan:
    wallets = tuple(PlannedWallet(f"w{number}", new_private_key()) for number in range(WALLETS))
    wallets += (PlannedWallet("words", new_mnemonic(12)),)
    user = PlannedUser("bench", PASSWORD, {wallet.name: EVERY_PERMISSION for wallet in wallets})
    granted = {wallet.name: EVERY_PERMISSION for wallet in wallets}
    bots = (
        PlannedClient("bench-bot", SIGNER.api_key, "hmac", granted, SIGNER.secret),
        PlannedClient("bench-rsa", RSA_API_KEY, "rsa", {}, public_key=_rsa_public_key()),
    )
    limits = {"failed_signatures_per_address": NO_LIMIT, "requests_per_client": NO_LIMIT}
    return Plan(wallets, (user,), {"TESTNET": node_url}, clients=bots, rate_limits=limits)


def _rsa_public_key() -> str:
    key = rsa.generate_private_key(65537, 2048).public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def _targets(installation: Installation, token: str, bare_port: int) -> list[Target]:
    listen = installation.settings.server.listen
    vault = installation.settings.vault
    vault_host, _, vault_port = vault.address.partition("://")[2].partition(":")
    vault_token = installation.token_path.read_text().strip()
    read = get(
        "/v1/secret/data/wallets/w0", vault_host, [f"X-Vault-Token: {vault_token}", "X-Vault-Request: true"]
    )

    names = [f"w{number}" for number in range(WALLETS)]

    def sign(*wallets: str) -> tuple[Callable[[], bytes], ...]:
        headers = [f"Authorization: Bearer {token}", "Content-Type: application/json"]
        return tuple(always(post(SIGN_PATH, str(listen), _body(wallet), headers)) for wallet in wallets)

    def sign_by_client(wallet: str) -> Callable[[], bytes]:
        return lambda: SIGNER.post(SIGN_PATH, str(listen), _body(wallet))

    return [
        Target(VAULT, vault_host, int(vault_port), (always(read),)),
        Target(BARE, "127.0.0.1", bare_port, (always(post("/", "bare", _body("w0"))),)),
        Target(HOT, listen.host, listen.port, sign("w0")),
        Target(MANY, listen.host, listen.port, sign(*names)),
        Target(SIGNED, listen.host, listen.port, tuple(map(sign_by_client, names))),
        Target(MNEMONIC, listen.host, listen.port, sign("words")),
    ]


def _body(wallet: str) -> bytes:
    return json.dumps({"wallet_name": wallet, "msg": MESSAGE}).encode()


async def _load_in_turn(
    targets: list[Target], seconds: float, rounds: int, console: Console
) -> dict[str, dict[int, Measured]]:
    runs: dict[tuple[str, int], list[Measured]] = {}
    with Progress(console=console) as progress:
        task = progress.add_task("loading", total=rounds * len(CONNECTIONS) * len(targets))
        for _ in range(rounds):
            for connections in CONNECTIONS:
                for target in targets:
                    await measure(target, connections, min(0.5, seconds))
                    measured = await measure(target, connections, seconds)
                    runs.setdefault((target.name, connections), []).append(measured)
                    progress.advance(task)
    return {
        target.name: {connections: _median(runs[target.name, connections]) for connections in CONNECTIONS}
        for target in targets
    }


def _median(runs: list[Measured]) -> Measured:
    return Measured(
        rate=statistics.median(run.rate for run in runs),
        p50_ms=statistics.median(run.p50_ms for run in runs),
        p99_ms=statistics.median(run.p99_ms for run in runs),
        answers=sum(run.answers for run in runs),
    )


async def _measure_parts(
    service: Service, token: str, directory: Path
) -> tuple[dict[str, float], dict[str, float]]:
    custody = CustodyClient(service.custody_socket)
    request = SignBeaconRequest(
        request_id=RequestId("bench"),
        principal=Principal("user", "bench"),
        access_token=token,
        operation=Operation("order.sign"),
        wallet=WalletName("w0"),
        message_document=message_to_document(ORDER, "tbnb"),
        memo="",
        account_number=1,
        sequence=1,
        ip="127.0.0.1",
        policy=load_policies(service.installation.settings.policies).digest,
    )
    await custody.connect()
    try:
        policies = service.installation.settings.policies
        pure = await measure_pure_parts(custody, request, _body("w0"), token, policies)
        return pure, await measure_waiting_parts(custody, request, directory)
    finally:
        await custody.close()


@asynccontextmanager
async def _bare_server() -> AsyncIterator[int]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks.bare_answer",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin
    assert process.stdout
    try:
        yield int(await process.stdout.readline())
    finally:
        process.stdin.close()
        await process.wait()


def _machine() -> str:
    cpus = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if "model name" in line
    ]
    return f"{len(cpus)} cores of {cpus[0] if cpus else platform.machine()}, Linux, Python {platform.python_version()}"
