"""What the attacks share: a desk with few wallets, whose keys the tests know, and requests in its name."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, cast

from tests.world import World, running_world
from vaultsigner.cli.key_material import new_private_key
from vaultsigner.dev.installation import PlannedWallet
from vaultsigner.dev.records import Record
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


def numbers(world: World) -> list[tuple[Any, ...]]:
    """Every account's sequence in state, and whatever number is held."""
    database = world.installation.directory / "state" / "vaultsigner.db"
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        sequences = connection.execute("SELECT address, sequence FROM accounts ORDER BY address").fetchall()
        return sequences + connection.execute("SELECT address, sequence, status FROM held").fetchall()


class NewRecords:
    """The records since the last look. Reading all of them, and checking the chain, a thousand times would take too long."""

    def __init__(self, world: World) -> None:
        self._directory = world.installation.audit_directory
        self._seen: dict[Path, int] = {}
        self.look()

    def look(self) -> list[Record]:
        """In the order of their chain; a line that is being written is left for the next look."""
        lines: list[bytes] = []
        for path in sorted(self._directory.rglob("*.jsonl")):
            data = path.read_bytes()[self._seen.get(path, 0) :]
            data = data[: data.rfind(b"\n") + 1]
            self._seen[path] = self._seen.get(path, 0) + len(data)
            lines += data.splitlines()
        return [cast(Record, json.loads(line)) for line in lines]
