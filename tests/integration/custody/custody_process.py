"""The custody process alone, as the launcher starts it, with a test in the place of the server."""

import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from tests.patience import PATIENCE_SECONDS, until
from vaultsigner.cli.launcher import custody_environment
from vaultsigner.custody.client import CustodyClient
from vaultsigner.custody.protocol import SignBeaconRequest
from vaultsigner.custody.vault_token.keepsake_memory import SIZE as KEEPSAKE_BYTES
from vaultsigner.custody.vault_token.keepsake_memory import hand_over
from vaultsigner.dev.installation import Installation
from vaultsigner.domain.names import Operation, RequestId, WalletName
from vaultsigner.domain.principals import Principal
from vaultsigner.formats.bnb_beacon.messages import message_to_document
from vaultsigner.formats.bnb_beacon.transaction import decode_transaction

KINDS = {"new_order": "order", "multi_transfer": "transfer"}


class CustodyProcess:
    """Custody on an installation; its log goes to `log`."""

    def __init__(self, installation: Installation, **environment: str) -> None:
        self.installation = installation
        self._environment = custody_environment({**os.environ, **environment})
        self.socket_path = installation.directory / "custody.sock"
        self.log = installation.directory / "custody.log"
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(self.socket_path))
        self._listener.listen(128)
        self._keepsake = os.memfd_create("keepsake")
        os.ftruncate(self._keepsake, KEEPSAKE_BYTES)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Of the running process."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it, or start it again on the same socket. Does not wait."""
        arguments = ["-sP", "-m", "vaultsigner.custody", "--config", str(self.installation.config_file)]
        keepsake = hand_over(self._keepsake)
        arguments += ["--keepsake-fd", str(keepsake.fileno())]
        descriptors = [self._listener.fileno(), keepsake.fileno()]
        token_path = self.installation.token_path
        token = os.open(token_path, os.O_RDONLY) if token_path.exists() else None
        arguments += ["--listen-fd", str(self._listener.fileno())]
        if token is not None:
            descriptors.append(token)
            arguments += ["--token-fd", str(token)]
        with self.log.open("ab") as log, keepsake:
            self._process = subprocess.Popen(
                [sys.executable, *arguments],
                env=self._environment,
                pass_fds=descriptors,
                stderr=log,
            )
        if token is not None:
            os.close(token)

    def kill(self) -> None:
        """End it as a crash would."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """Ask it to end; its exit status."""
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(PATIENCE_SECONDS)

    def close(self) -> None:
        """End it for good."""
        if self._process is not None and self._process.poll() is None:
            self.stop()
        self._listener.close()
        os.close(self._keepsake)


@contextmanager
def running_custody(installation: Installation, **environment: str) -> Iterator[CustodyProcess]:
    """Custody for as long as the block lasts. `environment`: variables beside those of the test."""
    custody = CustodyProcess(installation, **environment)
    try:
        custody.start()
        yield custody
    finally:
        custody.close()


@asynccontextmanager
async def connected(socket_path: Path) -> AsyncIterator[CustodyClient]:
    """A client that custody answers."""
    client = CustodyClient(socket_path)
    await client.connect()
    try:
        await until_up(client)
        yield client
    finally:
        await client.close()


async def until_up(client: CustodyClient) -> None:
    """Wait until custody serves the client."""
    await until(lambda: client.connected, "custody comes up")


async def until_down(client: CustodyClient) -> None:
    """Wait until the client has noticed that custody is gone."""
    await until(lambda: not client.connected, "the client notices that custody is gone")


def request_for(vector: dict[str, Any], wallet: str, token: str, /, **changes: Any) -> SignBeaconRequest:
    """The question that makes the signature of a vector; `changes` replace members of it."""
    transaction = decode_transaction(bytes.fromhex(vector["signed_tx"]))
    kind = KINDS.get(vector["msg_type"], vector["msg_type"])
    prefix = "tbnb" if vector["network"] == "testnet" else "bnb"
    members: dict[str, Any] = {
        "request_id": RequestId("r-1"),
        "principal": Principal("user", "sam"),
        "access_token": token,
        "operation": Operation(f"{kind}.sign"),
        "wallet": WalletName(wallet),
        "message_document": message_to_document(transaction.message, prefix),
        "memo": vector["memo"],
        "account_number": vector["account_number"],
        "sequence": vector["sequence"],
        "source": vector["source"],
        "ip": "127.0.0.1",
    }
    return SignBeaconRequest(**{**members, **changes})
