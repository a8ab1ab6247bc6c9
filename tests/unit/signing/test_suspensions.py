"""What is suspended is refused, what is not known counts as suspended, and only what exists can be suspended."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.patience import until
from tests.unit.signing.desks import Desks, open_desks
from vaultsigner.domain.principals import Principal
from vaultsigner.domain.refusals import Refusal
from vaultsigner.errors import AuditError, StateError
from vaultsigner.signing import suspensions
from vaultsigner.signing.suspensions import STALE_SECONDS, SuspensionWatch
from vaultsigner.state import State, Suspension, Suspensions, open_state

SAM, BOT, OLGA = Principal("user", "sam"), Principal("client", "bot-1", "hmac"), Principal("user", "olga")
HOT = "wallet:hot"


class Ailing:
    """A state that can be made to fail, or to take its time."""

    def __init__(self) -> None:
        self.found: Suspensions | Exception = Suspensions(1)
        self.gate = asyncio.Event()
        self.gate.set()
        self.looks = 0

    async def suspensions(self) -> Suspensions:
        self.looks += 1
        found, gate = self.found, self.gate
        await gate.wait()
        if isinstance(found, Exception):
            raise found
        return found


class Noting:
    """A state of which is noted, for each look at it, whether anything was suspended."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.saw: list[bool] = []

    async def suspensions(self) -> Suspensions:
        found = await self._state.suspensions()
        self.saw.append(bool(found.suspended))
        return found


def watching(state: Any, desks: Desks) -> SuspensionWatch:
    return SuspensionWatch(state, desks.clock, frozenset({"user:olga"}))


def stop(kind: Any, name: str) -> Suspension:
    return Suspension(kind, name, "because", "user:olga", 1)


@pytest.mark.parametrize(
    ("stopped", "refused"),
    [
        ([], set()),
        ([stop("wallet", "hot")], {"sam", "bot-1", "olga"}),
        ([stop("wallet", "cold")], set()),
        ([stop("user", "sam")], {"sam"}),
        ([stop("client", "sam")], set()),
        ([stop("user", "bot-1")], set()),
        ([stop("client", "bot-1")], {"bot-1"}),
        ([stop("exchange", "hot")], set()),
        ([stop("all", "")], {"sam", "bot-1", "olga"}),
        ([stop("user", "olga"), stop("client", "bot-1")], {"olga", "bot-1"}),
    ],
)
async def test_who_may_not_use_a_wallet(desks: Desks, stopped: list[Suspension], refused: set[str]) -> None:
    state = Ailing()
    state.found = Suspensions(2, tuple(stopped))
    watch = watching(state, desks)
    await watch.refresh()
    found = {who.name: watch.refuse(who, HOT) for who in (SAM, BOT, OLGA)}
    assert {name for name, refusal in found.items() if refusal} == refused
    assert all(refusal.code == "suspended" for refusal in found.values() if refusal)


async def test_the_partner_is_stopped_with_everything(desks: Desks) -> None:
    state = Ailing()
    watch = watching(state, desks)
    for stopped in ((stop("all", ""),), ()):
        state.found = Suspensions(2, stopped)
        await watch.refresh()
        assert (watch.refuse_caller(Principal("partner", "partner")) is not None) == bool(stopped)


async def test_while_everything_is_suspended_operators_may_ask_and_others_may_not(desks: Desks) -> None:
    state = Ailing()
    state.found = Suspensions(2, (stop("all", ""),))
    watch = watching(state, desks)
    await watch.refresh()
    assert watch.refuse_caller(OLGA) is None
    assert watch.refuse_caller(SAM) is not None
    assert watch.refuse_caller(BOT) is not None


async def test_an_operator_who_is_suspended_may_not_even_ask(desks: Desks) -> None:
    state = Ailing()
    state.found = Suspensions(2, (stop("user", "olga"),))
    watch = watching(state, desks)
    await watch.refresh()
    assert watch.refuse_caller(OLGA) is not None
    assert watch.refuse_caller(SAM) is None


async def test_callers_are_not_told_why(desks: Desks) -> None:
    state = Ailing()
    state.found = Suspensions(2, (Suspension("wallet", "hot", "the key has leaked", "user:olga", 1),))
    watch = watching(state, desks)
    await watch.refresh()
    refusal = watch.refuse(SAM, HOT)
    assert refusal is not None
    assert "leaked" not in f"{refusal.message}{refusal.reason}{refusal.detail}"
    assert "olga" not in f"{refusal.message}{refusal.reason}"


async def test_what_nobody_has_looked_at_counts_as_suspended(desks: Desks) -> None:
    watch = watching(Ailing(), desks)
    assert watch.refuse(SAM, HOT) == suspensions.UNKNOWN
    assert watch.refuse_caller(OLGA) == suspensions.UNKNOWN


async def test_a_view_that_grows_old_counts_for_three_seconds(desks: Desks) -> None:
    state = Ailing()
    watch = watching(state, desks)
    await watch.refresh()
    state.found = StateError("gone")
    desks.clock.now_ms += int(STALE_SECONDS * 1000)
    with pytest.raises(StateError):
        await watch.refresh()
    assert watch.refuse(SAM, HOT) is None
    desks.clock.now_ms += 1
    assert watch.refuse(SAM, HOT) == suspensions.UNKNOWN
    state.found = Suspensions(1)
    await watch.refresh()
    assert watch.refuse(SAM, HOT) is None


async def test_the_age_of_a_view_counts_from_when_it_was_asked_for(desks: Desks) -> None:
    state = Ailing()
    watch = watching(state, desks)
    state.gate.clear()
    looking = asyncio.create_task(watch.refresh())
    await asyncio.sleep(0)
    desks.clock.now_ms += int(STALE_SECONDS * 1000) + 1
    state.gate.set()
    await looking
    assert watch.refuse(SAM, HOT) == suspensions.UNKNOWN


async def test_a_look_that_took_long_does_not_undo_a_later_one(desks: Desks) -> None:
    state = Ailing()
    watch = watching(state, desks)
    slow_gate = state.gate = asyncio.Event()
    slow = asyncio.create_task(watch.refresh())
    await until(lambda: state.looks == 1, "the first look")
    state.found = Suspensions(2, (stop("wallet", "hot"),))
    state.gate = asyncio.Event()
    state.gate.set()
    later = asyncio.create_task(watch.refresh())
    await asyncio.sleep(0.01)
    slow_gate.set()
    await asyncio.gather(slow, later)
    assert watch.refuse(SAM, HOT) is not None


async def test_trouble_is_logged_once_and_so_is_its_end(
    desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suspensions, "EVERY_SECONDS", 0.001)
    state = Ailing()
    state.found = StateError("gone")
    with capture_logs() as logs:
        async with watching(state, desks).watching() as watch:
            await until(lambda: state.looks >= 5, "some looks")
            assert watch.refuse(SAM, HOT) == suspensions.UNKNOWN
            state.found = Suspensions(1)
            await until(lambda: watch.refuse(SAM, HOT) is None, "a good look")
    assert [entry["event"] for entry in logs] == ["suspensions unknown", "suspensions known again"]


async def test_another_process_sees_it_within_a_second(
    tmp_path: Path, desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That is two looks: one may be under way when it is suspended, and the next one sees it."""
    assert suspensions.EVERY_SECONDS <= 1 / 2
    monkeypatch.setattr(suspensions, "EVERY_SECONDS", 0.01)
    async with open_state(f"sqlite:///{tmp_path}/state/state.db") as other:
        state = Noting(other)
        async with watching(state, desks).watching() as watch:
            await until(lambda: len(state.saw) > 2, "it looks again and again")
            assert watch.refuse(SAM, HOT) is None
            await suspend(desks, {"kind": "wallet", "name": "hot", "reason": "drill"})
            before = len(state.saw) + 1
            await until(lambda: len(state.saw) > before + 2, "it looks again")
            assert watch.refuse(SAM, HOT) is not None
    assert not any(state.saw[:2])
    assert all(state.saw[before:])


async def suspend(desks: Desks, document: object) -> Any:
    return await desks.suspensions.suspend(desks.trail("user:olga", document), desks.caller("user:olga"))


async def test_suspending_and_resuming_are_on_the_record_with_who_and_why(desks: Desks) -> None:
    done = await suspend(desks, {"kind": "client", "name": "bot-1", "reason": " leaked "})
    told = {
        "kind": "client",
        "name": "bot-1",
        "reason": "leaked",
        "by": "user:olga",
        "since": "2026-09-21T14:13:20.000Z",
    }
    assert done == {**told, "changed": True}
    assert desks.watch.refuse(BOT, HOT) is not None
    assert await desks.suspensions.listed(desks.caller("user:olga")) == {"suspensions": [told]}
    gone = await desks.suspensions.resume(desks.trail("user:olga"), "client", "bot-1")
    assert gone == {**told, "changed": True}
    assert desks.watch.refuse(BOT, HOT) is None
    [began], [ended] = desks.records("suspend"), desks.records("resume")
    for details in (began, ended):
        assert (details["kind"], details["name"], details["reason"]) == ("client", "bot-1", "leaked")
        assert (details["by"], details["ip"]) == ("user:olga", "10.0.0.7")
        assert details["request_id"].startswith("r")


async def test_the_first_reason_stays(desks: Desks) -> None:
    await suspend(desks, {"kind": "all", "reason": "first"})
    again = await suspend(desks, {"kind": "all", "reason": "second"})
    assert (again["reason"], again["changed"]) == ("first", False)
    assert [each["reason"] for each in desks.records("suspend")] == ["first", "second"]


async def test_nothing_is_suspended_that_cannot_be_recorded(
    desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise AuditError("the disk is full")

    monkeypatch.setattr(desks.journal, "changing", fail)
    with pytest.raises(AuditError):
        await suspend(desks, {"kind": "all", "reason": "drill"})
    assert (await desks.state.suspensions()).suspended == ()


@pytest.mark.parametrize(
    ("document", "where", "words"),
    [
        ({}, "kind", "wallet, client, user, exchange, all"),
        ({"kind": "Wallet", "name": "hot", "reason": "x"}, "kind", "one of"),
        ({"kind": "partner", "name": "x", "reason": "x"}, "kind", "one of"),
        ({"kind": "wallet", "name": "hot"}, "reason", "say why"),
        ({"kind": "wallet", "name": "hot", "reason": "   "}, "reason", "say why"),
        ({"kind": "wallet", "name": "hot", "reason": "a\nb"}, "reason", "one line"),
        ({"kind": "wallet", "name": "hot", "reason": "a\u2028b"}, "reason", "one line"),
        ({"kind": "wallet", "name": "hot", "reason": "x" * 501}, "reason", "500"),
        ({"kind": "wallet", "name": "hot", "reason": 7}, "reason", "text"),
        ({"kind": "wallet", "reason": "x"}, "name", "which wallet"),
        ({"kind": "wallet", "name": "hott", "reason": "x"}, "name", "did you mean hot?"),
        ({"kind": "user", "name": "bot-1", "reason": "x"}, "name", "no user has this name"),
        ({"kind": "exchange", "name": "a b", "reason": "x"}, "name", "which exchange"),
        ({"kind": "all", "name": "hot", "reason": "x"}, "name", "leave it out"),
        ({"kind": "wallet", "name": "hot", "raeson": "x"}, "(unknown)", "did you mean reason?"),
        ([], None, "JSON object"),
    ],
)
async def test_a_mistyped_suspension_does_not_pass_for_done(
    desks: Desks, document: object, where: str | None, words: str
) -> None:
    refusal = await suspend(desks, document)
    assert isinstance(refusal, Refusal)
    assert refusal.code == "invalid_fields"
    assert words in refusal.message
    assert isinstance(refusal.detail, list)
    assert isinstance(refusal.detail[0], dict)
    assert refusal.detail[0]["loc"] == ["body", *([where] if where else [])]
    assert (await desks.state.suspensions()).suspended == ()
    assert desks.records("suspend") == []


@pytest.mark.parametrize(
    ("kind", "name"),
    [("wallet", "hot"), ("all", ""), ("all", "all"), ("Wallet", "cold"), ("wallet", "c\0ld"), ("x", "y")],
)
async def test_what_is_not_suspended_cannot_be_resumed(desks: Desks, kind: str, name: str) -> None:
    await suspend(desks, {"kind": "wallet", "name": "cold", "reason": "x"})
    refusal = await desks.suspensions.resume(desks.trail("user:olga"), kind, name)
    assert isinstance(refusal, Refusal)
    assert refusal.code == "not_found"
    assert desks.records("resume") == []


async def test_what_the_configuration_has_no_more_can_be_resumed(tmp_path: Path) -> None:
    async with open_desks(tmp_path) as desks:
        await desks.state.suspend(stop("wallet", "long-gone"))
        await desks.watch.refresh()
        done = await desks.suspensions.resume(desks.trail("user:olga"), "wallet", "long-gone")
        assert isinstance(done, dict)
        assert done["changed"] is True
