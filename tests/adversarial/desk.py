"""What the attacks share: a desk with few wallets, whose keys the tests know, and requests in its name."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.world import World, running_world
from vaultsigner.cli.key_material import new_private_key
from vaultsigner.dev.installation import PlannedWallet
from vaultsigner.domain.amounts import format_units

RECEIVER = "tbnb10a6kkxlf823w9lwr6l9hzw4uyphcw7qzrud5rr"
MAINNET_RECEIVER = "bnb1jxfh2g85q3v0tdq56fnevx6xcxtcnhtsmcu64m"
PREFIX = "tbnb"


@contextmanager
def running_desk(directory: Path, *wallets: PlannedWallet, **options: Any) -> Iterator[World]:
    """A world with these wallets alone, each with an account on the test network's node; options as for `running_world`."""
    with running_world(directory, [], wallets=wallets, **options) as world:
        for number, wallet in enumerate(wallets):
            world.node.chain.add_account(wallet.address(PREFIX), number + 1)
        yield world


def private_key_wallet(name: str, **options: Any) -> PlannedWallet:
    """A wallet with a fresh key."""
    return PlannedWallet(name, new_private_key(), **options)


def transfer(wallet: str, units: int = 1, **members: object) -> dict[str, Any]:
    """The body of a transfer; the amount tells one from the other."""
    message = {"to_address": RECEIVER, "symbol": "BNB", "amount": format_units(units), **members}
    return {"wallet_name": wallet, "msg": message}
