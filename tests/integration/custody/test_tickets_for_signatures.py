"""A server that has been taken over holds a client's signature: it can have signed with it what the client signed, once."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.integration.custody.proving import (
    BODY,
    NOW,
    PATHS,
    RESERVE,
    SIGNED_REQUEST_KEYS,
    Proving,
    proving,
)
from vaultsigner.custody.protocol import Proof
from vaultsigner.custody.tickets import MOST_TICKETS
from vaultsigner.custody.used_signatures import UsedSignatures
from vaultsigner.domain.principals import Principal
from vaultsigner.errors import CustodyError
from vaultsigner.formats.bnb_beacon.address import address_of
from vaultsigner.formats.bnb_beacon.messages import message_from_document
from vaultsigner.formats.bnb_beacon.transaction import Account, sign_document
from vaultsigner.signing.verification import signature_is_valid

MORE = {**BODY, "msg": {"symbol": "BNB", "amount": "1.50000001"}}
OTHER_TOKEN = {**BODY, "msg": {"symbol": "ANN-457", "amount": "1.5"}}


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Proving]:
    async with proving(tmp_path) as at_hand:
        yield at_hand


async def fresh(here: Proving, **options: Any) -> Proof:
    return await here.proved(here.request(here.call(**options)))


async def code_of(here: Proving, proof: Proof, *arguments: Any, **changes: Any) -> str | None:
    try:
        await here.sign(proof, *arguments, **changes)
    except CustodyError as error:
        return error.code
    return None


@pytest.mark.parametrize("scheme", SIGNED_REQUEST_KEYS)
@pytest.mark.parametrize("verb", ["sign", "broadcast"])
async def test_what_the_client_signed_is_signed(here: Proving, scheme: str, verb: str) -> None:
    operation = f"freeze.{verb}"
    proof = await here.proved(here.request(here.call(SIGNED_REQUEST_KEYS[scheme]), operation))
    request = here.sign_request(proof, BODY, operation)
    signed = await here.custody.signer.sign(request)
    account = Account(address_of(signed.public_key), "tbnb", "Binance-Chain-Ganges", 1, 0)
    document = sign_document(message_from_document(request.message_document, "tbnb"), account, "")
    assert signature_is_valid(signed.public_key, document, signed.signature)


async def test_what_the_client_sent_a_token_for_is_signed(here: Proving) -> None:
    assert len((await here.sign(await here.proved(here.token_request()))).signature) == 64


async def test_a_ticket_used_twice_is_unknown(here: Proving) -> None:
    proof = await fresh(here)
    assert [await code_of(here, proof) for _ in range(2)] == [None, "custody_unavailable"]


@pytest.mark.parametrize(
    "changes",
    [
        {"wallet": RESERVE},
        {"operation": "freeze.broadcast"},
        {"memo": "credit somebody else"},
        {"source": 1},
        {"principal": Principal("client", "bot-rsa")},
        {"principal": Principal("user", "bot-hmac")},
        {"principal": Principal("client", "bot-hmac ")},
        {"message_document": {"kind": "freeze", "symbol": "BNB", "amount": 150_000_001}},
        {"message_document": {"kind": "freeze", "symbol": "ANN-457", "amount": 150_000_000}},
        {
            "message_document": {"kind": "unfreeze", "symbol": "BNB", "amount": 150_000_000},
            "operation": "unfreeze.sign",
        },
    ],
)
async def test_a_ticket_is_good_for_nothing_else(here: Proving, changes: dict[str, Any]) -> None:
    """Another wallet, operation, memo, principal, amount, token or kind; and it is spent then."""
    proof = await fresh(here)
    asked = len(here.vault.answered)
    assert await code_of(here, proof, **changes) == "no_permission"
    assert await code_of(here, proof) == "custody_unavailable"
    assert len(here.vault.answered) - asked <= 1, "no key was read for it"


async def test_the_wallets_key_is_not_read_for_another_request(here: Proving) -> None:
    proof = await fresh(here)
    reads = here.custody.reader.reads
    await code_of(here, proof, wallet=RESERVE)
    assert here.custody.reader.reads == reads


@pytest.mark.parametrize("ticket", ["", "forged", "0" * 43])
async def test_a_forged_ticket_is_unknown(here: Proving, ticket: str) -> None:
    proof = await fresh(here)
    assert await code_of(here, replace(proof, ticket=ticket)) == "custody_unavailable"


async def test_a_replay_through_two_tickets_is_refused(here: Proving) -> None:
    """Whatever the server says: one signature of the client's is worth one of ours."""
    request = here.request(here.call(timestamp_ms=NOW))
    first, second = await here.proved(request), await here.proved(request)
    assert first.ticket != second.ticket
    assert first.nonce == second.nonce
    assert [await code_of(here, proof) for proof in (second, first)] == [None, "replayed"]
    assert await code_of(here, await here.proved(request)) == "replayed"


async def test_another_spelling_of_a_signature_is_the_same_one(here: Proving) -> None:
    request = here.request(here.call(timestamp_ms=NOW))
    head, _, signature = request.query.rpartition(b"=")
    upper = replace(request, query=head + b"=" + signature.upper())
    proofs = [await here.proved(each) for each in (request, upper)]
    assert [await code_of(here, proof) for proof in proofs] == [None, "replayed"]


async def test_many_copies_at_once_make_one_signature(here: Proving) -> None:
    request = here.request(here.call(timestamp_ms=NOW))
    proofs = await asyncio.gather(*(here.proved(request) for _ in range(128)))
    codes = await asyncio.gather(*(code_of(here, proof) for proof in proofs))
    assert sorted(code or "signed" for code in codes) == ["replayed"] * 127 + ["signed"]


async def test_a_signature_is_not_good_again_after_its_window(here: Proving) -> None:
    request = here.request(here.call(timestamp_ms=NOW))
    proofs = [await here.proved(request) for _ in range(2)]
    assert await code_of(here, proofs[0]) is None
    here.now_ms += 5001
    assert await code_of(here, await fresh(here)) is None
    assert await code_of(here, proofs[1]) == "replayed"


async def test_a_server_that_kills_custody_gets_no_second_signature(here: Proving) -> None:
    """With the process goes what it remembered, and the same bytes would get a new ticket: at another sequence, another
    signature. What may have been accepted before is not signed for.
    """
    requests = [
        here.request(here.call(key, timestamp_ms=NOW, recv_window=60_000))
        for key in SIGNED_REQUEST_KEYS.values()
    ]
    requests.append(here.token_request())
    for request in requests:
        assert await code_of(here, await here.proved(request)) is None
    here.now_ms += 3000
    here.custody.admission._used = UsedSignatures(lambda: here.now_ms, after_crash=True)
    for request in requests:
        for sequence in range(3):
            assert await code_of(here, await here.proved(request), sequence=sequence) == "custody_unavailable"
    started_ms = here.now_ms
    for age_ms, code in ((-999, "custody_unavailable"), (-1000, "custody_unavailable"), (-1001, None)):
        here.now_ms = started_ms + 2000
        proof = await fresh(here, timestamp_ms=started_ms - age_ms)
        assert await code_of(here, proof) == code, age_ms
    for ts_ms, code in ((started_ms + 5000, "custody_unavailable"), (started_ms + 6000, None)):
        assert await code_of(here, await here.proved(here.token_request(ts=ts_ms // 1000))) == code


async def test_a_kept_ticket_is_not_used_long_after_its_window(here: Proving) -> None:
    kept = [await fresh(here, timestamp_ms=NOW) for _ in range(2)]
    here.now_ms += 5000 + 35_000
    assert await code_of(here, kept[0]) is None
    here.now_ms += 1
    assert await code_of(here, kept[1]) == "custody_unavailable"


async def test_a_full_memory_signs_no_more(here: Proving) -> None:
    here.custody.admission._used = UsedSignatures(lambda: here.now_ms, most=2)
    codes = [await code_of(here, await fresh(here)) for _ in range(3)]
    assert codes == [None, None, "custody_unavailable"]


async def test_a_client_outside_of_its_permissions_gets_nothing(here: Proving) -> None:
    vote = {"wallet_name": "desk", "msg": {"proposal_id": 1, "option": 1}}
    proof = await here.proved(here.request(here.call(body=vote), "vote.sign"))
    assert await code_of(here, proof, vote, "vote.sign") == "no_permission"
    shut = {**BODY, "wallet_name": "reserve"}
    proof = await here.proved(here.request(here.call(body=shut)))
    assert await code_of(here, proof, shut) == "policy_denied"
    assert set(here.vault.asked) == {PATHS["bot"]}, "no key was read, not even ahead"


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {"msg": BODY["msg"]},
        {**BODY, "wallet_name": "nobody"},
        {**BODY, "msg": {}},
        {**BODY, "wallet_name": 1},
    ],
)
async def test_a_body_that_means_nothing_is_signed_for_nothing(here: Proving, body: object) -> None:
    proof = await here.proved(here.request(here.call(body=body)))
    assert proof.ticket == ""
    assert await code_of(here, proof) == "custody_unavailable"


async def test_five_thousand_tickets_leave_the_newest(here: Proving) -> None:
    proofs = [
        await here.proved(here.request(here.call(SIGNED_REQUEST_KEYS["ed25519"], timestamp_ms=NOW - n)))
        for n in range(5000)
    ]
    assert await code_of(here, proofs[5000 - MOST_TICKETS - 1]) == "custody_unavailable"
    assert await code_of(here, proofs[5000 - MOST_TICKETS]) is None
    assert await code_of(here, proofs[-1]) is None
