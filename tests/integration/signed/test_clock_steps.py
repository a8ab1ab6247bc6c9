"""A server's clock is set back while nonces of the time it goes back to may have been forgotten."""

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.adversarial.custody_wire import vault_reads
from tests.integration.signed.callers import FROZEN_MS, HMAC, UNHURRIED, planned_clients
from tests.patience import PATIENCE_SECONDS, wait_until
from tests.signing_client import Reply
from tests.world import Vector, World, planned_wallets, running_world
from vaultsigner.state import open_state

CHECK = "/api/auth/check"
WINDOW_MS = 5000
REMEMBERED_MS = 120_000
"""So much longer than its window lasts a nonce is kept, for servers whose clocks are behind."""


@pytest.fixture
def stepping(tmp_path_factory: pytest.TempPathFactory, sample: Vector) -> Iterator[World]:
    """A service of the test's own: what state has seen of time cannot be taken back."""
    wallets = [wallet.name for wallet in planned_wallets([sample])]
    with running_world(
        tmp_path_factory.mktemp("stepping"),
        [sample],
        clients=planned_clients(*wallets),
        rate_limits=UNHURRIED,
        frozen_at_ms=FROZEN_MS,
    ) as world:
        yield world


def forget(world: World, now_ms: int) -> None:
    """What each server does every half minute."""

    async def run() -> None:
        async with open_state(world.installation.settings.state_url) as state:
            await state.forget_expired(now_ms=now_ms)

    asyncio.run(run())


def ask(world: World, what: str, moment: int) -> Reply:
    return world.signed(HMAC, "GET", CHECK, {"what": what}, timestamp_ms=moment)


def test_a_clock_set_back_a_little_still_finds_the_replay(stepping: World) -> None:
    assert stepping.clock
    assert ask(stepping, "once", FROZEN_MS).status == 200
    later = FROZEN_MS + WINDOW_MS + REMEMBERED_MS - 1
    stepping.clock.set(later)
    forget(stepping, later)
    stepping.clock.set(FROZEN_MS)
    assert ask(stepping, "once", FROZEN_MS).status == 409


def test_a_clock_set_back_further_refuses_rather_than_accepts_what_was_forgotten(stepping: World) -> None:
    assert stepping.clock
    assert ask(stepping, "once", FROZEN_MS).status == 200
    later = FROZEN_MS + WINDOW_MS + REMEMBERED_MS
    stepping.clock.set(later)
    forget(stepping, later)
    assert ask(stepping, "now", later).status == 200
    stepping.clock.set(FROZEN_MS)
    for what in ("once", "never before"):
        reply = ask(stepping, what, FROZEN_MS)
        assert (reply.status, reply.body["code"]) == (503, "state_unavailable"), reply.body
    stepping.clock.set(later)
    assert ask(stepping, "the clock is right again", later).status == 200


def test_a_broadcast_that_waited_too_long_for_its_turn_is_told_so_and_frees_the_number(
    stepping: World, sample: Vector
) -> None:
    """Custody does not know the request any more when its turn comes; the clock stands for the half minute and more."""
    assert stepping.clock
    document = {"wallet_name": stepping.place(sample), "msg": sample["msg"]}
    first = stepping.node.chain.accounts[sample["address"]].sequence
    stepping.node.faults.broadcast_delay_seconds = PATIENCE_SECONDS
    stepping.token()
    with ThreadPoolExecutor(2) as pool:
        ahead = pool.submit(stepping.post, "/api/transfer/broadcast", document)
        wait_until(lambda: stepping.node.chain.received, "the node has the first")
        reads = vault_reads(stepping.service)
        waits = pool.submit(
            stepping.signed,
            HMAC,
            "POST",
            "/api/transfer/broadcast",
            document=document,
            timestamp_ms=FROZEN_MS,
        )
        wait_until(lambda: vault_reads(stepping.service) > reads, "custody looks who signed the second")
        time.sleep(2)  # it has found out, and the request waits for its turn (a node is given ten seconds)
        stepping.clock.set(FROZEN_MS + 5_000 + 60_000)
        stepping.node.faults.broadcast_delay_seconds = 0.0
        assert ahead.result().status == 200
        late = waits.result()
    assert (late.status, late.body["code"]) == (503, "custody_unavailable"), late.body
    assert "sign anew" in late.body["message"]
    anew = stepping.signed(HMAC, "POST", "/api/transfer/broadcast", document=document)
    assert anew.status == 200, anew.body
    sent = [each.transaction.sequence for each in stepping.node.chain.received if each.transaction]
    assert sent == [first, first + 1]
