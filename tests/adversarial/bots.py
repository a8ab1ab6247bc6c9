"""Bots that go on whatever happens, and what the node saw of their work."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

from tests.adversarial.desk import PREFIX
from tests.patience import PATIENCE_SECONDS
from tests.world import World
from vaultsigner.dev.beacon_chain import Received
from vaultsigner.dev.installation import PlannedWallet


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request; status 0 where the connection broke. It began at a monotonic second."""

    path: str
    status: int
    body: Any
    headers: Mapping[str, str]
    began: float

    @property
    def request_id(self) -> str:
        """What the records call it."""
        return self.headers.get("X-Request-Id", "")


def ask(url: str, path: str, body: object, token: str) -> Attempt:
    """POST over a connection of its own, so that a process that was killed leaves none behind."""
    began = time.monotonic()
    headers = {"Authorization": f"Bearer {token}", "Connection": "close"}
    try:
        answer = requests.post(f"{url}{path}", json=body, headers=headers, timeout=PATIENCE_SECONDS)
    except requests.ConnectionError:
        return Attempt(path, 0, None, {}, began)
    return Attempt(path, answer.status_code, answer.json(), answer.headers, began)


def sent_by(world: World, wallet: PlannedWallet) -> list[Received]:
    """What reached the node of a wallet's transactions, in order."""
    address = wallet.address(PREFIX)
    return [
        received
        for received in world.node.chain.received
        if received.transaction is not None and received.transaction.sender == address
    ]


def sequence_of(received: Received) -> int:
    """The number that it was signed for."""
    assert received.transaction is not None
    return received.transaction.sequence


def units_of(received: Received) -> int:
    """What a transfer pays."""
    assert received.transaction is not None
    message: Any = received.transaction.message
    units: int = message["outputs"][0]["coins"][0]["amount"]
    return units
