"""What a decision costs with 10, 1,000 and 10,000 rules: `python -m benchmarks.policies`. The index must keep it flat."""

import argparse
import statistics
import sys
import time
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory

from vaultsigner.domain.circumstances import Circumstances
from vaultsigner.domain.intents import Intent
from vaultsigner.domain.names import Operation
from vaultsigner.domain.principals import Principal
from vaultsigner.policy import PolicySet, load

SIZES = (10, 1_000, 10_000)
MOST = 3.0
"""How many times dearer the largest set may be than the smallest."""
RULES_OF_A_FILE = 2_000
BATCHES = 30
FRESH_BATCHES = 5
CALLS = 300
_HEADER = """version: 1
lists: {majors: [BTCUSDT, ETHUSDT, BNBUSDT]}
rules:
  - id: NAME-no-large-orders
    effect: deny
    operations: [exchange.order]
    targets: [exchange:NAME]
    when: {notional: {above: "50000"}}
"""
_RULE = """  - id: desk-NUMBER
    effect: allow
    principals: [user:trader-NUMBER, client:bot-NUMBER]
    targets: [wallet:wallet_NUMBER, exchange:account-NUMBER]
    operations: [order.*, cancel_order.*, exchange.order, exchange.cancel, exchange.query]
    when:
      symbol: {in: $majors}
      notional: {max: "10000"}
      ip: {in: [10.0.0.0/8]}
      time: {days: mon-fri, from: "08:00", to: "18:00", zone: Europe/Zurich}
    limits:
      - {count: 60, every: 1m, per: principal}
      - {sum: notional, max: "250000", every: 24h, per: target}
"""
WORKING_HOURS = Circumstances(ip_address("10.1.2.3"), datetime(2026, 11, 20, 9, 30, tzinfo=UTC))
ITEM = {"symbol": "BTCUSDT", "side": "buy", "price": "97000.10", "quantity": "0.05"}


def policy_set(size: int, directory: Path) -> PolicySet:
    """So many rules, one for each desk and a deny rule a file, read from files as they are in service."""
    for number, first in enumerate(range(0, size, RULES_OF_A_FILE)):
        rules = range(first + 1, min(first + RULES_OF_A_FILE, size))
        header = _HEADER.replace("NAME", f"f{number}")
        if number:
            header = header.replace("lists: {majors: [BTCUSDT, ETHUSDT, BNBUSDT]}\n", "")
        text = header + "".join(_RULE.replace("NUMBER", str(rule)) for rule in rules)
        (directory / f"{number:04}.yml").write_text(text)
    return load(directory)


def time_each(policies: list[PolicySet], *, fresh: bool) -> list[float]:
    """Microseconds a decision, for each set; measured in turns, so that a busy moment hits all alike.

    Args:
        fresh: for callers that a set has not met before, whose rules it must look up; else for ones that ask again and again.
    """
    found: list[list[float]] = [[] for _ in policies]
    for _ in range(FRESH_BATCHES if fresh else BATCHES):
        for number, known in enumerate(policies):
            policy = PolicySet(known.digest, known.rules) if fresh else known
            names = _names(len(policy.rules))
            requests = [_request(*each) for each in (dict.fromkeys(names) if fresh else names)]
            started = time.perf_counter()
            for principal, intent in requests:
                policy.evaluate(principal, intent, WORKING_HOURS)
            found[number].append((time.perf_counter() - started) / len(requests))
    return [statistics.median(batches) * 1e6 for batches in found]


def _names(size: int) -> list[tuple[int, int]]:
    """Desks from all over the set, and the account each asks for; every third is refused, because it is another desk's."""
    names = []
    for call in range(CALLS):
        desk = 1 + call * 7919 % (size - 2)
        another = call % 3 == 0 and desk % RULES_OF_A_FILE != RULES_OF_A_FILE - 1
        names.append((desk, desk + 1 if another else desk))
    return names


def _request(desk: int, account: int) -> tuple[Principal, Intent]:
    return (
        Principal("client", f"bot-{desk}"),
        Intent(Operation("exchange.order"), f"exchange:account-{account}", (ITEM,)),
    )


def main() -> None:
    """Measure and show; ends with 1 where the largest set is too dear."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.policies", description=__doc__)
    parser.parse_args()
    sets = []
    for size in SIZES:
        with TemporaryDirectory(prefix="vaultsigner-policies-") as directory:
            started = time.perf_counter()
            sets.append(policy_set(size, Path(directory)))
            print(f"{size:>7,} rules read in {time.perf_counter() - started:.2f} s")
    for who, fresh in (("asks again and again", False), ("asks for the first time", True)):
        print(f"A caller who {who}:")
        costs = time_each(sets, fresh=fresh)
        for size, cost in zip(SIZES, costs, strict=True):
            print(
                f"{size:>7,} rules: {cost:6.1f} µs a decision, {cost / costs[0]:.2f} times that of {SIZES[0]}"
            )
        if costs[-1] > MOST * costs[0]:
            sys.exit(f"the index does not hold: more than {MOST:g} times")


if __name__ == "__main__":
    main()
