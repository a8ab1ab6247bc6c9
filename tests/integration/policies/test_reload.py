"""Policies change while the real processes run: both switch or neither, no request sees two sets, a bad set changes nothing."""

import itertools
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.adversarial.bots import Attempt, ask
from tests.adversarial.desk import private_key_wallet, running_desk, transfer
from tests.patience import PATIENCE_SECONDS, wait_until
from tests.standstill import standing_still, stop
from tests.world import USERNAME, World
from vaultsigner.dev.records import Record
from vaultsigner.domain.circumstances import Circumstances
from vaultsigner.domain.intents import Intent
from vaultsigner.domain.names import Operation
from vaultsigner.domain.principals import Principal
from vaultsigner.policy import PolicySet
from vaultsigner.policy import load as load_policies

WALLETS = (private_key_wallet("one"), private_key_wallet("two"))
BOTS = [(wallet.name, verb) for wallet in WALLETS for verb in ("sign", "broadcast")]


def up_to(units: int, name: str) -> str:
    """A policy file: transfers of at most so many units, by a rule of this name."""
    amount = Decimal(units) / 10**8
    return (
        "version: 1\nrules:\n"
        f'  - {{id: {name}, effect: allow, operations: [transfer.*], when: {{amount: {{max: "{amount:f}"}}}}}}\n'
    )


ONE, FIVE = up_to(1, "up-to-one"), up_to(5, "up-to-five")
LETS_FIVE_BUT_NOT_ONE = up_to(9, "all").rstrip() + (
    '\n  - {id: not-one, effect: deny, operations: [transfer.*], when: {amount: {max: "0.00000001"}}}\n'
)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with running_desk(tmp_path / "world", *WALLETS, policy=ONE) as running:
        running.token()
        yield running


def policy_file(world: World) -> Path:
    return world.installation.settings.policies / "policy.yml"


def put(world: World, text: str) -> None:
    """In one step, as whoever deploys files should."""
    file = policy_file(world)
    new = file.with_name(".new")
    new.write_text(text)
    new.replace(file)


def hang_up(world: World) -> None:
    os.kill(world.service.launcher_pid, signal.SIGHUP)


def signs(world: World, units: int) -> int:
    """The status that a transfer of so many units gets."""
    return world.post("/api/transfer/sign", transfer("one", units)).status


def readiness(world: World) -> tuple[int, Any]:
    """Without what it says of wallets, and of the record, whose checkpoints miss custody, too."""
    answer = requests.get(world.service.ops_url + "/readyz", timeout=PATIENCE_SECONDS)
    told = answer.json()
    told.pop("wallets")
    others = [each for each in told.pop("warnings", []) if not each.startswith("audit: ")]
    return answer.status_code, {**told, **({"warnings": others} if others else {})}


def warnings(world: World) -> list[str]:
    """What /readyz warns of."""
    found: list[str] = readiness(world)[1].get("warnings", [])
    return found


def changes(world: World) -> list[Record]:
    """What the record says of policies."""
    return [
        {"event": record["event"], **record["details"]}
        for record in world.records()
        if record["kind"] == "control" and record["event"].startswith("reload")
    ]


def reloads(world: World) -> int:
    """How often the files have been read, for better or worse."""
    log = world.service.log.read_text()
    return log.count('"policies reloaded"') + log.count('"policies not reloaded"')


def digest(world: World) -> str:
    return load_policies(world.installation.settings.policies).digest


def test_a_hang_up_puts_new_files_in_force_in_both_processes(world: World) -> None:
    old = digest(world)
    processes = (world.service.server_pid, world.service.custody_pid)
    assert [signs(world, units) for units in (1, 5)] == [200, 403]
    put(world, LETS_FIVE_BUT_NOT_ONE)
    hang_up(world)
    wait_until(lambda: signs(world, 5) == 200, "the new files are in force")
    assert signs(world, 1) == 403
    assert changes(world) == [{"event": "reload", "why": "SIGHUP", "from": old, "to": digest(world)}]
    assert (world.service.server_pid, world.service.custody_pid) == processes
    assert readiness(world) == (200, {"status": "ready", "problems": []})


def test_changed_files_come_into_force_by_themselves(world: World) -> None:
    old = digest(world)
    put(world, FIVE)
    wait_until(lambda: signs(world, 5) == 200, "the new files are in force")
    assert changes(world) == [{"event": "reload", "why": "files changed", "from": old, "to": digest(world)}]
    (policy_file(world).parent / "more.yml").write_text(
        "version: 1\nrules:\n  - {id: closed, effect: deny, targets: [wallet:one]}\n"
    )
    wait_until(lambda: signs(world, 5) == 403, "the file that came is in force")
    (policy_file(world).parent / "more.yml").unlink()
    wait_until(lambda: signs(world, 5) == 200, "the file that went is not in force")
    assert [change["event"] for change in changes(world)] == ["reload"] * 3


def mistake(file: Path) -> None:
    file.write_text(FIVE.replace("allow", "alow"))


def no_yaml(file: Path) -> None:
    file.write_bytes(b"\xff\xfe\0: [")


def bomb(file: Path) -> None:
    file.write_text("a: &a [x, x]\nb: &b [*a, *a]\nversion: 1\nrules: *b\n")


def nesting(file: Path) -> None:
    file.write_text("version: 1\nrules: " + "[" * 5000 + "]" * 5000 + "\n")


def ten_megabytes(file: Path) -> None:
    file.write_text(FIVE + "# a long comment\n" * 600_000)


def the_same_rule_twice(file: Path) -> None:
    file.with_name("other.yml").write_text(ONE)


def another_ending(file: Path) -> None:
    file.with_name("deny.yaml").write_text("version: 1\nrules:\n  - {id: no, effect: deny}\n")


def no_file(file: Path) -> None:
    file.unlink()


def no_directory(file: Path) -> None:
    file.parent.rename(file.parent.with_name("gone"))


def a_directory_in_its_place(file: Path) -> None:
    file.unlink()
    file.mkdir()


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running_desk(tmp_path_factory.mktemp("bad") / "world", *WALLETS, policy=ONE) as running:
        yield running


@pytest.mark.parametrize(
    "spoil",
    [
        *(mistake, no_yaml, bomb, nesting, ten_megabytes, the_same_rule_twice, another_ending, no_file),
        *(no_directory, a_directory_in_its_place),
    ],
)
def test_a_bad_set_changes_nothing_and_is_told_until_it_is_mended(
    lasting: World, spoil: Callable[[Path], None]
) -> None:
    world, file = lasting, policy_file(lasting)
    old, known = digest(world), len(changes(world))
    spoil(file)
    hang_up(world)
    wait_until(lambda: warnings(world), "readiness tells of it")
    status, told = readiness(world)
    assert (status, told["status"], told["problems"]) == (200, "ready", [])
    (warning,) = told["warnings"]
    assert warning.startswith("policy: ")
    assert warning.endswith(f"; {old} stays in force")
    assert str(file.parent) in warning
    assert [signs(world, units) for units in (1, 5)] == [200, 403]
    hang_up(world)
    time.sleep(0.3)
    (refused,) = changes(world)[known:]
    assert (refused["event"], refused["why"], refused["from"]) == ("reload_refused", "SIGHUP", old)
    assert refused["problem"].split("\n")[0][:200] in warning
    mend(file)
    hang_up(world)
    wait_until(lambda: not warnings(world), "readiness is good again")
    assert [change["event"] for change in changes(world)[known:]] == ["reload_refused", "reload"]
    assert [signs(world, units) for units in (1, 5)] == [200, 403]


def mend(file: Path) -> None:
    """Exactly what was there before."""
    gone = file.parent.with_name("gone")
    if gone.exists():
        gone.rename(file.parent)
    if file.is_dir():
        file.rmdir()
    for other in file.parent.iterdir():
        other.unlink()
    file.write_text(ONE)


def test_a_bad_file_that_nobody_hangs_up_for_is_told_and_mended_all_the_same(world: World) -> None:
    mistake(policy_file(world))
    wait_until(lambda: warnings(world), "readiness tells of it")
    assert "policy.yml:3:" in warnings(world)[0]
    time.sleep(2.5)
    assert [change["event"] for change in changes(world)] == ["reload_refused"], "told once, not each second"
    put(world, FIVE)
    wait_until(lambda: signs(world, 5) == 200, "the mended file is in force")
    assert warnings(world) == []


def test_a_file_that_is_written_bit_by_bit_is_never_in_force_by_half(world: World) -> None:
    """Its beginning allows what its end forbids."""
    beginning, end = LETS_FIVE_BUT_NOT_ONE.replace("0.00000001", "0.00000005").split("  - {id: not-one", 1)

    def write() -> None:
        with policy_file(world).open("w") as file:
            file.write(beginning)
            for number in range(400):
                file.write(f"# {number}\n")
                file.flush()
                time.sleep(0.01)
            file.write("  - {id: not-one" + end)

    # In a thread of its own: to the service, a writer that paused for a second would be one that has finished.
    writing = threading.Thread(target=write)
    writing.start()
    while writing.is_alive():
        assert signs(world, 5) == 403
    writing.join()
    wait_until(lambda: signs(world, 6) == 200, "the whole file is in force")
    assert signs(world, 5) == 403
    assert [change["event"] for change in changes(world)] == ["reload"]


@dataclass
class Load:
    """Bots that sign and broadcast transfers, small ones and larger ones, and never ask twice."""

    world: World
    attempts: list[Attempt] = field(default_factory=list)
    units: dict[str, int] = field(default_factory=dict)
    answered: Counter[tuple[str, str]] = field(default_factory=Counter)

    @contextmanager
    def running(self) -> Iterator["Load"]:
        stop = threading.Event()
        token = self.world.token()
        bots = [
            threading.Thread(target=self._work, args=(wallet, verb, token, stop)) for wallet, verb in BOTS
        ]
        for bot in bots:
            bot.start()
        try:
            yield self
        finally:
            stop.set()
            for bot in bots:
                bot.join()

    def wait_for_more(self, count: int = 2) -> None:
        """Until each bot has had so many more answers: of two, the second is to a request that was made after now."""
        known = dict(self.answered)
        wait_until(
            lambda: all(self.answered[bot] >= known.get(bot, 0) + count for bot in BOTS),
            "requests are answered",
        )

    def _work(self, wallet: str, verb: str, token: str, stop: threading.Event) -> None:
        for units in itertools.cycle((1, 5)):
            attempt = ask(self.world.url, f"/api/transfer/{verb}", transfer(wallet, units), token)
            self.attempts.append(attempt)
            self.units[attempt.request_id] = units
            self.answered[wallet, verb] += 1
            if stop.is_set():
                return


def check(load: Load, sets: dict[str, PolicySet], *, lost: frozenset[int] = frozenset()) -> Counter[str]:
    """Each answer follows from the one set that its record names; how many were decided under each.

    Args:
        lost: statuses other than a decision's that are to be expected.
    """
    decided: Counter[str] = Counter()
    records: dict[str, list[Record]] = {}
    for record in load.world.records():
        records.setdefault(str(record.get("request_id")), []).append(record)
    for attempt in load.attempts:
        found = records.get(attempt.request_id, [])
        intents = [record for record in found if record["kind"] == "intent"]
        if attempt.status in lost and not intents:
            continue
        assert len(intents) == 1, (attempt, found)
        said = intents[0]["decision"]
        assert {record.get("policy", said["policy"]) for record in found} == {said["policy"]}, found
        policies = sets[said["policy"]]
        decision = policies.evaluate(*asked(attempt, load.units[attempt.request_id], intents[0]))
        assert (said["effect"], said["rule"]) == (decision.effect, decision.rule)
        if attempt.status in lost:
            continue
        decided[policies.digest] += 1
        assert attempt.status == (200 if decision.allowed else 403), (attempt, found)
        outcomes = [record["code"] for record in found if record["kind"] == "outcome"]
        assert outcomes == ["ok" if decision.allowed else "policy_denied"]
        if decision.allowed:
            header = attempt.headers["X-Vaultsigner-Decision"]
            short = policies.digest.removeprefix("sha256:")[:12]
            assert header.startswith(f"rule={decision.rule}; policy={short}; ")
    return decided


def asked(attempt: Attempt, units: int, intent: Record) -> tuple[Principal, Intent, Circumstances]:
    """What a bot asked for, from its own words alone."""
    operation = Operation(attempt.path.removeprefix("/api/").replace("/", "."))
    amount = f"{Decimal(units) / 10**8:f}"
    item = {"amount": amount, "symbol": "BNB"}
    now = datetime.now(UTC)
    return (
        Principal("user", USERNAME),
        Intent(operation, f"wallet:{intent['wallet']}", (item,), ""),
        Circumstances(ip_address("127.0.0.1"), now),
    )


@pytest.fixture
def sets(tmp_path: Path) -> dict[str, PolicySet]:
    """Three that differ in what they allow, by digest."""
    found = {}
    for number, text in enumerate((ONE, FIVE, LETS_FIVE_BUT_NOT_ONE)):
        directory = tmp_path / f"set-{number}"
        directory.mkdir()
        (directory / "policy.yml").write_text(text)
        policies = load_policies(directory)
        found[policies.digest] = policies
    return found


def test_under_load_no_request_is_lost_and_none_sees_two_policies(
    world: World, sets: dict[str, PolicySet]
) -> None:
    with Load(world).running() as load:
        for number, text in zip(
            range(24), itertools.cycle((FIVE, LETS_FIVE_BUT_NOT_ONE, ONE, "nonsense")), strict=False
        ):
            put(world, text)
            hang_up(world)
            wait_until(lambda: reloads(world) > number, "the files have been read")  # noqa: B023 - used at once
            load.wait_for_more()  # custody keeps one set for what is on its way while it changes, no more
    decided = check(load, sets)
    print("requests under each of the sets:", sorted(decided.values()))
    assert len(decided) == 3
    assert min(decided.values()) > 20
    events = Counter(change["event"] for change in changes(world))
    assert events["reload"] >= 15
    assert events["reload_refused"] >= 4


def test_custody_killed_before_it_has_answered_leaves_the_old_set_until_both_have_the_new(
    world: World,
) -> None:
    old = digest(world)
    custody = world.service.custody_pid
    stop(custody)
    put(world, LETS_FIVE_BUT_NOT_ONE)
    new = digest(world)
    hang_up(world)
    wait_until(lambda: '"reloading"' in world.service.log.read_text(), "the launcher hands the signal on")
    time.sleep(2.0)  # the question waits in the socket of a process that stands still
    assert changes(world) == []
    os.kill(custody, signal.SIGKILL)
    wait_until(lambda: signs(world, 5) == 200, "the new files are in force")
    assert signs(world, 1) == 403
    refused, reloaded = changes(world)
    assert (refused["event"], reloaded["event"]) == ("reload_refused", "reload")
    assert refused["problem"].startswith("custody_unavailable: ")
    assert (reloaded["from"], reloaded["to"]) == (old, new)
    assert readiness(world) == (200, {"status": "ready", "problems": []})


def test_custody_killed_again_and_again_in_the_midst_of_reloads_mixes_nothing(
    world: World, sets: dict[str, PolicySet]
) -> None:
    """Some requests are answered 503, and those that are answered otherwise follow from one set."""
    texts = itertools.cycle((FIVE, LETS_FIVE_BUT_NOT_ONE, ONE))
    with Load(world).running() as load:
        for number in range(6):
            put(world, next(texts))
            hang_up(world)
            time.sleep(number * 0.004)
            os.kill(world.service.custody_pid, signal.SIGKILL)
            wait_until(lambda: digest(world) == in_force(world), "the new files are in force")
            load.wait_for_more(3)
    decided = check(load, sets, lost=frozenset({503}))
    print("answers:", Counter(attempt.status for attempt in load.attempts), sorted(decided.values()))
    assert len(decided) == 3
    assert {attempt.status for attempt in load.attempts} <= {200, 403, 503}


def in_force(world: World) -> str | None:
    """What the last request that was decided was decided under, once the service is ready again."""
    if readiness(world)[0] != 200:
        return None
    answer = world.post("/api/transfer/sign", transfer("one", 1))
    if answer.status not in (200, 403):
        return None
    (intent,) = (each for each in world.records(answer.request_id) if each["kind"] == "intent")
    return str(intent["decision"]["policy"])


def test_custody_killed_while_the_files_are_bad_signs_nothing_until_they_are_mended(world: World) -> None:
    """It has no other word for what may be signed than the files."""
    mistake(policy_file(world))
    os.kill(world.service.custody_pid, signal.SIGKILL)
    wait_until(lambda: warnings(world), "readiness tells of it")
    answer = world.post("/api/transfer/sign", transfer("one", 1))
    assert (answer.status, answer.body["code"]) == (503, "custody_unavailable")
    assert readiness(world)[0] == 503
    put(world, FIVE)
    wait_until(lambda: signs(world, 5) == 200, "the mended file is in force")
    wait_until(lambda: readiness(world) == (200, {"status": "ready", "problems": []}), "all is well again")


def test_a_custody_that_read_other_files_than_the_server_signs_nothing_until_they_agree(
    world: World,
) -> None:
    """Killed while a file lay there that was gone before the server looked again."""
    server, other = world.service.server_pid, policy_file(world).with_name("other.yml")
    with standing_still(server):
        other.write_text("version: 1\nrules:\n  - {id: anything, effect: allow}\n")
        os.kill(world.service.custody_pid, signal.SIGKILL)
        wait_until(lambda: world.service.log.read_text().count("custody_ready") == 2, "custody is back")
        other.unlink()
    assert signs(world, 5) == 403
    first = signs(world, 1)
    assert first in (200, 503)
    print("at once:", first)
    wait_until(lambda: signs(world, 1) == 200, "both processes agree")
    assert signs(world, 5) == 403
    assert readiness(world) == (200, {"status": "ready", "problems": []})
    assert changes(world) == []
