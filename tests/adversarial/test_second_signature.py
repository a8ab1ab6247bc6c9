"""A server that has been taken over kills custody, which runs as the same user, to have it forget what it has signed for."""

import os
import signal
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest

from tests.adversarial.custody_wire import (
    AUTHENTICATE,
    SIGN_BEACON,
    TRANSFER,
    Answer,
    Wire,
    question,
    signed_request,
    wire_to,
)
from tests.adversarial.desk import private_key_wallet, running_desk, transfer
from tests.integration.signed.callers import (
    OPEN_API,
    OPEN_API_NAME,
    SIGNERS,
    UNHURRIED,
    planned_clients,
)
from tests.patience import wait_until
from tests.signing_client import OPEN_API_HEADER, open_api_call, signed_call
from tests.world import World
from vaultsigner.dev.processes import ProcessError

PATH = "/api/transfer/sign"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running_desk(
        tmp_path_factory.mktemp("second"),
        private_key_wallet("desk"),
        clients=planned_clients("desk"),
        rate_limits=UNHURRIED,
    ) as running:
        yield running


def kill_custody(world: World) -> None:
    """Kill it and wait until the next one answers."""
    killed = world.service.custody_pid
    os.kill(killed, signal.SIGKILL)

    def back() -> bool:
        try:
            if world.service.custody_pid != killed:
                with wire_to(world.service, timeout_seconds=5):
                    return True
        except (ProcessError, OSError, EOFError):
            pass
        return False

    wait_until(back, "custody is back", poll_seconds=0.02)


def recorded_requests() -> dict[str, dict[str, Any]]:
    """What a server has seen pass: a request of each scheme, with windows as long as they get."""
    document = transfer("desk")
    requests = {
        name: signed_request(signed_call(key, "POST", PATH, document=document, recv_window_ms=60_000))
        for name, key in SIGNERS.items()
    }
    call = open_api_call(OPEN_API, "POST", PATH, document=document)
    credential = b64encode(call.headers[OPEN_API_HEADER].encode()).decode()
    requests[OPEN_API_NAME] = signed_request(call, family="open_api", credential=credential)
    return requests


def ask_for_a_signature(wire: Wire, name: str, request: dict[str, Any], sequence: int) -> Answer:
    ticket = wire.ask(AUTHENTICATE, request).document["ok"]["proof"]["ticket"]
    asked = question(
        principal={"kind": "client", "name": name}, ticket=ticket, access_token=None, sequence=sequence
    )
    return wire.ask(SIGN_BEACON, {**asked, "message": TRANSFER})


def test_killing_custody_gets_no_second_signature_for_one_of_a_client(world: World) -> None:
    """The same bytes at other sequences would be other transactions, each good on the chain."""
    requests = recorded_requests()
    with wire_to(world.service) as wire:
        for name, request in requests.items():
            assert ask_for_a_signature(wire, name, request, 0).error is None
            assert ask_for_a_signature(wire, name, request, 1).error == "replayed"
    for _ in range(2):
        kill_custody(world)
        with wire_to(world.service) as wire:
            for name, request in requests.items():
                for sequence in (0, 1, 2):
                    answer = ask_for_a_signature(wire, name, request, sequence)
                    assert answer.error == "custody_unavailable", name
                    assert "sign the request anew" in answer.document["error"]["message"]


@pytest.mark.parametrize("name", SIGNERS)
def test_clients_that_sign_anew_get_through_after_custody_is_back(world: World, name: str) -> None:
    kill_custody(world)
    statuses: list[int] = []

    def signed() -> bool:
        statuses.append(world.signed(SIGNERS[name], "POST", PATH, document=transfer("desk")).status)
        return statuses[-1] == 200

    wait_until(signed, "a signature", poll_seconds=0.02)
    assert set(statuses) <= {200, 503}


def test_what_came_with_an_access_token_is_signed_at_once(world: World) -> None:
    """A token says who asks, not what for: there is nothing to be used twice."""
    token = world.token()
    kill_custody(world)

    def signed() -> bool:
        answer = world.ask("POST", PATH, transfer("desk"), token=token)
        assert "sign the request anew" not in answer.body.get("message", "")
        return answer.status == 200

    wait_until(signed, "a signature")


def test_the_first_custody_of_a_service_signs_at_once(world: World) -> None:
    """What is from before the service started, state remembers."""
    world.service.stop()
    requests = recorded_requests()
    world.service.start()
    with wire_to(world.service) as wire:
        for name, request in requests.items():
            assert ask_for_a_signature(wire, name, request, 0).error is None
