"""A desk on three replicas: whole services with a record of their own each, one PostgreSQL, one Vault, one node."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from tests.adversarial.bots import Attempt, ask
from tests.adversarial.desk import running_desk
from tests.postgres import PostgresServer
from tests.world import World
from vaultsigner.dev.installation import PlannedWallet
from vaultsigner.dev.records import Record, read_records
from vaultsigner.dev.service import Service

REPLICAS, WORKERS = 3, 8
Item = TypeVar("Item")
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Desk:
    """What runs. The first replica is the world's own service."""

    world: World
    services: tuple[Service, ...]
    postgres: PostgresServer
    state_url: str

    def ask(self, number: int, path: str, body: object, *, who: str | None = None) -> Attempt:
        """POST to one of the replicas, as the default user or as another whose password is their name three times."""
        token = self.world.token(who, who * 3) if who else self.world.token()
        return ask(self.services[number % REPLICAS].url, path, body, token)

    def at_once(self, each: Callable[[int], Found], number: int) -> list[Found]:
        """Calls it for so many numbers, by as many workers at a time as each replica gets."""
        with ThreadPoolExecutor(REPLICAS * WORKERS) as pool:
            return list(pool.map(each, range(number)))

    @property
    def audit_directories(self) -> tuple[Path, ...]:
        """One for each replica."""
        return tuple(service.installation.audit_directory for service in self.services)

    def records(self) -> list[Record]:
        """Those of all replicas; every chain is checked on the way."""
        return [record for directory in self.audit_directories for record in read_records(directory)]


@contextmanager
def running_replicas(
    directory: Path, postgres: PostgresServer, wallets: Sequence[PlannedWallet], **options: Any
) -> Iterator[Desk]:
    """Three of them; options as for `running_world`."""
    with ExitStack() as stack:
        url = stack.enter_context(postgres.database())
        world = stack.enter_context(
            running_desk(directory, *wallets, state_url=url, audit={"replica": "replica-0"}, **options)
        )
        others = [
            stack.enter_context(
                world.second_service(
                    f"replica-{number}",
                    audit_directory=directory / f"replica-{number}" / "audit",
                    audit={"replica": f"replica-{number}"},
                )
            )
            for number in range(1, REPLICAS)
        ]
        yield Desk(world, (world.service, *others), postgres, url)
