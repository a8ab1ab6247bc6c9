"""A request gets its policies when it comes in, and keeps them to the end, whatever comes into force meanwhile."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from tests.unit.signing.desks import POLICIES, Desks
from vaultsigner.config.settings import RateLimits
from vaultsigner.custody.client import CustodyClient
from vaultsigner.dev.records import read_records
from vaultsigner.domain.refusals import Refusal
from vaultsigner.errors import StateError
from vaultsigner.policy import PolicySet
from vaultsigner.signing.calls import Answer
from vaultsigner.signing.counting import Counting
from vaultsigner.signing.desk import Desk
from vaultsigner.signing.key_watch import KeyWatch
from vaultsigner.signing.strangers import Strangers
from vaultsigner.signing.suspensions import SuspensionWatch
from vaultsigner.signing.trail import Trail

LATER = PolicySet("sha256:bb", ())


@dataclass
class Keeper:
    """Has whatever set a test gives it."""

    current: PolicySet = POLICIES


def desk_of(desks: Desks, keeper: Keeper) -> Desk:
    limits = RateLimits()
    counting = Counting(desks.state, limits, desks.clock, Strangers(desks.state, limits, desks.clock))
    watch = SuspensionWatch(desks.state, desks.clock, frozenset())
    keys = KeyWatch(desks.settings, CustodyClient(desks.directory / "none"), watch, desks.clock)
    return Desk(cast(Any, keeper), desks.journal, counting, keys)


def named(directory: Path) -> list[str]:
    return [record["policy"] for record in read_records(directory / "audit")]


async def test_what_comes_into_force_meanwhile_does_not_touch_a_request(desks: Desks) -> None:
    keeper = Keeper()
    desk = desk_of(desks, keeper)

    async def step(trail: Trail) -> Answer | Refusal:
        keeper.current = LATER
        assert trail.policies is POLICIES
        await desks.journal.changing(trail, "suspend", {})
        return Answer({}, audit=await desks.journal.answered(trail))

    await desk.serve(desks.trail("user:sam").call, step)
    assert named(desks.directory) == [POLICIES.digest] * 2
    await desk.serve(desks.trail("user:sam").call, step_that_fails)
    await desk.refuse(
        desk.receive(desks.trail("user:sam").call), Refusal("not_found", "There is no such path")
    )
    assert named(desks.directory) == [POLICIES.digest] * 2 + [LATER.digest] * 2


async def step_that_fails(_trail: Trail) -> Answer | Refusal:
    raise StateError("it is locked")
