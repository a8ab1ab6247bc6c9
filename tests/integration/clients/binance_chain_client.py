"""python-binance-chain's signing clients, in their own environment and process."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from tests.world import PASSWORD, USERNAME

ROOT = Path(__file__).parents[3]
PYTHON = ROOT / ".venv-clients" / "bin" / "python"
CLIENTS = ROOT / "tests" / "clients"


class ClientError(Exception):
    """What the library raised: its class name and text."""


class BinanceChainClient:
    """Talks to tests/clients/driver.py."""

    def __init__(self, commands: IO[str], answers: IO[str]) -> None:
        self._commands = commands
        self._answers = answers

    def call(self, method: str, message: dict[str, Any] | None = None, wallet: str | None = None) -> Any:
        """Call a method of the client.

        Raises:
            ClientError: the library raised.
        """
        return self.send({"call": method, "message": message, "wallet": wallet})

    def send(self, line: dict[str, Any]) -> Any:
        """One line there, one back."""
        self._commands.write(json.dumps(line) + "\n")
        self._commands.flush()
        answer = json.loads(self._answers.readline() or '{"error": "driver", "text": "it ended"}')
        if "error" in answer:
            raise ClientError(f"{answer['error']}: {answer['text']}")
        return answer["result"]


@contextmanager
def logged_in_client(
    kind: str, url: str, username: str = USERNAME, password: str = PASSWORD
) -> Iterator[BinanceChainClient]:
    """A client of either kind (`sync`, `async`).

    Raises:
        ClientError: it could not log in.
    """
    with subprocess.Popen(
        [PYTHON, CLIENTS / "driver.py"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": str(CLIENTS / "stand_in")},
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        client = BinanceChainClient(process.stdin, process.stdout)
        client.send({"kind": kind, "url": url, "username": username, "password": password})
        yield client
