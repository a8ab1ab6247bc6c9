"""Starts the real parts once and loads them in turn, round by round, so that each ratio compares what ran close together."""

import statistics
from dataclasses import dataclass

from benchmarks.bare_answer import run_bare_server
from benchmarks.desk import RSA_API_KEY, SIGNER, USERNAME, WORDS, Desk, Ground, body_for, wallet_names
from benchmarks.failures import Timing, measure_failures
from benchmarks.load import Measured, Target, always, get, measure, post
from benchmarks.parts import ORDER, measure_pure_parts, measure_waiting_parts
from benchmarks.side_by_side import Rounds
from vaultsigner.custody.client import CustodyClient
from vaultsigner.custody.protocol import SignBeaconRequest
from vaultsigner.dev.service import run_service
from vaultsigner.domain.names import Operation, RequestId, WalletName
from vaultsigner.domain.principals import Principal
from vaultsigner.formats.bnb_beacon.messages import message_to_document
from vaultsigner.policy import load as load_policies

OURS, NAIVE = "as it is", "without decoy and grid"
VAULT, BARE, HOT, MANY, SIGNED, MNEMONIC = (
    "bare Vault read of the same secret",
    "bare aiohttp answer",
    "sign, one wallet for all",
    "sign, a wallet for each connection",
    "the same by requests signed with HMAC",
    "sign, one wallet from a mnemonic",
)


@dataclass(frozen=True, slots=True)
class Loads:
    """What signing costs, and what it is made of. `loads[name][connections]` are the medians over the rounds.

    `failures` has the service's own timings under OURS, and those of one that hides nothing under NAIVE.
    """

    loads: dict[str, dict[int, Measured]]
    pure_parts: dict[str, float]
    waiting_parts: dict[str, float]
    failures: dict[str, dict[str, Timing]]


async def measure_loads(ground: Ground, rounds: Rounds, failures: int) -> Loads:
    """Load the service, then take it apart.

    Args:
        failures: how often each failure to authenticate is timed.
    """
    async with ground.run_desk("vaultsigner") as desk, run_bare_server() as bare_port:
        loads = await _load_in_turn(_targets(desk, bare_port), rounds)
        pure, waiting = await _measure_parts(desk, ground)
        timings = {OURS: await measure_failures(desk.service, SIGNER, RSA_API_KEY, failures)}
        installation = desk.service.installation
    async with run_service(installation, program=("-m", "benchmarks.naive")) as naive:
        timings[NAIVE] = await measure_failures(naive, SIGNER, RSA_API_KEY, failures)
    return Loads(loads, pure, waiting, timings)


def _targets(desk: Desk, bare_port: int) -> list[Target]:
    installation = desk.service.installation
    vault_host, _, vault_port = installation.settings.vault.address.partition("://")[2].partition(":")
    vault_token = installation.token_path.read_text().strip()
    read = get(
        "/v1/secret/data/wallets/w0", vault_host, [f"X-Vault-Token: {vault_token}", "X-Vault-Request: true"]
    )
    return [
        Target(VAULT, vault_host, int(vault_port), (always(read),)),
        Target(BARE, "127.0.0.1", bare_port, (always(post("/", "bare", body_for("w0"))),)),
        desk.sign(HOT, "w0"),
        desk.sign(MANY, *wallet_names()),
        desk.sign_by_client(SIGNED, *wallet_names()),
        desk.sign(MNEMONIC, WORDS),
    ]


async def _load_in_turn(targets: list[Target], rounds: Rounds) -> dict[str, dict[int, Measured]]:
    runs: dict[tuple[str, int], list[Measured]] = {}
    for _ in range(rounds.rounds):
        for connections in rounds.connections:
            for target in targets:
                await measure(target, connections, min(0.5, rounds.seconds))
                measured = await measure(target, connections, rounds.seconds)
                runs.setdefault((target.name, connections), []).append(measured)
                rounds.advance()
    return {
        target.name: {each: _median(runs[target.name, each]) for each in rounds.connections}
        for target in targets
    }


def _median(runs: list[Measured]) -> Measured:
    return Measured(
        rate=statistics.median(run.rate for run in runs),
        p50_ms=statistics.median(run.p50_ms for run in runs),
        p99_ms=statistics.median(run.p99_ms for run in runs),
        answers=sum(run.answers for run in runs),
    )


async def _measure_parts(desk: Desk, ground: Ground) -> tuple[dict[str, float], dict[str, float]]:
    custody = CustodyClient(desk.service.custody_socket)
    policies = desk.service.installation.settings.policies
    request = SignBeaconRequest(
        request_id=RequestId("bench"),
        principal=Principal("user", USERNAME),
        access_token=desk.token,
        operation=Operation("order.sign"),
        wallet=WalletName("w0"),
        message_document=message_to_document(ORDER, "tbnb"),
        memo="",
        account_number=1,
        sequence=1,
        ip="127.0.0.1",
        policy=load_policies(policies).digest,
    )
    await custody.connect()
    try:
        pure = await measure_pure_parts(custody, request, body_for("w0"), desk.token, policies)
        return pure, await measure_waiting_parts(custody, request, ground.directory)
    finally:
        await custody.close()
