"""`python -m tests.integration.server.slow_server`: the real process's serving, with a pipeline that takes its time."""

import asyncio
import ctypes
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.integration.server.conftest import NO_PROXY
from tests.integration.server.recording_pipeline import RecordingPipeline
from vaultsigner.config.settings import AuditSettings, Settings, TransitReference
from vaultsigner.config.vault_settings import TokenFileAuth, VaultSettings
from vaultsigner.operational_log import configure_log
from vaultsigner.server.__main__ import serve
from vaultsigner.server.process import protect_memory
from vaultsigner.signing.calls import Answer, Call

PR_GET_DUMPABLE = 3
SETTINGS = Settings(
    source=Path("config.yml"),
    server=NO_PROXY,
    vault=VaultSettings("http://127.0.0.1:1", TokenFileAuth(Path("token"))),
    access_token_expiry_minutes=1,
    access_token_key=TransitReference("transit", "access-tokens"),
    state_url="sqlite:///unused",
    audit=AuditSettings(Path("audit"), None, 1000),
    policies=Path("policies"),
    environments={},
    wallets={},
    users={},
)


class Slow(RecordingPipeline):
    """Signs after half a second."""

    async def wallets(self, call: Call) -> Answer:
        """Says when it has begun."""
        print("begun", flush=True)
        await asyncio.sleep(0.5)
        return Answer(["finished"])


@asynccontextmanager
async def _open() -> AsyncIterator[Slow]:
    yield Slow(problems=("vault: sealed",))
    print("pipeline closed", flush=True)


if __name__ == "__main__":
    configure_log("json")
    protect_memory()
    print("dumpable", ctypes.CDLL(None).prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), flush=True)
    asyncio.run(serve(SETTINGS, _open))
