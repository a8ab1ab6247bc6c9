"""The desk that everything here is measured on: wallets, a user, clients; and services of it on one Vault and one node."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from benchmarks.load import Target, always, post
from benchmarks.signed_requests import Signer
from vaultsigner.cli.key_material import new_mnemonic, new_private_key
from vaultsigner.config.settings import ListenAddress, RateLimit
from vaultsigner.dev.api_client import ApiClient
from vaultsigner.dev.beacon_node import BeaconNode
from vaultsigner.dev.installation import (
    EVERY_PERMISSION,
    Plan,
    PlannedClient,
    PlannedUser,
    PlannedWallet,
    install,
)
from vaultsigner.dev.openbao import OpenBao
from vaultsigner.dev.service import PRODUCT, Service, run_service

WALLETS = 64
SIGN_PATH = "/api/order/sign"
USERNAME = "bench"
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
WORDS = "words"
"""The wallet whose key is made from a mnemonic."""
NO_LIMIT = RateLimit(1_000_000, 1)


@dataclass(frozen=True, slots=True)
class Desk:
    """A running service, and a token that its user has got."""

    service: Service
    token: str

    @property
    def listen(self) -> ListenAddress:
        """Where it is asked."""
        return self.service.installation.settings.server.listen

    @property
    def processes(self) -> tuple[int, ...]:
        """Ids of its two."""
        return self.service.server_pid, self.service.custody_pid

    def sign(self, name: str, *wallets: str) -> Target:
        """Signing by the user, for these wallets in turn."""
        headers = [f"Authorization: Bearer {self.token}", "Content-Type: application/json"]
        listen = self.listen
        requests = tuple(always(post(SIGN_PATH, str(listen), body_for(each), headers)) for each in wallets)
        return Target(name, listen.host, listen.port, requests)

    def sign_by_client(self, name: str, *wallets: str) -> Target:
        """The same by requests that a client signs with HMAC."""
        listen = self.listen

        def by_client(wallet: str) -> Callable[[], bytes]:
            return lambda: SIGNER.post(SIGN_PATH, str(listen), body_for(wallet))

        return Target(name, listen.host, listen.port, tuple(map(by_client, wallets)))


def wallet_names() -> tuple[str, ...]:
    """Those whose keys lie in Vault as they are."""
    return tuple(f"w{number}" for number in range(WALLETS))


def body_for(wallet: str) -> bytes:
    """What is asked for."""
    return json.dumps({"wallet_name": wallet, "msg": MESSAGE}).encode()


def plan_desk(node_url: str) -> Plan:
    """Fresh keys for everything."""
    wallets = tuple(PlannedWallet(name, new_private_key()) for name in wallet_names())
    wallets += (PlannedWallet(WORDS, new_mnemonic(12)),)
    granted = {wallet.name: EVERY_PERMISSION for wallet in wallets}
    bots = (
        PlannedClient("bench-bot", SIGNER.api_key, "hmac", granted, SIGNER.secret),
        PlannedClient("bench-rsa", RSA_API_KEY, "rsa", {}, public_key=_rsa_public_key()),
    )
    limits = {"failed_signatures_per_address": NO_LIMIT, "requests_per_client": NO_LIMIT}
    user = PlannedUser(USERNAME, PASSWORD, granted)
    return Plan(wallets, (user,), {"TESTNET": node_url}, clients=bots, rate_limits=limits)


@dataclass(frozen=True, slots=True)
class Ground:
    """What desks stand on: one Vault, one node, one plan of keys and callers."""

    directory: Path
    openbao: OpenBao
    node: BeaconNode
    plan: Plan

    @asynccontextmanager
    async def run_desk(
        self,
        name: str,
        plan: Plan | None = None,
        *,
        planting: bool = True,
        program: Sequence[str] = PRODUCT,
        more_settings: str = "",
    ) -> AsyncIterator[Desk]:
        """A service whose wallets know their accounts, for as long as the block lasts.

        Args:
            name: of its directory.
            plan: another than the ground's own.
            planting: False where the keys are in this Vault already.
            program: what to start instead of the product.
            more_settings: sections that config.yml gets besides.
        """
        installation = await asyncio.to_thread(
            install, self.directory / name, self.openbao, plan or self.plan, planting=planting
        )
        with installation.config_file.open("a") as config_file:
            config_file.write(more_settings)
        async with run_service(installation, program) as service, aiohttp.ClientSession() as session:
            client = ApiClient(session, service.url)
            await client.log_in(USERNAME, PASSWORD)
            for number, wallet in enumerate((await client.get("/api/wallet")).body):
                self.node.chain.add_account(wallet["address"], number + 1, 1)
                await client.post("/api/wallet/resync", {"wallet_name": wallet["name"]})
            yield Desk(service, client.token)


def _rsa_public_key() -> str:
    key = rsa.generate_private_key(65537, 2048).public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
