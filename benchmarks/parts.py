"""What one signature is made of, each part alone and in this process: microseconds a call, the median of several batches."""

import statistics
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from vaultsigner.audit import open_recorder
from vaultsigner.audit.entries import Control
from vaultsigner.authentication.access_tokens import verify_access_token
from vaultsigner.custody.client import CustodyClient
from vaultsigner.custody.protocol import SignBeaconRequest
from vaultsigner.domain.intents import Intent
from vaultsigner.domain.names import Operation
from vaultsigner.domain.principals import Principal
from vaultsigner.formats.bnb_beacon.address import decode_address
from vaultsigner.formats.bnb_beacon.messages import NewOrder, message_to_document
from vaultsigner.formats.bnb_beacon.request_body import RequestBody, read_request
from vaultsigner.formats.bnb_beacon.transaction import Account, encode_transaction, sign_document
from vaultsigner.policy import load as load_policies
from vaultsigner.server.measuring import request_meter
from vaultsigner.signing.verification import signature_is_valid
from vaultsigner.state import AccountKey, open_state
from vaultsigner.strict_json import parse
from vaultsigner.telemetry.passages import note_decision, step

BATCHES = 7
CALLS = 200
STEPS = 8
ORDER = NewOrder(symbol="ANN-457_BNB", side=1, order_type=2, time_in_force=1, price=39600, quantity=10**9)


def time_calls(call: Callable[[], object]) -> float:
    """Microseconds a call."""
    batches = []
    for _ in range(BATCHES):
        started = time.perf_counter()
        for _ in range(CALLS):
            call()
        batches.append((time.perf_counter() - started) / CALLS)
    return statistics.median(batches) * 1e6


async def time_awaits(call: Callable[[], Awaitable[object]]) -> float:
    """Microseconds an await, one after the other."""
    batches = []
    for _ in range(BATCHES):
        started = time.perf_counter()
        for _ in range(CALLS):
            await call()
        batches.append((time.perf_counter() - started) / CALLS)
    return statistics.median(batches) * 1e6


async def measure_pure_parts(
    custody: CustodyClient, request: SignBeaconRequest, body: bytes, token: str, policies: Path
) -> dict[str, float]:
    """The parts that touch no disk and no Vault."""
    document = parse(body)
    policy = load_policies(policies)
    principal = Principal("user", "bench")
    intent = Intent(Operation("order.sign"), f"wallet:{request.wallet}", ({"symbol": "ANN-457_BNB"},))
    signature = await custody.sign_beacon(request)
    key = await custody.public_key(request.wallet)
    keys = await custody.access_token_keys()
    address = decode_address(key.address, "tbnb")
    account = Account(address, "tbnb", "Binance-Chain-Ganges", request.account_number, request.sequence)
    sign_bytes = sign_document(ORDER, account, "")
    now = time.time()

    def read_body() -> object:
        read = read_request("order", document, "tbnb")
        assert isinstance(read, RequestBody)
        return message_to_document(read.message, "tbnb")

    return {
        "parse the body strictly": time_calls(lambda: parse(body)),
        "decode it into a message": time_calls(read_body),
        "check an access token (first use; then remembered)": time_calls(
            lambda: verify_access_token(token, keys, now)
        ),
        "evaluate policy": time_calls(lambda: policy.evaluate(principal, intent)),
        "build the sign document": time_calls(lambda: sign_document(ORDER, account, "")),
        "verify the signature": time_calls(
            lambda: signature_is_valid(key.public_key, sign_bytes, signature.signature)
        ),
        "encode the transaction": time_calls(
            lambda: encode_transaction(ORDER, account, "", key.public_key, signature.signature)
        ),
        "count the request, and time eight steps of it": time_calls(measured_passage()),
    }


def measured_passage() -> Callable[[], object]:
    """What measuring itself does for a signature."""
    meter = request_meter({"order.sign"})

    def pass_through() -> None:
        passage = meter.begin()
        for _ in range(STEPS):
            with step("audit"):
                pass
        note_decision("order.sign", "allow", "within-permissions")
        meter.end(passage, "signing", "order.sign", "ok", failed=False)
        passage.leave()

    return pass_through


async def measure_waiting_parts(
    custody: CustodyClient, request: SignBeaconRequest, directory: Path
) -> dict[str, float]:
    """The parts that wait for a disk, another process or Vault, one at a time."""
    account_key = AccountKey("bench", "bench")
    async with (
        open_recorder(directory / "bench-audit") as recorder,
        open_state(f"sqlite:///{directory}/bench.db") as state,
    ):
        await state.remember_account(account_key, 1, 1)
        return {
            "custody signs (socket, Vault read, key check, signature)": await time_awaits(
                lambda: custody.sign_beacon(request)
            ),
            "custody reads Vault and signs nothing": await time_awaits(custody.access_token_keys),
            "one record, on disk": await time_awaits(lambda: recorder.record(Control("bench"))),
            "read the account from state": await time_awaits(lambda: state.account(account_key)),
        }
