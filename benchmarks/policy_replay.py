"""`python -m benchmarks.policy_replay`: how many records a second `vaultsigner policy replay` decides, and in how much memory.

Makes the records first (with the recorder's own code, sealed and chained), then replays them in a process of its own.
"""

import argparse
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from vaultsigner.audit.chain import Head, seal
from vaultsigner.audit.entries import IntentDecided, Outcome
from vaultsigner.domain.decisions import Decision
from vaultsigner.domain.names import JsonValue, Operation, RequestId
from vaultsigner.domain.principals import Principal
from vaultsigner.domain.targets import Target

BEGIN = datetime(2026, 10, 21, tzinfo=UTC)
PRINCIPALS = (Principal("user", "sam"), *(Principal("client", f"bot-{n}", "hmac") for n in range(1, 9)))
ALLOWED = Decision("allow", "within-permissions", "sha256:" + "0" * 64, "rule within-permissions allows")
POLICIES = """\
version: 1
lists:
  treasury: [tbnb1treasury, tbnb1cold]
  pairs: [BNB_BUSD-BD1, BTCB-1DE_BUSD-BD1]
rules:
  - id: desk-trades
    effect: allow
    principals: [user:sam, "client:*"]
    operations: [order.*, cancel_order.*]
    when:
      symbol: {in: $pairs}
      notional: {max: "1800"}
      ip: {in: [10.0.0.0/8]}
      time: {days: mon-fri, from: "06:00", to: "22:00", zone: Europe/Zurich}
    limits:
      - {count: 60, every: 1m, per: principal}
      - {sum: notional, max: "250000", every: 24h, per: target}
  - id: small-transfers
    effect: allow
    operations: [transfer.*]
    when: {amount: {max: "100"}, symbol: {equals: BNB}}
  - id: treasury-transfers
    effect: allow
    operations: [transfer.*]
    when: {amount: {above: "100"}, to_address: {in: $treasury}, symbol: {equals: BNB}}
    approvals: {count: 2, of: [user:ann, user:bob], within: 1h}
  - id: nothing-to-there
    effect: deny
    operations: [transfer.*]
    when: {to_address: {equals: tbnb1frozen}}
"""


def main() -> None:
    """Make, replay, tell."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.policy_replay", description=__doc__)
    parser.add_argument("--intents", type=int, default=1_000_000, help="records of kind intent (1,000,000)")
    parser.add_argument(
        "--outcomes", action="store_true", help="an outcome record after each intent, as in life"
    )
    parser.add_argument("--policies", type=Path, help="other rules than the benchmark's own")
    parser.add_argument("--keep", type=Path, help="make the records here, or use those that are here already")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vaultsigner-bench-") as made:
        records = chosen.keep or Path(made) / "audit"
        policies = chosen.policies or Path(made) / "policies"
        if chosen.policies is None:
            policies.mkdir()
            (policies / "bench.yml").write_text(POLICIES)
        if not records.is_dir():
            write_records(records, chosen.intents, outcomes=chosen.outcomes)
        _replay(records, policies, chosen.intents)


def write_records(directory: Path, intents: int, *, outcomes: bool = False) -> None:
    """A month of two chains."""
    for number, name in enumerate(("00000000000000aa", "00000000000000bb")):
        chain = directory / name
        chain.mkdir(parents=True)
        share = intents // 2 + (intents % 2 if number == 0 else 0)
        _write_chain(chain, name, share, random.Random(number), outcomes=outcomes)  # noqa: S311 - the same records each time


def _write_chain(chain: Path, name: str, intents: int, chance: random.Random, *, outcomes: bool) -> None:
    head = Head(name)
    step = timedelta(days=31) / max(intents, 1)
    days: dict[str, list[bytes]] = {}
    for number in range(intents):
        at = BEGIN + number * step
        now_us = int(at.timestamp() * 1_000_000)
        lines = days.setdefault(f"{at:%Y-%m-%d}", [])
        for entry in entries_of(chance, number, outcomes=outcomes):
            line, head = seal(entry.members(), head, now_us)
            lines.append(line)
        if len(days) > 1:
            day = next(iter(days))
            (chain / f"{day}.jsonl").write_bytes(b"".join(days.pop(day)))
    for day, lines in days.items():
        (chain / f"{day}.jsonl").write_bytes(b"".join(lines))


def entries_of(chance: random.Random, number: int, *, outcomes: bool) -> Iterator[IntentDecided | Outcome]:
    """A request's intent and, if asked for, its outcome."""
    principal = chance.choice(PRINCIPALS)
    operation, intent = _asked(chance)
    request, ip = RequestId(f"{number:032x}"), f"10.0.0.{chance.randrange(1, 250)}"
    target = Target("wallet", f"wallet_{chance.randrange(1, 5)}")
    digest = sha256(request.encode()).hexdigest()
    yield IntentDecided(
        request_id=request,
        principal=principal,
        ip=ip,
        operation=operation,
        target=target,
        intent=intent,
        decision=ALLOWED,
        body_sha256=digest,
    )
    if outcomes:
        yield Outcome(
            request_id=request,
            principal=principal,
            ip=ip,
            operation=operation,
            target=target,
            status=200,
            signed_sha256=digest,
            transaction_hash=digest.upper(),
            sequence=number,
            intent_seq=number,
            policy=ALLOWED.policy,
        )


def _asked(chance: random.Random) -> tuple[Operation, dict[str, JsonValue]]:
    if chance.random() < 0.7:
        fields = {
            "symbol": chance.choice(("BNB_BUSD-BD1", "BTCB-1DE_BUSD-BD1", "CAKE-435_BNB")),
            "side": chance.choice(("buy", "sell")),
            "order_type": "limit",
            "time_in_force": "gte",
            "price": f"{chance.randrange(100, 500)}.00000000",
            "quantity": f"{chance.randrange(1, 6)}.50000000",
        }
        return Operation("order.broadcast"), dict(fields)
    fields = {
        "to_address": chance.choice(("tbnb1treasury", "tbnb1cold", "tbnb1frozen", "tbnb1other")),
        "amount": f"{chance.randrange(1, 500)}.12345678",
        "symbol": "BNB",
    }
    if chance.random() < 0.5:
        fields["memo_sha256"] = sha256(str(chance.randrange(1000)).encode()).hexdigest()
    return Operation("transfer.sign"), dict(fields)


def _replay(records: Path, policies: Path, intents: int) -> None:
    """In a process of its own, which has one thread; seconds and memory are what the system says it used."""
    command = [sys.executable, "-m", "vaultsigner", "policy", "replay"]
    command += ["--records", str(records), "--policies", str(policies)]
    begin = time.monotonic()
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    seconds = time.monotonic() - begin
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = used.ru_utime + used.ru_stime
    size = sum(path.stat().st_size for path in records.rglob("*.jsonl"))
    print(f"\n{intents:,} intents in {size / 1e6:,.0f} MB, start of the program included:")
    print(f"  {intents / busy:,.0f} a second of one core ({busy:.1f} s of its time)")
    print(
        f"  {intents / seconds:,.0f} a second by the clock ({seconds:.1f} s), whatever else the machine did"
    )
    print(f"  {used.ru_maxrss / 1024:.0f} MB of memory at most")


if __name__ == "__main__":
    main()
