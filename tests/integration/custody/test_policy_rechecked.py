"""Custody decides by its own clock, under the very set that the server names, on what the client itself has signed."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.integration.custody.proving import IP, PATHS, SIGNED_REQUEST_KEYS, Proving, proving
from vaultsigner.custody.policy_sets import KEPT_SECONDS
from vaultsigner.custody.protocol import Proof
from vaultsigner.errors import CustodyError
from vaultsigner.policy import load as load_policies

OFFICE_HOURS = f"""\
version: 1
rules:
  - id: office-hours
    effect: allow
    operations: [freeze.*]
    when:
      time: {{days: mon-fri, from: "08:00", to: "18:00", zone: Europe/Zurich}}
      ip: {{in: [{IP}/32]}}
"""
CLOSED = OFFICE_HOURS.replace("effect: allow", "effect: deny")
ANY_TIME = "version: 1\nrules:\n  - {id: any-time, effect: allow}\n"


def at(text: str) -> int:
    """Milliseconds since 1970 of a moment in UTC."""
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


FRIDAY_NOON = at("2026-11-20T11:00:00")


def write(directory: Path, text: str) -> str:
    """Put it where custody looks; the digest."""
    (directory / "policy.yml").write_text(text)
    return load_policies(directory).digest


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Proving]:
    write(tmp_path, OFFICE_HOURS)
    async with proving(tmp_path, policies=load_policies(tmp_path)) as at_hand:
        at_hand.now_ms = FRIDAY_NOON
        yield at_hand


async def fresh(here: Proving, **options: Any) -> Proof:
    return await here.proved(here.request(here.call(**options)))


async def code_of(here: Proving, proof: Proof, **changes: Any) -> str | None:
    try:
        await here.sign(proof, **changes)
    except CustodyError as error:
        return error.code
    return None


@pytest.mark.parametrize(
    ("moment", "code"),
    [
        ("2026-11-20T06:59:59.999", "policy_denied"),
        ("2026-11-20T07:00:00.000", None),
        ("2026-11-20T16:59:59.999", None),
        ("2026-11-20T17:00:00.000", "policy_denied"),
        ("2026-11-21T11:00:00.000", "policy_denied"),
        ("2026-11-22T23:30:00.000", "policy_denied"),
        ("2026-07-17T05:59:59.999", "policy_denied"),
        ("2026-07-17T06:00:00.000", None),
        ("2026-07-17T16:00:00.000", "policy_denied"),
    ],
)
async def test_a_window_opens_and_closes_by_custodys_own_clock(
    here: Proving, moment: str, code: str | None
) -> None:
    here.now_ms = at(moment)
    assert await code_of(here, await fresh(here)) == code


async def test_a_request_that_waits_until_the_window_has_closed_is_refused(here: Proving) -> None:
    """Whatever the server decided when it was still open."""
    here.now_ms = at("2026-11-20T16:59:59.999")
    proof = await fresh(here)
    here.now_ms += 1
    assert await code_of(here, proof) == "policy_denied"


async def test_outside_of_the_window_no_key_is_read_even_ahead(here: Proving) -> None:
    here.now_ms = at("2026-11-21T11:00:00")
    proof = await fresh(here)
    assert await code_of(here, proof) == "policy_denied"
    assert set(here.vault.asked) == {PATHS["bot"]}


@pytest.mark.parametrize("scheme", SIGNED_REQUEST_KEYS)
async def test_the_address_of_a_ticket_cannot_be_exchanged(here: Proving, scheme: str) -> None:
    """Neither for a better one, nor for another spelling of the same."""
    for ip in ("192.0.2.8", f"::ffff:{IP}", ""):
        proof = await here.proved(here.request(here.call(SIGNED_REQUEST_KEYS[scheme])))
        assert await code_of(here, proof, ip=ip) == "no_permission"
    assert (
        await code_of(here, await here.proved(here.request(here.call(SIGNED_REQUEST_KEYS[scheme])))) is None
    )


async def test_another_policy_set_than_custodys_signs_nothing(here: Proving, tmp_path: Path) -> None:
    other = write(tmp_path, ANY_TIME)
    for digest in (other, "sha256:" + "0" * 64, ""):
        assert await code_of(here, await fresh(here), policy=digest) == "policy_mismatch"
    assert await code_of(here, await fresh(here)) is None


async def test_a_request_under_way_ends_as_it_began_when_policies_change(
    here: Proving, tmp_path: Path
) -> None:
    old = here.custody.policies.current.digest
    proofs = [await fresh(here) for _ in range(3)]
    await here.custody.policies.load(write(tmp_path, CLOSED))
    assert await code_of(here, proofs[0], policy=old) is None
    assert await code_of(here, proofs[1]) == "policy_denied", "under the new set"
    await here.custody.policies.load(write(tmp_path, ANY_TIME))
    assert await code_of(here, proofs[2], policy=old) == "policy_mismatch"


async def test_the_old_set_is_not_chosen_for_long_after_it_was_tightened(
    here: Proving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that has been taken over could go on with what was allowed before."""
    sets = here.custody.policies
    old, now = sets.current.digest, 0.0
    monkeypatch.setattr(sets, "_clock", lambda: now)
    await sets.load(write(tmp_path, CLOSED))
    now = KEPT_SECONDS - 1
    assert await code_of(here, await fresh(here), policy=old) is None
    now = KEPT_SECONDS
    assert await code_of(here, await fresh(here), policy=old) == "policy_mismatch"
