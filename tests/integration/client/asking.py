"""Both clients, asked as if they were alike."""

import asyncio
import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from vaultsigner.client import AsyncSigningClient, Credentials, SigningClient
from vaultsigner.client.session import machine_ms


def later_ms() -> int:
    """A partner's signature is good for three seconds of the past, and ten of the future: the widest window is in the middle."""
    return machine_ms() + 5_000


UNHURRIED: dict[str, Any] = {"recv_window_ms": 10_000, "clock_ms": later_ms}
"""What a partner's client gets where the machine may be slow."""


@dataclass(slots=True)
class Asking:
    """One of the two clients, asked as if both were alike: `asking.wallets()` answers wallets."""

    client: SigningClient | AsyncSigningClient
    runner: asyncio.Runner | None = field(repr=False)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.client, name)
        if self.runner is None or not callable(found):
            return found

        def asked(*args: Any, **kwargs: Any) -> Any:
            assert self.runner is not None
            given = found(*args, **kwargs)
            return (
                self.runner.run(_everything(given)) if inspect.isasyncgen(given) else self.runner.run(given)
            )

        return asked


async def _everything(items: Any) -> list[Any]:
    return [item async for item in items]


@contextmanager
def asking(kind: str, url: str, credentials: Credentials | None, **options: Any) -> Iterator[Asking]:
    """A client of the kind, `sync` or `async`."""
    if kind == "sync":
        with SigningClient(url, credentials, **options) as client:
            yield Asking(client, None)
        return
    with asyncio.Runner() as runner:
        awaited = AsyncSigningClient(url, credentials, **options)
        try:
            yield Asking(awaited, runner)
        finally:
            runner.run(awaited.close())
