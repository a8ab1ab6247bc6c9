"""The raw reader against a Vault that is slow, silent, rude or dishonest."""

import asyncio
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import pytest

from tests.integration.custody.fake_vault import BODY, KEY, REFERENCE, Conversation, answer, fake_vault
from tests.patience import PATIENCE_SECONDS
from vaultsigner.custody.secret_view import SecretView
from vaultsigner.custody.vault import pool as vault_pool
from vaultsigner.custody.vault.http_answer import BUFFER_BYTES
from vaultsigner.custody.vault.reader import MOST_USES_OF_ONE_READ
from vaultsigner.custody.vault_token import token_file
from vaultsigner.errors import CustodyError


async def error_of(question: Awaitable[Any]) -> CustodyError:
    with pytest.raises(CustodyError) as caught:
        await question
    assert KEY not in str(caught.value)
    return caught.value


async def test_one_connection_serves_one_after_the_other(tmp_path: Path) -> None:
    async def script(vault: Conversation) -> None:
        assert vault.number == 1
        while True:
            request = await vault.request()
            assert request.startswith(b"GET /v1/secret/data/wallets/wallet_1 HTTP/1.1\r\n")
            assert b"X-Vault-Token: s.token\r\n" in request
            assert b"X-Vault-Request: true\r\n" in request
            await vault.send(answer())

    async with fake_vault(script, tmp_path) as vault:
        assert [await vault.read() for _ in range(5)] == [KEY] * 5


async def test_chunks_in_drops(tmp_path: Path) -> None:
    async def script(vault: Conversation) -> None:
        while True:
            await vault.request()
            chunks = b"".join(
                b"%x\r\n%s\r\n" % (len(part), part) for part in (BODY[:7], BODY[7:90], BODY[90:])
            )
            for byte in b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n":
                await vault.send(bytes([byte]))

    async with fake_vault(script, tmp_path) as vault:
        assert await vault.read() == KEY
        assert await vault.read() == KEY


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"garbage\r\n\r\n", "vault_unavailable"),
        (b"HTTP/1.0 200 OK\r\n\r\n" + BODY, "vault_unavailable"),
        (answer() + b"more", "vault_unavailable"),
        (answer()[:-1], "vault_unavailable"),
        (answer()[:20], "vault_unavailable"),
        (answer(b"{}"), "key_missing"),
        (answer(BODY[:-1]), "vault_unavailable"),
        (answer(BODY + BODY), "vault_unavailable"),
        (answer(b""), "vault_unavailable"),
        (answer(BODY.replace(b'"private_key"', b'"private_key":"00","private_key"')), "vault_unavailable"),
        (answer(b"x" * BUFFER_BYTES), "vault_unavailable"),
        (
            answer(status=b"301 Moved Permanently", more=b"Location: http://127.0.0.1:1/\r\n"),
            "vault_unavailable",
        ),
        (answer(b'{"errors":["x"]}', b"500 Internal Server Error"), "vault_unavailable"),
        (answer(b'{"errors":["Vault is sealed"]}', b"503 Service Unavailable"), "vault_sealed"),
        (answer(b'{"errors":["permission denied"]}', b"403 Forbidden"), "vault_denied"),
        (answer(b'{"data":{"data":null}}', b"404 Not Found"), "key_missing"),
    ],
)
async def test_no_answer_that_can_be_used(tmp_path: Path, data: bytes, code: str) -> None:
    """And the next question, on a healthy connection, has its answer."""
    asked = 0

    async def script(vault: Conversation) -> None:
        nonlocal asked
        while True:
            await vault.request()
            asked += 1
            await vault.send(data if asked == 1 else answer())
            if asked == 1 and data.startswith(answer()[:20]) and len(data) < len(answer()):
                return  # truncated: the connection ends in the middle

    async with fake_vault(script, tmp_path) as vault:
        assert (await error_of(vault.read())).code == code
        assert await vault.read() == KEY


async def test_a_connection_that_was_closed_while_idle_is_dialled_again(tmp_path: Path) -> None:
    async def script(vault: Conversation) -> None:
        for _ in range(2):
            await vault.request()
            await vault.send(answer())

    async with fake_vault(script, tmp_path) as vault:
        for _ in range(6):
            assert await vault.read() == KEY


async def test_a_request_lost_with_a_dying_connection_is_asked_again_once(tmp_path: Path) -> None:
    seen = []

    async def script(vault: Conversation) -> None:
        seen.append(await vault.request())
        if vault.number == 1:
            vault.reset()
            return
        await vault.send(answer())

    async with fake_vault(script, tmp_path) as vault:
        assert await vault.read() == KEY
        assert len(seen) == 2


async def test_a_vault_that_hangs_up_every_time_is_asked_twice_and_no_more(tmp_path: Path) -> None:
    connections = 0

    async def script(vault: Conversation) -> None:
        nonlocal connections
        connections = vault.number
        await vault.request()
        vault.reset()

    async with fake_vault(script, tmp_path) as vault:
        assert (await error_of(vault.read())).code == "vault_unavailable"
        assert connections == 2


async def test_connection_close_is_obeyed(tmp_path: Path) -> None:
    async def script(vault: Conversation) -> None:
        await vault.request()
        await vault.send(answer(more=b"Connection: close\r\n"))
        await asyncio.sleep(3600)

    async with fake_vault(script, tmp_path) as vault:
        assert [await vault.read() for _ in range(3)] == [KEY] * 3


async def test_a_silent_vault_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vault_pool, "ANSWER_SECONDS", 0.2)

    async def script(vault: Conversation) -> None:
        await vault.request()
        await vault.send(answer()[:30])
        await asyncio.sleep(3600)

    async with fake_vault(script, tmp_path) as vault:
        error = await error_of(vault.read())
        assert error.code == "vault_unavailable"
        assert "no answer within 0 seconds" in str(error)


async def test_a_vault_that_speaks_unasked_is_not_listened_to(tmp_path: Path) -> None:
    """An answer sent ahead would otherwise be taken for the answer to the next question."""
    hung_up = asyncio.Event()

    async def script(vault: Conversation) -> None:
        await vault.request()
        await vault.send(answer())
        if vault.number == 1:
            await vault.send(answer(BODY.replace(KEY.encode(), b"f" * 64)))
            await vault.ended()
            hung_up.set()
            return
        await vault.request()
        await vault.send(answer())

    async with fake_vault(script, tmp_path) as vault:
        try:
            first = await vault.read()
        except CustodyError as error:  # both answers came in one piece
            first = error.code
        assert first in (KEY, "vault_unavailable")
        async with asyncio.timeout(PATIENCE_SECONDS):
            await hung_up.wait()
        assert await vault.read() == KEY


async def test_those_who_ask_while_a_read_is_under_way_share_it(tmp_path: Path) -> None:
    requests = 0

    async def script(vault: Conversation) -> None:
        nonlocal requests
        while True:
            await vault.request()
            requests += 1
            await asyncio.sleep(0.05)
            await vault.send(answer())

    async with fake_vault(script, tmp_path) as vault:
        assert (
            await asyncio.gather(*(vault.read() for _ in range(MOST_USES_OF_ONE_READ)))
            == [KEY] * MOST_USES_OF_ONE_READ
        )
        assert requests == 1
        await asyncio.gather(*(vault.read() for _ in range(MOST_USES_OF_ONE_READ + 1)))
        assert requests == 3
        await vault.read()
        assert requests == 4, "nothing may be kept for those who come later"


async def test_one_use_that_fails_does_not_disturb_the_others(tmp_path: Path) -> None:
    async def script(vault: Conversation) -> None:
        await vault.request()
        await vault.send(answer())

    def refuse(_: SecretView) -> None:
        raise CustodyError("wrong_key", "not this one")

    def fail(secret: SecretView) -> None:
        raise ZeroDivisionError(bytes(secret.value))

    async with fake_vault(script, tmp_path) as vault:
        abandoned = asyncio.ensure_future(vault.read())
        others = [
            vault.reader.with_secret(REFERENCE, refuse),
            vault.reader.with_secret(REFERENCE, fail),
            vault.read(),
        ]
        gathered = asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(0)
        abandoned.cancel()
        refused, failed, good = await gathered
        assert good == KEY
        assert isinstance(refused, CustodyError)
        assert refused.code == "wrong_key"
        assert isinstance(failed, CustodyError)
        assert failed.code == "internal_error"
        assert failed.__context__ is None
        assert KEY not in str(failed)


async def test_the_secret_is_wiped_when_all_have_used_it(tmp_path: Path) -> None:
    async def script(vault: Conversation) -> None:
        await vault.request()
        await vault.send(answer())

    kept: list[memoryview] = []

    async with fake_vault(script, tmp_path) as vault:
        await vault.reader.with_secret(REFERENCE, lambda secret: kept.append(memoryview(secret.value.obj)))
        assert len(kept[0]) == BUFFER_BYTES
        assert not any(kept[0])


async def test_no_more_connections_than_the_limit_and_none_left_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vault_pool, "MOST_CONNECTIONS", 3)
    at_once, most, full = 0, 0, asyncio.Event()

    async def script(vault: Conversation) -> None:
        nonlocal at_once, most
        assert vault.number <= 3
        while True:
            await vault.request()
            at_once += 1
            most = max(most, at_once)
            if most == 3:
                full.set()
            await full.wait()
            at_once -= 1
            await vault.send(answer())

    async with fake_vault(script, tmp_path) as vault:
        count = MOST_USES_OF_ONE_READ * 8
        assert await asyncio.gather(*(vault.read() for _ in range(count))) == [KEY] * count
        assert most == 3


async def test_nobody_there_is_told_at_once(tmp_path: Path) -> None:
    async def script(_: Conversation) -> None:
        """Never runs."""

    async with fake_vault(script, tmp_path) as vault:
        pass
    error = await error_of(vault.read())
    assert error.code == "vault_unavailable"
    assert "no connection (Connection refused): check vault.address" in str(error)


async def test_a_refused_token_is_read_again_and_the_question_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_file, "REREAD_SECONDS", PATIENCE_SECONDS)

    async def script(vault: Conversation) -> None:
        while True:
            request = await vault.request()
            good = b"X-Vault-Token: s.fresh\r\n" in request
            await vault.send(
                answer() if good else answer(b'{"errors":["permission denied"]}', b"403 Forbidden")
            )

    async with fake_vault(script, tmp_path) as vault:
        assert (await error_of(vault.read())).code == "vault_denied"
        (tmp_path / "token").write_text("s.fresh")
        assert (await error_of(vault.read())).code == "vault_denied", (
            "the file is looked at once in a while at most"
        )
        monkeypatch.setattr(token_file, "REREAD_SECONDS", 0.0)
        assert await vault.read() == KEY
