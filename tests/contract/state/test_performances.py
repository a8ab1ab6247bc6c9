"""What counts as done is what came into a block, and nothing else."""

from collections.abc import AsyncIterator

import pytest

from vaultsigner.errors import StateError
from vaultsigner.state import (
    CLOCK_SLACK_MS,
    Account,
    AccountKey,
    Pending,
    Performed,
    Reserved,
    Resynchronised,
    State,
    open_state,
)
from vaultsigner.state.performances import PENDING_MS

NOW = 1_700_000_000_000
"""In the past: a database with a clock of its own forgets nothing before its time."""
LEASE_MS = 30_000
KEY = AccountKey("chain", "tbnb1sender")
OTHER = AccountKey("chain", "tbnb1other")
TRANSFER = (
    Performed("transfer", "sender", "tbnb1sender"),
    Performed("transfer", "recipient", "tbnb1recipient"),
)
SENT = frozenset({("transfer", "sender")})
RECEIVED = frozenset({("transfer", "recipient")})
NOTHING: frozenset[tuple[str, str]] = frozenset()


@pytest.fixture
async def state(url: str) -> AsyncIterator[State]:
    async with open_state(url) as state:
        await state.remember_account(KEY, 1, 5)
        await state.remember_account(OTHER, 2, 5)
        yield state


async def send(
    state: State, *performed: Performed, key: AccountKey = KEY, transaction: bytes = b"tx", now_ms: int = NOW
) -> int:
    """Returns the number on which it went out."""
    reserved = await state.reserve(key, "f", "a", now_ms=now_ms, lease_ms=LEASE_MS)
    assert isinstance(reserved, Reserved)
    number = reserved.sequence
    name = transaction.hex()
    assert await state.mark_sent(
        key, "a", number, transaction, name, now_ms=now_ms, lease_ms=LEASE_MS, performed=performed
    )
    return number


async def done_by_both(state: State) -> tuple[frozenset[tuple[str, str]], ...]:
    return await state.performed("tbnb1sender"), await state.performed("tbnb1recipient")


async def known(state: State) -> Account:
    account = await state.account(KEY)
    assert account is not None
    return account


async def test_what_is_settled_as_done_is_done_for_each_who_has_a_part(state: State) -> None:
    await send(state, *TRANSFER)
    assert await done_by_both(state) == (NOTHING, NOTHING)
    assert await state.settle(KEY, "a", 5, 6, done=True)
    assert await done_by_both(state) == (SENT, RECEIVED)
    assert await state.performed("tbnb1nobody") == NOTHING


async def test_what_the_node_refused_is_not_done_then_nor_later(state: State) -> None:
    await send(state, *TRANSFER)
    assert await state.settle(KEY, "a", 5, 5, done=False)
    await send(state, transaction=b"another")
    assert await state.settle(KEY, "a", 5, 6, done=True)
    assert await done_by_both(state) == (NOTHING, NOTHING)


async def test_nothing_is_done_unless_it_is_said(state: State) -> None:
    await send(state, *TRANSFER)
    assert await state.settle(KEY, "a", 5, 6)
    assert await done_by_both(state) == (NOTHING, NOTHING)


async def test_whoever_does_not_hold_the_number_settles_nothing(state: State) -> None:
    await send(state, *TRANSFER)
    assert not await state.settle(KEY, "b", 5, 6, done=True)
    assert not await state.settle(KEY, "a", 4, 5, done=True)
    assert await done_by_both(state) == (NOTHING, NOTHING)
    assert await state.settle(KEY, "a", 5, 6, done=True)
    assert await done_by_both(state) == (SENT, RECEIVED)


async def test_settling_that_fails_leaves_it_pending(state: State) -> None:
    await send(state, *TRANSFER)
    with pytest.raises(StateError):
        await state.settle(KEY, "a", 5, -1, done=True)
    assert await done_by_both(state) == (NOTHING, NOTHING)
    assert await state.settle(KEY, "a", 5, 6, done=True)
    assert await done_by_both(state) == (SENT, RECEIVED)


async def test_one_account_settles_nothing_for_another(state: State) -> None:
    await send(state, *TRANSFER)
    await send(state, Performed("freeze", "sender", "tbnb1other"), key=OTHER, transaction=b"another")
    assert await state.settle(OTHER, "a", 5, 6, done=True)
    assert await state.performed("tbnb1other") == {("freeze", "sender")}
    assert await done_by_both(state) == (NOTHING, NOTHING)


async def test_an_account_on_another_chain_is_another_account(state: State) -> None:
    elsewhere = AccountKey("another chain", KEY.address)
    await state.remember_account(elsewhere, 1, 5)
    await send(state, *TRANSFER)
    await send(state, key=elsewhere)
    assert await state.settle(elsewhere, "a", 5, 6, done=True)
    assert await done_by_both(state) == (NOTHING, NOTHING)


async def test_bytes_that_are_not_stored_note_nothing(state: State) -> None:
    await send(state)
    for owner, transaction in (("b", b"tx"), ("a", b"another")):
        assert not await state.mark_sent(
            KEY, owner, 5, transaction, "H", now_ms=NOW, lease_ms=1, performed=TRANSFER
        )
    assert await state.settle(KEY, "a", 5, 6, done=True)
    assert await done_by_both(state) == (NOTHING, NOTHING)


async def test_bytes_that_go_out_again_are_done_once(state: State) -> None:
    await send(state, *TRANSFER)
    assert await state.mark_unknown(KEY, "a", 5)
    await send(state, *TRANSFER)
    assert await state.settle(KEY, "a", 5, 6, done=True)
    assert await done_by_both(state) == (SENT, RECEIVED)


async def test_what_was_done_before_may_be_done_again(state: State) -> None:
    for number in (5, 6):
        assert await send(state, *TRANSFER, transaction=b"%d" % number) == number
        assert await state.settle(KEY, "a", number, number + 1, done=True)
    assert await done_by_both(state) == (SENT, RECEIVED)


@pytest.mark.parametrize("arrived", [True, False])
async def test_an_unknown_outcome_is_done_when_it_is_found_on_the_chain(state: State, arrived: bool) -> None:
    await send(state, *TRANSFER)
    await state.mark_unknown(KEY, "a", 5)
    assert await done_by_both(state) == (NOTHING, NOTHING)
    became = await state.resynchronise(
        KEY, 1, 6, settled=True, arrived=arrived, now_ms=NOW, seen=await known(state)
    )
    assert became is Resynchronised.SETTLED
    assert await done_by_both(state) == ((SENT, RECEIVED) if arrived else (NOTHING, NOTHING))
    await send(state, transaction=b"another")
    assert await state.settle(KEY, "a", 6, 7, done=True)
    assert await done_by_both(state) == ((SENT, RECEIVED) if arrived else (NOTHING, NOTHING))


async def test_resynchronising_that_frees_nothing_settles_nothing(state: State) -> None:
    await send(state, *TRANSFER)
    seen = await known(state)
    assert (
        await state.resynchronise(KEY, 1, 6, settled=True, arrived=True, now_ms=NOW, seen=seen)
        is Resynchronised.IN_FLIGHT
    )
    await state.mark_unknown(KEY, "a", 5)
    assert (
        await state.resynchronise(KEY, 1, 6, settled=True, arrived=True, now_ms=NOW, seen=seen)
        is Resynchronised.CHANGED
    )
    assert (
        await state.resynchronise(KEY, 1, 6, settled=False, arrived=True, now_ms=NOW, seen=await known(state))
        is Resynchronised.UNSETTLED
    )
    assert await done_by_both(state) == (NOTHING, NOTHING)


async def test_what_is_done_is_there_after_opening_again(url: str) -> None:
    async with open_state(url) as first:
        await first.remember_account(KEY, 1, 5)
        await send(first, *TRANSFER)
    async with open_state(url) as second:
        assert await second.settle(KEY, "a", 5, 6, done=True)
    async with open_state(url) as third:
        assert await done_by_both(third) == (SENT, RECEIVED)


FIRST, SECOND, THIRD = (Pending("chain", each.hex()) for each in (b"first", b"second", b"third"))


async def send_unseen(
    state: State, transaction: bytes, *performed: Performed, key: AccountKey = KEY, now_ms: int = NOW
) -> None:
    """A node took it without a look at it."""
    number = await send(state, *performed, key=key, transaction=transaction, now_ms=now_ms)
    assert await state.settle(key, "a", number, number + 1, done=None)


async def test_what_a_node_took_unseen_is_not_done_until_it_is_seen_in_a_block(state: State) -> None:
    await send_unseen(state, b"first", *TRANSFER)
    assert await done_by_both(state) == (NOTHING, NOTHING)
    assert await state.pending("tbnb1sender", 8) == (FIRST,)
    assert await state.pending("tbnb1recipient", 8) == (FIRST,)
    assert await state.pending("tbnb1nobody", 8) == ()
    await state.confirm(FIRST)
    assert await done_by_both(state) == (SENT, RECEIVED)
    assert await state.pending("tbnb1recipient", 8) == ()


async def test_what_follows_confirms_nothing_of_what_was_taken_unseen(state: State) -> None:
    await send_unseen(state, b"first", *TRANSFER)
    await send(state, Performed("order", "sender", "tbnb1sender"), transaction=b"second")
    assert await state.settle(KEY, "a", 6, 7, done=True)
    assert await state.performed("tbnb1sender") == {("order", "sender")}
    await send(state, transaction=b"third")
    assert await state.settle(KEY, "a", 7, 7, done=False)
    assert await state.pending("tbnb1sender", 8) == (FIRST,)


async def test_confirming_one_confirms_no_other(state: State) -> None:
    await send_unseen(state, b"first", *TRANSFER)
    await send_unseen(state, b"second", Performed("order", "sender", "tbnb1sender"))
    await state.confirm(SECOND)
    assert await state.performed("tbnb1sender") == {("order", "sender")}
    await state.confirm(Pending("another chain", FIRST.transaction_hash))
    await state.confirm(Pending("chain", "unheard-of"))
    assert await done_by_both(state) == (frozenset({("order", "sender")}), NOTHING)


async def test_of_what_is_pending_the_newest_come_first_and_no_more_than_asked_for(state: State) -> None:
    for minute, transaction in enumerate((b"first", b"second", b"third")):
        await send_unseen(state, transaction, *TRANSFER, now_ms=NOW + minute * 60_000)
    assert await state.pending("tbnb1recipient", 8) == (THIRD, SECOND, FIRST)
    assert await state.pending("tbnb1recipient", 2) == (THIRD, SECOND)


async def test_what_was_done_before_is_not_asked_for_again(state: State) -> None:
    await send_unseen(state, b"first", *TRANSFER)
    await send(state, *TRANSFER, transaction=b"second")
    assert await state.settle(KEY, "a", 6, 7, done=True)
    assert await state.pending("tbnb1sender", 8) == ()


async def test_what_is_pending_survives_opening_again(url: str) -> None:
    async with open_state(url) as first:
        await first.remember_account(KEY, 1, 5)
        await send_unseen(first, b"first", *TRANSFER)
    async with open_state(url) as second:
        await second.confirm(FIRST)
        assert await done_by_both(second) == (SENT, RECEIVED)


async def test_what_is_pending_is_forgotten_after_some_days_unless_it_is_held(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vaultsigner.state.performance_statements.FORGET_AT_ONCE", 3)
    for number in range(5):
        await send_unseen(state, b"%d" % number, *TRANSFER)
    await send_unseen(state, b"late", *TRANSFER, now_ms=NOW + 1)
    await send(state, Performed("freeze", "sender", "tbnb1other"), key=OTHER, transaction=b"held")
    await state.forget_expired(now_ms=NOW + CLOCK_SLACK_MS + PENDING_MS - 1)
    assert len(await state.pending("tbnb1sender", 8)) == 6
    await state.forget_expired(now_ms=NOW + CLOCK_SLACK_MS + PENDING_MS)
    assert await state.pending("tbnb1sender", 8) == (Pending("chain", b"late".hex()),)
    assert await state.settle(OTHER, "a", 5, 6, done=True)
    assert await state.performed("tbnb1other") == {("freeze", "sender")}
