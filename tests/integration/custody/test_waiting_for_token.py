"""Questions to Vault that wait for custody's log-in, and what they wait for."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.integration.custody.fake_vault import KEY, REFERENCE, Conversation, answer, fake_vault
from tests.patience import PATIENCE_SECONDS, until
from vaultsigner.config.vault_settings import TokenFileAuth, VaultSettings
from vaultsigner.custody.vault import pool as vault_pool
from vaultsigner.custody.vault.endpoint import endpoint_of
from vaultsigner.custody.vault.pool import VaultPool
from vaultsigner.custody.vault.reader import VaultReader
from vaultsigner.custody.vault_token import logged_in_token
from vaultsigner.custody.vault_token.logged_in_token import LoggedInToken
from vaultsigner.errors import CustodyError


class Waiting:
    """A reader whose token a test holds in its hands, at a Vault that takes one token alone."""

    def __init__(self, address: str, asked: list[bytes]) -> None:
        self.token = LoggedInToken()
        self.asked = asked
        settings = VaultSettings(address, TokenFileAuth(Path("none")))
        self.pool = VaultPool(endpoint_of(settings), self.token)
        self._reader = VaultReader(self.pool)

    def read(self) -> "asyncio.Future[str]":
        return self._reader.begin(REFERENCE, lambda secret: bytes(secret.value).decode())

    def log_in(self, token: bytes) -> None:
        self.token.adopt(bytearray(token))
        self.token.found_good()


@asynccontextmanager
async def waiting(directory: Path) -> AsyncIterator[Waiting]:
    asked: list[bytes] = []

    async def script(vault: Conversation) -> None:
        while True:
            asked.append((await vault.request()).partition(b"X-Vault-Token: ")[2].partition(b"\r")[0])
            await vault.send(answer() if asked[-1] == b"s.good" else answer(b"{}", b"403 Forbidden"))

    async with fake_vault(script, directory) as vault:
        found = Waiting(vault.address, asked)
        try:
            yield found
        finally:
            found.pool.close()


async def test_until_the_first_log_in_is_done(tmp_path: Path) -> None:
    async with waiting(tmp_path) as vault:
        read = vault.read()
        await asyncio.sleep(0.05)
        assert not read.done()
        assert not vault.asked
        vault.log_in(b"s.good")
        assert await read == KEY


async def test_a_log_in_that_fails_ends_the_waiting_with_its_reason(tmp_path: Path) -> None:
    async with waiting(tmp_path) as vault:
        read = vault.read()
        vault.token.not_had("there is no secret id in FILE")
        with pytest.raises(CustodyError, match="there is no secret id in FILE") as caught:
            await read
        assert caught.value.code == "vault_denied"
        with pytest.raises(CustodyError, match="there is no secret id in FILE"):
            await vault.read()


async def test_a_refused_token_is_waited_for_and_the_question_asked_with_the_next(tmp_path: Path) -> None:
    async with waiting(tmp_path) as vault:
        vault.token.adopt(bytearray(b"s.revoked"))
        vault.token.not_found_out()
        read = vault.read()
        await until(vault.token.woken.is_set, "the keeper is woken")
        assert not read.done()
        vault.token.lost()
        vault.log_in(b"s.good")
        assert await read == KEY
        assert vault.asked == [b"s.revoked", b"s.good"]


async def test_a_token_that_proves_good_after_all_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logged_in_token, "REREAD_SECONDS", PATIENCE_SECONDS)
    async with waiting(tmp_path) as vault:
        vault.token.adopt(bytearray(b"s.without-the-line"))
        vault.token.not_found_out()
        read = vault.read()
        await until(vault.token.woken.is_set, "the keeper is woken")
        vault.token.found_good()
        with pytest.raises(CustodyError, match="refused custody's token"):
            await read
        with pytest.raises(CustodyError, match="refused custody's token"):
            await vault.read()  # not waited for: it was looked up just now
        assert len(vault.asked) == 2


async def test_nobody_waits_longer_than_for_an_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vault_pool, "ANSWER_SECONDS", 0.05)
    async with waiting(tmp_path) as vault:
        read = vault.read()
        with pytest.raises(CustodyError, match="no answer within"):
            await read
        vault.log_in(b"s.good")
        await asyncio.sleep(0)
        assert not vault.asked, "an abandoned question is not asked later"


async def test_whoever_waits_is_told_when_custody_stops(tmp_path: Path) -> None:
    async with waiting(tmp_path) as vault:
        read = vault.read()
        vault.pool.close()
        with pytest.raises(CustodyError, match="custody is stopping"):
            await read
