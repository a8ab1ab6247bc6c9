"""A Vault that misbehaves as told: raw bytes on every connection. A real one cannot be made to."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from vaultsigner.config.settings import KvReference
from vaultsigner.config.vault_settings import TokenFileAuth, VaultSettings
from vaultsigner.custody.vault.endpoint import endpoint_of
from vaultsigner.custody.vault.pool import VaultPool
from vaultsigner.custody.vault.reader import VaultReader
from vaultsigner.custody.vault_token.token_file import VaultToken

REFERENCE = KvReference("secret", "wallets/wallet_1", "private_key")
KEY = "3dcc267e1f7edca86e03f0963b2d0b7804552d3014caddcfc435a4d7bc240cf5"
BODY = b'{"request_id":"r-1","data":{"data":{"private_key":"%s"},"metadata":{}}}' % KEY.encode()


def answer(body: bytes = BODY, status: bytes = b"200 OK", more: bytes = b"") -> bytes:
    """A plain answer; `more` are header lines with their line ends."""
    return b"HTTP/1.1 %s\r\n%sContent-Length: %d\r\n\r\n%s" % (status, more, len(body), body)


class Conversation:
    """One connection, from the fake Vault's side. `number` counts connections from 1."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        self._reader = reader
        self._writer = writer
        self.number = number

    async def request(self) -> bytes:
        """The next request's head; waits for it."""
        return await self._reader.readuntil(b"\r\n\r\n")

    async def send(self, data: bytes) -> None:
        """Send exactly this."""
        self._writer.write(data)
        await self._writer.drain()

    async def ended(self) -> None:
        """Waits until the other side has ended the connection."""
        with suppress(ConnectionError):
            await self._reader.read()

    def reset(self) -> None:
        """End the connection rudely."""
        self._writer.transport.abort()


Script = Callable[[Conversation], Awaitable[None]]


class FakeVault:
    """Custody's own reader, pointed at the fake."""

    def __init__(self, address: str, pool: VaultPool) -> None:
        self.address = address
        self.pool = pool
        self.reader = VaultReader(pool)

    async def read(self) -> str:
        """The secret, read as custody reads it."""
        return await self.reader.with_secret(REFERENCE, lambda secret: bytes(secret.value).decode())


@asynccontextmanager
async def fake_vault(
    script: Script,
    directory: Path,
    *,
    tls: ssl.SSLContext | None = None,
    scheme: str | None = None,
    ca_cert: Path | None = None,
) -> AsyncIterator[FakeVault]:
    """Runs `script` on every connection, then closes it.

    Args:
        directory: for the token's file.
        tls: the server's; plain HTTP without it.
        scheme, ca_cert: how the client speaks to it and checks it; the scheme fits `tls` unless given.
    """
    tasks: set[asyncio.Task[None]] = set()
    connections = 0

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            # Cancelled below, when the test is over: asyncio would report that as a failure of the connection.
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await script(Conversation(reader, writer, connections))
        finally:
            writer.close()

    server = await asyncio.start_server(converse, "127.0.0.1", 0, ssl=tls)
    address = f"{scheme or ('https' if tls else 'http')}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    token_path = directory / "token"
    if not token_path.exists():
        token_path.write_text("s.token")
    settings = VaultSettings(address, TokenFileAuth(token_path), ca_cert=ca_cert)
    pool = VaultPool(endpoint_of(settings), VaultToken(None, token_path))
    try:
        yield FakeVault(address, pool)
    finally:
        pool.close()
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
