"""One round trip: the wallet's key is asked for while the client's signature is checked, and its answer waits unread."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.custody.fake_vault import answer
from tests.integration.custody.proving import HMAC, NOW, PATHS, SIGNED_REQUEST_KEYS, Proving, proving
from tests.integration.custody.test_tls import Authority
from tests.patience import PATIENCE_SECONDS, until
from tests.signing_client import HmacKey
from vaultsigner.custody import request_proofs
from vaultsigner.custody.protocol import Proof
from vaultsigner.custody.vault import pool as vault_pool
from vaultsigner.custody.vault.http_answer import HttpAnswer
from vaultsigner.custody.vault.reader import MOST_READ_AHEAD
from vaultsigner.custody.vault_token import token_file
from vaultsigner.errors import CustodyError

BOTH = [PATHS["bot"], PATHS["desk"]]
FALSE_HMAC = HmacKey(HMAC.api_key, "another secret")


@pytest.fixture(params=["plain", "tls"])
async def here(
    tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Proving]:
    """Custody that has patience with a slow machine."""
    monkeypatch.setattr(request_proofs, "NOT_AHEAD_SECONDS", 2 * PATIENCE_SECONDS)
    authority = Authority(tmp_path, "127.0.0.1") if request.param == "tls" else None
    tls, certificate = (authority.server, authority.certificate) if authority else (None, None)
    async with proving(tmp_path, tls=tls, ca_cert=certificate) as at_hand:
        yield at_hand


async def fresh(here: Proving, scheme: str = "hmac") -> Proof:
    return await here.proved(here.request(here.call(SIGNED_REQUEST_KEYS[scheme])))


async def fresh_signature(here: Proving) -> bytes:
    return (await here.sign(await fresh(here))).signature


async def until_asked(here: Proving, paths: list[str]) -> None:
    await until(lambda: sorted(here.vault.asked) == sorted(paths), f"Vault is asked for {paths}")


async def until_answered(here: Proving, count: int) -> None:
    await until(lambda: len(here.vault.answered) >= count, "Vault answers")
    await asyncio.sleep(0.02)


async def until_hung_up(here: Proving, *paths: str) -> None:
    await until(lambda: here.vault.aborted == list(paths), f"the connections that {paths} came on end")


async def test_both_questions_are_on_their_way_before_either_is_answered(here: Proving) -> None:
    """Asked one after the other, the second would wait for ever: a client waits for one round trip."""
    for number in range(1, 4):  # on new connections, then on kept ones
        with here.vault.holding_back(*BOTH):
            signing = asyncio.ensure_future(fresh_signature(here))
            await until_asked(here, BOTH * number)
        assert len(await signing) == 64
    assert sorted(here.vault.asked) == sorted(BOTH * 3)


async def test_a_public_key_asks_for_the_wallets_key_and_waits_for_nothing(here: Proving) -> None:
    """A signature that needs no secret of the client's is good before Vault has said a word."""
    with here.vault.holding_back(*BOTH):
        proof = await fresh(here, "ed25519")
        await until_asked(here, [PATHS["desk"]])
    assert len((await here.sign(proof)).signature) == 64
    assert here.vault.asked == [PATHS["desk"]]


async def test_the_answer_is_not_read_before_it_is_needed(
    here: Proving, monkeypatch: pytest.MonkeyPatch
) -> None:
    """See `test_key_in_memory` for the memory itself."""
    seen: list[bytes] = []
    received = HttpAnswer.received

    def watched(self: HttpAnswer, count: int) -> bool:
        complete = received(self, count)
        seen.append(bytes(self.body))
        return complete

    monkeypatch.setattr(HttpAnswer, "received", watched)
    proof = await fresh(here)
    await until_answered(here, 2)
    assert any(b"bot-hmac" in body for body in seen)
    assert not any(b"private_key" in body for body in seen)
    await here.sign(proof)
    assert any(b"private_key" in body for body in seen)


async def test_one_key_read_serves_one_signature_and_its_connection_the_next(here: Proving) -> None:
    for number in range(1, 6):
        await here.sign(await fresh(here))
        assert here.custody.reader.reads == 2 * number
    assert here.vault.aborted == []


async def test_an_answer_that_waits_too_long_is_never_read(
    here: Proving, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fresh_signature(here)  # the connections are there: a question leaves at once
    monkeypatch.setattr(vault_pool, "AHEAD_SECONDS", 0.1)
    proof = await fresh(here)
    await until_hung_up(here, PATHS["desk"])  # with the answer in it
    assert here.custody.reader.reads == 4
    await here.sign(proof)
    assert here.custody.reader.reads == 5, "the key was asked for again"


async def test_a_wrong_signature_ends_the_connection_with_the_answer_in_it(here: Proving) -> None:
    assert await here.refused(here.request(here.call(FALSE_HMAC)))
    await until_hung_up(here, PATHS["desk"])
    await here.sign(await fresh(here))


async def test_whoever_knows_an_api_key_cannot_have_wallets_keys_asked_for(here: Proving) -> None:
    """Once in a while at most: API keys are no secret."""
    for _ in range(20):
        assert await here.refused(here.request(here.call(FALSE_HMAC)))
    assert here.vault.asked.count(PATHS["desk"]) <= 1
    await here.sign(await fresh(here))


@pytest.mark.parametrize("scheme", ["rsa", "ed25519"])
async def test_no_key_is_asked_for_before_a_public_key_has_verified(here: Proving, scheme: str) -> None:
    call = here.call(SIGNED_REQUEST_KEYS[scheme])
    wrong = here.request(call, credential=HMAC.api_key)
    assert await here.refused(wrong)
    other = "ed25519" if scheme == "rsa" else "rsa"
    assert await here.refused(here.request(call, credential=f"vs_test_{other}"))
    known = here.vault.asked.count(PATHS["desk"])
    assert known <= 1  # of the HMAC client's name
    await fresh(here, scheme)
    await until(lambda: here.vault.asked.count(PATHS["desk"]) > known, "the key is asked for")


async def test_a_used_signature_has_no_key_asked_for(here: Proving) -> None:
    request = here.request(here.call(timestamp_ms=NOW))
    await here.sign(await here.proved(request))
    assert here.vault.asked.count(PATHS["desk"]) == 1
    await here.proved(request)
    await asyncio.sleep(0.05)
    assert here.vault.asked.count(PATHS["desk"]) == 1


async def test_no_more_than_a_few_wait_and_the_others_are_signed_all_the_same(here: Proving) -> None:
    proofs = await asyncio.gather(*(fresh(here) for _ in range(100)))
    await until(lambda: here.vault.asked.count(PATHS["desk"]) >= MOST_READ_AHEAD, "keys are asked for")
    await asyncio.sleep(0.05)
    assert here.vault.asked.count(PATHS["desk"]) == MOST_READ_AHEAD
    signatures = await asyncio.gather(*(here.sign(proof) for proof in proofs))
    assert len({signed.signature for signed in signatures}) == 1
    await here.sign(await fresh(here))


@pytest.mark.parametrize("answered", [True, False])
async def test_a_connection_that_broke_while_it_waited_is_replaced(here: Proving, answered: bool) -> None:
    """Vault has been restarted, say."""
    with here.vault.holding_back(*(() if answered else (PATHS["desk"],))):
        proof = await fresh(here)
        await until_asked(here, BOTH)
        if answered:
            await until_answered(here, 2)
        here.vault.hang_up(PATHS["desk"])
    await until_hung_up(here, PATHS["desk"])
    assert len((await here.sign(proof)).signature) == 64
    await here.sign(await fresh(here))


async def test_a_key_that_cannot_be_had_is_told_as_ever(here: Proving) -> None:
    for status, code in (
        (b"404 Not Found", "key_missing"),
        (b"403 Forbidden", "vault_denied"),
        (b"500 No", "vault_unavailable"),
    ):
        here.vault.instead[PATHS["desk"]] = answer(b"{}", status)
        proof = await fresh(here)
        with pytest.raises(CustodyError) as caught:
            await here.sign(proof)
        assert caught.value.code == code
    here.vault.instead.clear()
    await here.sign(await fresh(here))


async def test_a_silent_vault_is_given_up_after_the_usual_time(
    here: Proving, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time of a question begins when its answer is wanted: neither the time that it was given ahead ends it, nor one
    that began with the asking."""
    monkeypatch.setattr(vault_pool, "AHEAD_SECONDS", 0.6)
    here.vault.instead[PATHS["desk"]] = b"HTTP/1.1 200 OK\r\n"
    proof = await fresh(here)
    monkeypatch.setattr(vault_pool, "ANSWER_SECONDS", 0.5)
    await asyncio.sleep(0.4)
    began = time.monotonic()
    with pytest.raises(CustodyError, match="no answer within"):
        await here.sign(proof)
    assert time.monotonic() - began > 0.45


async def test_a_token_that_changed_while_an_answer_waited_is_used(
    here: Proving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_file, "REREAD_SECONDS", 0.0)
    with here.vault.holding_back(*BOTH):
        signing = asyncio.ensure_future(fresh_signature(here))
        await until_asked(here, BOTH)
        # Both answers are on their way: the client's secret's is refused, and asked for again.
        here.vault.token = b"s.fresh"
        (tmp_path / "token").write_text("s.fresh")
    assert len(await signing) == 64
    assert sorted(here.vault.asked) == sorted(BOTH * 2)


async def test_custody_can_stop_while_answers_wait(here: Proving) -> None:
    proofs = [await fresh(here) for _ in range(3)]
    here.custody.pool.close()
    await asyncio.sleep(0.02)
    for proof in proofs:
        assert len((await here.sign(proof)).signature) == 64
