"""One number, one transaction: who gets a sequence number, who loses it, and when it is free again."""

from collections.abc import AsyncIterator

import pytest

from vaultsigner.errors import StateError
from vaultsigner.state import (
    Account,
    AccountKey,
    HeldByOther,
    HeldStatus,
    NotCounted,
    Reserved,
    Resynchronised,
    State,
    open_state,
)

KEY = AccountKey("Binance-Chain-Ganges", "tbnb1first")
OTHER = AccountKey("Binance-Chain-Ganges", "tbnb1second")
LEASE_MS = 30_000
NOW = 1_700_000_000_000
LATER = NOW + LEASE_MS


@pytest.fixture
async def state(url: str) -> AsyncIterator[State]:
    async with open_state(url) as state:
        await state.remember_account(KEY, 7, 12)
        yield state


async def known(state: State, key: AccountKey = KEY) -> Account:
    account = await state.account(key)
    assert account is not None
    return account


async def reserve(
    state: State, owner: str, fingerprint: str = "f1", now_ms: int = NOW
) -> Reserved | HeldByOther | NotCounted:
    return await state.reserve(KEY, fingerprint, owner, now_ms=now_ms, lease_ms=LEASE_MS)


async def send(
    state: State, owner: str, transaction: bytes = b"tx", sequence: int = 12, now_ms: int = NOW
) -> bool:
    name = transaction.hex().upper()
    return await state.mark_sent(KEY, owner, sequence, transaction, name, now_ms=now_ms, lease_ms=LEASE_MS)


async def resynchronise(
    state: State, seen: Account | None, *, sequence: int = 20, settled: bool = False, now_ms: int = NOW
) -> Resynchronised:
    return await state.resynchronise(KEY, 7, sequence, settled=settled, now_ms=now_ms, seen=seen)


async def test_an_account_is_unknown_until_it_is_remembered(state: State) -> None:
    assert await state.account(OTHER) is None
    account = await state.remember_account(OTHER, 0, 0)
    assert (account.account_number, account.sequence, account.held) == (0, 0, None)
    assert await state.account(OTHER) == account


async def test_remembering_a_known_account_changes_nothing(state: State) -> None:
    before = await known(state)
    assert await state.remember_account(KEY, 99, 99) == before
    assert (before.account_number, before.sequence) == (7, 12)


async def test_numbers_up_to_the_largest_of_the_chain(state: State) -> None:
    account = await state.remember_account(OTHER, 2**63 - 1, 2**63 - 1)
    assert (account.account_number, account.sequence) == (2**63 - 1, 2**63 - 1)


@pytest.mark.parametrize("sequence", [-1, 2**63, 10**5000], ids=["negative", "64 bits", "absurd"])
async def test_a_number_that_no_chain_has_is_refused_and_harms_nothing(state: State, sequence: int) -> None:
    with pytest.raises(StateError):
        await state.remember_account(OTHER, 0, sequence)
    assert await state.account(OTHER) is None
    assert (await known(state)).sequence == 12


async def test_a_free_number_is_reserved_for_one(state: State) -> None:
    assert await reserve(state, "a") == Reserved(7, 12, None)
    held = (await known(state)).held
    assert held is not None
    assert (held.sequence, held.fingerprint, held.owner, held.status) == (12, "f1", "a", HeldStatus.RESERVED)
    assert held.in_flight(LATER - 1)
    assert not held.in_flight(LATER)


@pytest.mark.parametrize("fingerprint", ["f1", "f2"])
@pytest.mark.parametrize("owner", ["a", "b"])
async def test_a_reserved_number_goes_to_nobody_else(state: State, owner: str, fingerprint: str) -> None:
    await reserve(state, "a")
    refused = await reserve(state, owner, fingerprint, now_ms=LATER - 1)
    assert isinstance(refused, HeldByOther)
    assert refused.held.owner == "a"


async def test_an_account_that_is_not_known_cannot_be_reserved(state: State) -> None:
    with pytest.raises(StateError, match="not known"):
        await state.reserve(OTHER, "f1", "a", now_ms=NOW, lease_ms=LEASE_MS)


async def test_accounts_do_not_hold_each_other_up(state: State) -> None:
    await state.remember_account(OTHER, 8, 12)
    await reserve(state, "a")
    assert await state.reserve(OTHER, "f1", "b", now_ms=NOW, lease_ms=LEASE_MS) == Reserved(8, 12, None)
    assert not await state.mark_sent(OTHER, "a", 12, b"tx", "TX", now_ms=NOW, lease_ms=LEASE_MS)


async def test_a_settled_number_makes_room_for_the_next(state: State) -> None:
    await reserve(state, "a")
    assert await send(state, "a")
    assert await state.settle(KEY, "a", 12, 13)
    assert await reserve(state, "b", "f2") == Reserved(7, 13, None)


async def test_a_released_number_is_given_again(state: State) -> None:
    await reserve(state, "a")
    assert await state.release(KEY, "a", 12)
    assert await reserve(state, "b", "f2") == Reserved(7, 12, None)


async def test_only_the_owner_releases(state: State) -> None:
    await reserve(state, "a")
    assert not await state.release(KEY, "b", 12)
    assert not await state.release(KEY, "a", 11)
    assert isinstance(await reserve(state, "b"), HeldByOther)


async def test_an_abandoned_reservation_passes_on_and_its_old_owner_is_fenced_out(state: State) -> None:
    await reserve(state, "a")
    assert await reserve(state, "b", "f2", now_ms=LATER) == Reserved(7, 12, None)
    assert not await send(state, "a", b"old", now_ms=LATER)
    assert not await state.release(KEY, "a", 12)
    assert not await state.settle(KEY, "a", 12, 13)
    assert await send(state, "b", b"new", now_ms=LATER)
    held = (await known(state)).held
    assert held is not None
    assert (held.transaction, held.fingerprint) == (b"new", "f2")


async def test_a_slow_owner_may_still_send_while_nobody_took_over(state: State) -> None:
    await reserve(state, "a")
    assert await send(state, "a", now_ms=LATER + 1)


async def test_other_bytes_never_replace_those_that_were_stored(state: State) -> None:
    await reserve(state, "a")
    assert await send(state, "a", b"tx")
    assert not await send(state, "a", b"another")
    assert await send(state, "a", b"tx", now_ms=NOW + 5)
    held = (await known(state)).held
    assert held is not None
    assert (held.transaction, held.transaction_hash) == (b"tx", b"tx".hex().upper())
    assert held.lease_until_ms == NOW + 5 + LEASE_MS


async def test_a_sent_number_in_flight_goes_to_nobody(state: State) -> None:
    await reserve(state, "a")
    await send(state, "a")
    for fingerprint in ("f1", "f2"):
        assert isinstance(await reserve(state, "b", fingerprint, now_ms=LATER - 1), HeldByOther)


async def test_an_unknown_outcome_admits_the_same_bytes_and_no_others(state: State) -> None:
    await reserve(state, "a")
    await send(state, "a")
    assert await state.mark_unknown(KEY, "a", 12)
    refused = await reserve(state, "b", "f2", now_ms=LATER + 10**9)
    assert isinstance(refused, HeldByOther)
    assert refused.held.transaction == b"tx"
    assert not refused.held.in_flight(NOW)
    assert await reserve(state, "b", "f1") == Reserved(7, 12, b"tx")
    assert isinstance(await reserve(state, "c", "f1"), HeldByOther)
    assert not await send(state, "b", b"another")
    assert await send(state, "b", b"tx")
    assert await state.settle(KEY, "b", 12, 13)
    assert (await known(state)).sequence == 13


async def test_a_sender_that_died_leaves_its_bytes_to_be_sent_again(state: State) -> None:
    await reserve(state, "a")
    await send(state, "a")
    assert isinstance(await reserve(state, "b", "f2", now_ms=LATER), HeldByOther)
    assert await reserve(state, "b", "f1", now_ms=LATER) == Reserved(7, 12, b"tx")
    assert not await state.settle(KEY, "a", 12, 13)
    assert not await state.mark_unknown(KEY, "a", 12)
    assert not await send(state, "a", b"tx", now_ms=LATER)


async def test_what_may_have_been_sent_is_not_freed_by_releasing_it(state: State) -> None:
    await reserve(state, "a")
    await send(state, "a")
    assert await state.release(KEY, "a", 12)
    held = (await known(state)).held
    assert held is not None
    assert held.status is HeldStatus.UNKNOWN
    assert isinstance(await reserve(state, "b", "f2"), HeldByOther)


async def test_a_reservation_cannot_be_settled_or_become_unknown(state: State) -> None:
    await reserve(state, "a")
    assert not await state.settle(KEY, "a", 12, 13)
    assert not await state.mark_unknown(KEY, "a", 12)
    assert (await known(state)).sequence == 12


async def test_what_cannot_be_done_in_full_is_not_done_at_all(state: State) -> None:
    await reserve(state, "a")
    await send(state, "a")
    before = await known(state)
    with pytest.raises(StateError):
        await state.settle(KEY, "a", 12, -1)
    assert await known(state) == before


async def test_a_refused_transaction_gives_the_number_back(state: State) -> None:
    await reserve(state, "a")
    await send(state, "a")
    assert await state.settle(KEY, "a", 12, 12)
    assert await reserve(state, "b", "f2") == Reserved(7, 12, None)


async def test_resynchronising_sets_a_free_account(state: State) -> None:
    seen = await known(state)
    assert (
        await state.resynchronise(KEY, 9, 3, settled=False, now_ms=NOW, seen=seen) is Resynchronised.UPDATED
    )
    account = await known(state)
    assert (account.account_number, account.sequence) == (9, 3)


async def test_resynchronising_learns_a_new_account(state: State) -> None:
    assert (
        await state.resynchronise(OTHER, 9, 3, settled=False, now_ms=NOW, seen=None) is Resynchronised.UPDATED
    )
    assert (await known(state, OTHER)).sequence == 3
    assert await resynchronise(state, None) is Resynchronised.CHANGED


async def test_resynchronising_leaves_alone_what_is_in_flight(state: State) -> None:
    await reserve(state, "a")
    assert await resynchronise(state, await known(state), settled=True) is Resynchronised.IN_FLIGHT
    await send(state, "a")
    assert await resynchronise(state, await known(state), settled=True) is Resynchronised.IN_FLIGHT
    account = await known(state)
    assert account.held is not None
    assert account.sequence == 12


async def test_resynchronising_drops_an_abandoned_reservation_and_fences_its_owner_out(state: State) -> None:
    await reserve(state, "a")
    assert await resynchronise(state, await known(state), now_ms=LATER) is Resynchronised.UPDATED
    account = await known(state)
    assert (account.held, account.sequence) == (None, 20)
    assert not await send(state, "a", now_ms=LATER)


@pytest.mark.parametrize("told", [True, False], ids=["marked unknown", "sender died"])
async def test_an_unknown_outcome_stays_until_it_is_established(state: State, told: bool) -> None:
    await reserve(state, "a")
    await send(state, "a")
    if told:
        await state.mark_unknown(KEY, "a", 12)
    seen = await known(state)
    assert await resynchronise(state, seen, now_ms=LATER) is Resynchronised.UNSETTLED
    assert await known(state) == seen
    assert await resynchronise(state, seen, settled=True, now_ms=LATER) is Resynchronised.SETTLED
    account = await known(state)
    assert (account.held, account.sequence) == (None, 20)


async def test_an_answer_from_before_a_broadcast_does_not_bring_its_number_back(state: State) -> None:
    seen = await known(state)
    await reserve(state, "a")
    await send(state, "a")
    await state.settle(KEY, "a", 12, 13)
    assert await resynchronise(state, seen, sequence=12) is Resynchronised.CHANGED
    assert (await known(state)).sequence == 13


async def test_a_verdict_on_one_transaction_does_not_free_the_next(state: State) -> None:
    await reserve(state, "a")
    await send(state, "a")
    await state.mark_unknown(KEY, "a", 12)
    seen = await known(state)
    await reserve(state, "b")
    await state.settle(KEY, "b", 12, 13)
    await reserve(state, "c", "f2")
    await send(state, "c", b"next", sequence=13)
    await state.mark_unknown(KEY, "c", 13)
    assert await resynchronise(state, seen, settled=True, now_ms=LATER) is Resynchronised.CHANGED
    held = (await known(state)).held
    assert held is not None
    assert held.transaction == b"next"


async def test_everything_is_there_after_opening_again(url: str) -> None:
    async with open_state(url) as first:
        await first.remember_account(KEY, 7, 12)
        await reserve(first, "a")
        await send(first, "a", b"\x00\xff")
        before = await known(first)
    async with open_state(url) as second:
        assert await known(second) == before
        assert before.held is not None
        assert before.held.transaction == b"\x00\xff"
