"""Requests that wait for people: who may say yes, how often, and that a yes is good once, for one thing, for a time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

import pytest

from vaultsigner.errors import StateError
from vaultsigner.state import (
    APPROVAL_KEPT_MS,
    AccountKey,
    Approval,
    ApprovalRefused,
    ApprovalStatus,
    ApprovalUse,
    Count,
    HeldByOther,
    KnownApproval,
    LimitUse,
    Nonce,
    NotCounted,
    Rate,
    Reserved,
    State,
    Suspension,
    SuspensionKind,
    Vote,
    VoteRefused,
    counting_statements,
    open_state,
)

NOW = 1_700_000_000_000
HOUR = 3_600_000
KEY = AccountKey("chain", "address")
TRANSFER = Approval(
    "a-1", b"d" * 32, '{"amount": "1"}', "user:sam", "large-transfers", "p" * 64, 2, NOW + HOUR
)
USE = ApprovalUse("a-1", TRANSFER.intent_digest, "user:sam")
NONCE = Nonce(b"n" * 32, NOW + 5_000)


@pytest.fixture
async def state(url: str) -> AsyncIterator[State]:
    async with open_state(url) as state:
        await state.remember_account(KEY, 1, 5)
        yield state


async def ask(state: State, approval: Approval = TRANSFER, *, now_ms: int = NOW) -> KnownApproval:
    return await state.open_approval(approval, now_ms=now_ms)


async def say(
    state: State, by: str, approve: bool = True, *, of: str = "a-1", now_ms: int = NOW
) -> KnownApproval | VoteRefused:
    return await state.vote(of, by, approve=approve, now_ms=now_ms)


async def grant(state: State, approval: Approval = TRANSFER) -> None:
    await ask(state, approval)
    for by in ("user:ann", "user:bob"):
        assert isinstance(await say(state, by, of=approval.id), KnownApproval)


async def use(state: State, approval: ApprovalUse = USE, *, now_ms: int = NOW) -> NotCounted | None:
    return await state.count(Count(approval=approval), now_ms=now_ms)


def not_used(why: ApprovalRefused, approval_id: str = "a-1") -> NotCounted:
    return NotCounted("approval", key=approval_id, approval=why)


async def status(state: State, approval_id: str = "a-1") -> ApprovalStatus:
    known = await state.approval(approval_id, now_ms=NOW)
    assert known is not None
    return known.status


async def test_what_was_asked_for_is_told_as_it_was_asked(state: State) -> None:
    known = KnownApproval(TRANSFER, ApprovalStatus.OPEN)
    assert await ask(state) == known
    assert await state.approval("a-1", now_ms=NOW) == known
    assert await state.list_approvals(now_ms=NOW) == (known,)
    assert await state.approval("another", now_ms=NOW) is None


async def test_asking_again_while_it_is_open_or_granted_gives_the_same_one(state: State) -> None:
    again = replace(TRANSFER, id="a-2", needed=1, expires_at_ms=NOW + 9 * HOUR)
    await ask(state)
    assert (await ask(state, again)).approval == TRANSFER
    await say(state, "user:ann")
    await say(state, "user:bob")
    known = await ask(state, again)
    assert (known.approval, known.status) == (TRANSFER, ApprovalStatus.GRANTED)
    assert await state.approval("a-2", now_ms=NOW) is None


async def test_many_that_ask_at_once_get_one(state: State) -> None:
    asked = [ask(state, replace(TRANSFER, id=f"a-{n}")) for n in range(50)]
    assert len({known.approval.id for known in await asyncio.gather(*asked)}) == 1


@pytest.mark.parametrize(
    "other",
    [replace(TRANSFER, id="a-2", requested_by="user:ann"), replace(TRANSFER, id="a-2", intent_digest=b"e")],
)
async def test_other_requesters_and_other_things_have_their_own(state: State, other: Approval) -> None:
    await ask(state)
    assert (await ask(state, other)).approval == other


@pytest.mark.parametrize("ending", ["used", "rejected", "expired"])
async def test_what_is_over_may_be_asked_for_anew(state: State, ending: str) -> None:
    now_ms = NOW
    if ending == "used":
        await grant(state)
        assert await use(state) is None
    else:
        await ask(state)
    if ending == "rejected":
        await say(state, "user:ann", False)
    if ending == "expired":
        now_ms = NOW + HOUR
    anew = replace(TRANSFER, id="a-2", expires_at_ms=now_ms + HOUR)
    assert await ask(state, anew, now_ms=now_ms) == KnownApproval(anew, ApprovalStatus.OPEN)
    assert [each.approval.id for each in await state.list_approvals(now_ms=now_ms)] == ["a-2"]


async def test_a_visitor_ends_none_by_its_own_clock(state: State, url: str) -> None:
    known = await ask(state)
    async with open_state(url, visiting=True) as visitor:
        assert await visitor.list_approvals(now_ms=NOW + HOUR) == ()
        assert await visitor.list_approvals(now_ms=NOW) == (known,)
    assert await state.list_approvals(now_ms=NOW) == (known,)
    assert await state.list_approvals(now_ms=NOW + HOUR) == ()
    assert await state.list_approvals(now_ms=NOW) == (), "a service ends it for good"


async def test_an_id_that_somebody_else_has_is_refused(state: State) -> None:
    await ask(state)
    with pytest.raises(StateError, match="another one of this id"):
        await ask(state, replace(TRANSFER, requested_by="user:eve"))
    assert await state.list_approvals(now_ms=NOW) == (KnownApproval(TRANSFER, ApprovalStatus.OPEN),)


async def test_an_approval_that_needs_nobody_is_refused(state: State) -> None:
    with pytest.raises(StateError):
        await ask(state, replace(TRANSFER, needed=0))
    assert await state.list_approvals(now_ms=NOW) == ()


async def test_the_list_has_what_may_still_be_decided_or_used_soonest_first(state: State) -> None:
    expiries = {"a-1": 3, "a-2": 1, "a-3": 2, "a-4": 2}
    for n, (name, hours) in enumerate(expiries.items()):
        await ask(
            state, replace(TRANSFER, id=name, intent_digest=bytes([n]), expires_at_ms=NOW + hours * HOUR)
        )
    await say(state, "user:ann", False, of="a-4")
    listed = await state.list_approvals(now_ms=NOW)
    assert [each.approval.id for each in listed] == ["a-2", "a-3", "a-1"]
    listed = await state.list_approvals(now_ms=NOW + HOUR)
    assert [each.approval.id for each in listed] == ["a-3", "a-1"]


async def test_as_many_as_are_needed_grant_it(state: State) -> None:
    await ask(state)
    first = await say(state, "user:ann", now_ms=NOW + 1)
    assert first == KnownApproval(TRANSFER, ApprovalStatus.OPEN, (Vote("user:ann", True, NOW + 1),))
    assert await use(state) == not_used(ApprovalRefused.OPEN)
    second = await say(state, "user:bob", now_ms=NOW + 2)
    assert isinstance(second, KnownApproval)
    assert (second.status, second.votes[1]) == (ApprovalStatus.GRANTED, Vote("user:bob", True, NOW + 2))
    assert await use(state) is None
    assert await status(state) is ApprovalStatus.USED


async def test_nobody_approves_what_they_asked_for(state: State) -> None:
    await ask(state, replace(TRANSFER, needed=1))
    assert await say(state, "user:sam") is VoteRefused.OWN
    assert await say(state, "user:sam", False) is VoteRefused.OWN
    assert await use(state) == not_used(ApprovalRefused.OPEN)


async def test_one_person_has_one_vote(state: State) -> None:
    await ask(state)
    answers = await asyncio.gather(*(say(state, "user:ann") for _ in range(20)))
    assert [isinstance(answer, KnownApproval) for answer in answers].count(True) == 1
    assert answers.count(VoteRefused.AGAIN) == 19
    assert await say(state, "user:ann", False) is VoteRefused.AGAIN
    assert await status(state) is ApprovalStatus.OPEN


async def test_a_rejection_ends_it(state: State) -> None:
    await ask(state)
    await say(state, "user:ann")
    known = await say(state, "user:bob", False)
    assert isinstance(known, KnownApproval)
    assert known.status is ApprovalStatus.REJECTED
    assert await say(state, "user:cid") is VoteRefused.CLOSED
    assert await use(state) == not_used(ApprovalRefused.REJECTED)


async def test_what_is_granted_takes_no_more_yes_and_may_be_rejected_until_it_is_used(state: State) -> None:
    await grant(state)
    assert await say(state, "user:cid") is VoteRefused.CLOSED
    assert isinstance(await say(state, "user:cid", False), KnownApproval)
    assert await use(state) == not_used(ApprovalRefused.REJECTED)


async def test_what_is_used_cannot_be_rejected(state: State) -> None:
    await grant(state)
    assert await use(state) is None
    assert await say(state, "user:cid", False) is VoteRefused.CLOSED
    assert await status(state) is ApprovalStatus.USED


@pytest.mark.parametrize("approve", [True, False])
async def test_a_vote_counts_until_it_expires_to_the_millisecond(state: State, approve: bool) -> None:
    await ask(state)
    assert isinstance(await say(state, "user:ann", approve, now_ms=NOW + HOUR - 1), KnownApproval)
    await ask(state, replace(TRANSFER, id="a-2", intent_digest=b"e"))
    assert await say(state, "user:ann", approve, of="a-2", now_ms=NOW + HOUR) is VoteRefused.EXPIRED


async def test_a_vote_on_nothing_is_refused(state: State) -> None:
    assert await say(state, "user:ann") is VoteRefused.UNKNOWN


async def test_votes_that_race_count_once_each_and_no_more_than_needed(url: str) -> None:
    async with open_state(url) as one, open_state(url) as two:
        await ask(one, replace(TRANSFER, needed=7))
        votes = [say([one, two][n % 2], f"user:{n % 10}") for n in range(100)]
        answers = await asyncio.gather(*votes)
        known = await one.approval("a-1", now_ms=NOW)
    assert known is not None
    assert (known.status, len(known.votes)) == (ApprovalStatus.GRANTED, 7)
    assert len({vote.by for vote in known.votes}) == 7
    assert sum(isinstance(answer, KnownApproval) for answer in answers) == 7


async def test_of_a_yes_and_a_no_that_race_the_no_stands(url: str) -> None:
    async with open_state(url) as one, open_state(url) as two:
        for n in range(20):
            asked = replace(TRANSFER, id=f"a-{n}", intent_digest=bytes([n]), needed=1)
            await ask(one, asked)
            yes, no = await asyncio.gather(
                say(one, "user:ann", of=asked.id), say(two, "user:bob", False, of=asked.id)
            )
            assert isinstance(no, KnownApproval)
            assert isinstance(yes, KnownApproval) or yes is VoteRefused.CLOSED
            assert await status(one, asked.id) is ApprovalStatus.REJECTED


async def test_an_approval_is_used_once_by_two_at_a_time(url: str) -> None:
    async with open_state(url) as one, open_state(url) as two:
        await grant(one)
        answers = await asyncio.gather(*(use(state) for state in [one, two] * 50))
    assert answers.count(None) == 1
    assert answers.count(not_used(ApprovalRefused.USED)) == 99


async def test_an_approval_is_used_once_also_after_opening_again(url: str) -> None:
    async with open_state(url) as first:
        await grant(first)
        assert await use(first) is None
    async with open_state(url) as second:
        assert await use(second) == not_used(ApprovalRefused.USED)


@pytest.mark.parametrize(
    "stolen",
    [
        replace(USE, requested_by="user:eve"),
        replace(USE, intent_digest=b"e" * 32),
        replace(USE, intent_digest=b""),
        replace(USE, id="a-2"),
        replace(USE, id="A-1"),
    ],
)
async def test_an_approval_is_good_for_its_requester_and_that_very_thing_alone(
    state: State, stolen: ApprovalUse
) -> None:
    await grant(state)
    assert await use(state, stolen) == not_used(ApprovalRefused.OTHER, stolen.id)
    assert await use(state) is None


async def test_an_approval_is_good_until_it_expires_to_the_millisecond(state: State) -> None:
    await grant(state)
    other = replace(TRANSFER, id="a-2", intent_digest=b"e")
    await grant(state, other)
    assert await use(state, now_ms=NOW + HOUR - 1) is None
    late = replace(USE, id="a-2", intent_digest=b"e")
    assert await use(state, late, now_ms=NOW + HOUR) == not_used(ApprovalRefused.EXPIRED, "a-2")


async def test_one_that_was_never_granted_expires_as_well(state: State) -> None:
    await ask(state)
    assert await use(state, now_ms=NOW + HOUR) == not_used(ApprovalRefused.EXPIRED)


async def test_one_that_was_replaced_is_not_good_again_when_the_clock_steps_back(state: State) -> None:
    await grant(state)
    await ask(state, replace(TRANSFER, id="a-2", expires_at_ms=NOW + 2 * HOUR), now_ms=NOW + HOUR)
    assert await use(state) == not_used(ApprovalRefused.EXPIRED)


async def look(state: State, now_ms: int) -> None:
    await state.approval("a-1", now_ms=now_ms)


async def look_at_all(state: State, now_ms: int) -> None:
    await state.list_approvals(now_ms=now_ms)


async def ask_for_something_else(state: State, now_ms: int) -> None:
    await ask(state, replace(TRANSFER, id="a-2", intent_digest=b"e"), now_ms=now_ms)


async def say_no(state: State, now_ms: int) -> None:
    assert await say(state, "user:cid", False, now_ms=now_ms) is VoteRefused.EXPIRED


async def try_to_use(state: State, now_ms: int) -> None:
    assert await use(state, now_ms=now_ms) == not_used(ApprovalRefused.EXPIRED)


async def forget(state: State, now_ms: int) -> None:
    await state.forget_expired(now_ms=now_ms)


@pytest.mark.parametrize("granted", [True, False])
@pytest.mark.parametrize("see", [look, look_at_all, ask_for_something_else, say_no, try_to_use, forget])
async def test_what_was_seen_to_be_over_stays_over_when_the_clock_steps_back(
    state: State, see: Callable[[State, int], Awaitable[None]], granted: bool
) -> None:
    await (grant(state) if granted else ask(state))
    await look_at_all(state, NOW + HOUR - 1)
    assert await status(state) is (ApprovalStatus.GRANTED if granted else ApprovalStatus.OPEN)
    await see(state, NOW + HOUR)
    assert await use(state) == not_used(ApprovalRefused.EXPIRED)
    assert await say(state, "user:dan") is VoteRefused.EXPIRED
    known = await state.approval("a-1", now_ms=NOW)
    assert known is not None
    assert known.expired(NOW)
    assert known.approval not in [each.approval for each in await state.list_approvals(now_ms=NOW)]
    anew = replace(TRANSFER, id="a-3")
    assert await ask(state, anew) == KnownApproval(anew, ApprovalStatus.OPEN)


async def test_what_is_used_or_rejected_stays_that_when_its_time_is_over(state: State) -> None:
    await grant(state)
    assert await use(state) is None
    rejected = replace(TRANSFER, id="a-2", intent_digest=b"e")
    await ask(state, rejected)
    await say(state, "user:ann", False, of="a-2")
    await state.forget_expired(now_ms=NOW + HOUR)
    assert await use(state) == not_used(ApprovalRefused.USED)
    assert await status(state, "a-2") is ApprovalStatus.REJECTED


async def stop(state: State, *people: tuple[SuspensionKind, str]) -> None:
    for kind, name in people:
        assert await state.suspend(Suspension(kind, name, "a drill", "user:olga", NOW))


async def test_the_yes_of_somebody_suspended_does_not_count_and_does_again_once_they_are_resumed(
    state: State,
) -> None:
    await grant(state)
    await stop(state, ("user", "bob"))
    assert await use(state) == not_used(ApprovalRefused.OPEN)
    known = await state.approval("a-1", now_ms=NOW)
    assert known is not None
    assert (known.status, known.given) == (ApprovalStatus.OPEN, 1)
    assert [(vote.by, vote.withdrawn) for vote in known.votes] == [("user:ann", False), ("user:bob", True)]
    assert await state.list_approvals(now_ms=NOW) == (known,)
    await state.resume("user", "bob")
    assert await status(state) is ApprovalStatus.GRANTED
    assert await use(state) is None


async def test_others_of_a_like_name_are_not_mistaken_for_them(state: State) -> None:
    await grant(state)
    await stop(state, ("client", "bob"), ("wallet", "ann"), ("user", "an"), ("user", "annn"), ("user", "Ann"))
    await stop(state, ("exchange", "user:ann"), ("user", "user:ann"), ("all", ""))
    assert await use(state) is None


async def test_somebody_else_says_yes_in_the_place_of_who_is_suspended(state: State) -> None:
    await grant(state)
    await stop(state, ("user", "ann"))
    assert await say(state, "user:bob") is VoteRefused.AGAIN
    known = await say(state, "user:cid", now_ms=NOW + 1)
    assert isinstance(known, KnownApproval)
    assert (known.status, known.given) == (ApprovalStatus.GRANTED, 2)
    assert await say(state, "user:dan") is VoteRefused.CLOSED
    await stop(state, ("user", "cid"), ("user", "bob"))
    assert await use(state) == not_used(ApprovalRefused.OPEN)
    await state.resume("user", "ann")
    await state.resume("user", "bob")
    assert await use(state) is None


async def test_who_was_suspended_before_the_others_agreed_is_missed_as_well(state: State) -> None:
    await ask(state)
    await say(state, "user:ann")
    await stop(state, ("user", "ann"))
    known = await say(state, "user:bob")
    assert isinstance(known, KnownApproval)
    assert (known.status, known.given) == (ApprovalStatus.OPEN, 1)
    assert await use(state) == not_used(ApprovalRefused.OPEN)


async def test_no_use_comes_after_a_suspension_that_races_it(url: str) -> None:
    async with open_state(url) as one, open_state(url) as two:
        for n in range(20):
            asked = replace(TRANSFER, id=f"a-{n}", intent_digest=bytes([n]))
            mine = ApprovalUse(asked.id, asked.intent_digest, asked.requested_by)
            await grant(one, asked)
            used, _ = await asyncio.gather(use(one, mine), stop(two, ("user", "ann")))
            assert used in (None, not_used(ApprovalRefused.OPEN, asked.id))
            assert await use(one, mine) is not None
            await two.resume("user", "ann")


async def test_a_request_that_is_refused_leaves_its_approval_good(state: State) -> None:
    await grant(state)
    limit, rate = LimitUse("k", 60_000, 1, 1), Rate("once", 1, 1_000)
    assert await state.count(Count((NONCE,), (rate,), (limit,)), now_ms=NOW) is None
    for count in (
        Count(nonces=(NONCE,), approval=USE),
        Count(rates=(rate,), approval=USE),
        Count(limits=(limit,), approval=USE),
    ):
        assert await state.count(count, now_ms=NOW) is not None
        assert await status(state) is ApprovalStatus.GRANTED
    assert await use(state) is None


async def test_a_request_whose_approval_is_not_good_uses_up_nothing_else(state: State) -> None:
    await ask(state)
    rate, limit = Rate("once", 1, 1_000), LimitUse("k", 60_000, 1, 1)
    count = Count((NONCE,), (rate,), (limit,), USE)
    refused = not_used(ApprovalRefused.OPEN)
    assert await state.count(count, now_ms=NOW) == refused
    assert await state.reserve(KEY, "f", "a", now_ms=NOW, lease_ms=1_000, count=count) == refused
    good = replace(count, approval=None)
    assert await state.reserve(KEY, "f", "b", now_ms=NOW, lease_ms=1_000, count=good) == Reserved(1, 5, None)


async def test_a_number_is_taken_together_with_its_approval(state: State) -> None:
    await grant(state)
    count = Count(approval=USE)
    assert await state.reserve(KEY, "f", "a", now_ms=NOW, lease_ms=1_000, count=count) == Reserved(1, 5, None)
    assert await use(state) == not_used(ApprovalRefused.USED)


async def test_an_approval_stays_used_when_the_number_is_not_to_be_had(state: State) -> None:
    """As with a nonce: what is counted stays so."""
    await grant(state)
    await state.reserve(KEY, "f", "a", now_ms=NOW, lease_ms=1_000)
    held = await state.reserve(KEY, "g", "b", now_ms=NOW, lease_ms=1_000, count=Count(approval=USE))
    assert isinstance(held, HeldByOther)
    assert await status(state) is ApprovalStatus.USED


async def test_it_is_told_of_for_a_while_after_it_expired_and_then_forgotten(state: State) -> None:
    await grant(state)
    await state.forget_expired(now_ms=NOW + HOUR + APPROVAL_KEPT_MS - 1)
    known = await state.approval("a-1", now_ms=NOW)
    assert known is not None
    assert len(known.votes) == 2
    await state.forget_expired(now_ms=NOW + HOUR + APPROVAL_KEPT_MS)
    assert await state.approval("a-1", now_ms=NOW) is None
    assert await use(state) == not_used(ApprovalRefused.OTHER)


async def test_all_that_are_long_over_are_forgotten_however_many_they_are(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting_statements, "FORGET_AT_ONCE", 10)
    for n in range(35):
        await ask(state, replace(TRANSFER, id=f"a-{n}", intent_digest=bytes([n])))
    await state.forget_expired(now_ms=NOW + HOUR + APPROVAL_KEPT_MS)
    assert await state.list_approvals(now_ms=NOW) == ()
