"""The custody process that a check starts: it ends with the check, however that ends, and says why it cannot start."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.cli.conftest import Bao
from tests.patience import wait_until
from vaultsigner.cli.custody_session import CustodyStartError, custody_session
from vaultsigner.config import load

HOLD = """
import asyncio, os, sys
from pathlib import Path
from vaultsigner.cli.custody_session import custody_session
from vaultsigner.config import load
async def hold():
    async with custody_session(Path(sys.argv[1]), load(Path(sys.argv[1]), {}), {}):
        print("held", flush=True)
        await asyncio.sleep(60)
asyncio.run(hold())
"""


@pytest.fixture
def config(tmp_path: Path, bao: Bao) -> Path:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "all.yml").write_text("version: 1\nrules:\n  - {id: all, effect: allow}\n")
    (tmp_path / "token").write_text(bao.token)
    path = tmp_path / "config.yml"
    path.write_text(
        f'vault: {{address: "{bao.address}", auth: {{method: token_file, path: {tmp_path}/token}}}}\n'
        f"policies: {tmp_path}/policies\nwallets: []\n"
    )
    return path


def custody_of(config: Path) -> list[int]:
    """Custody processes that were started for this configuration."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = entry.read_bytes()
        except OSError:
            continue
        if b"vaultsigner.custody\0" in line and str(config).encode() in line:
            found.append(int(entry.parent.name))
    return found


async def test_custody_ends_with_the_block(config: Path) -> None:
    async with custody_session(config, load(config, {}), {}) as custody:
        assert (await custody.health()).vault == "ok"
        assert len(custody_of(config)) == 1
    assert custody_of(config) == []


def test_custody_ends_when_the_check_is_killed(config: Path) -> None:
    check = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(config)], stdout=subprocess.PIPE, env=dict(os.environ)
    )
    assert check.stdout is not None
    with check.stdout as words:
        assert words.readline() == b"held\n"
    assert len(custody_of(config)) == 1
    check.send_signal(signal.SIGKILL)
    check.wait()
    wait_until(lambda: not custody_of(config), "custody ends")


async def test_custody_that_cannot_start_says_why(config: Path) -> None:
    settings = load(config, {})
    (settings.policies / "all.yml").unlink()
    with pytest.raises(CustodyStartError, match="polic"):
        async with custody_session(config, settings, {}):
            pass
    assert custody_of(config) == []
