"""New policies come into force in custody, on the record and here, in this order; whatever goes wrong, the old ones stay."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from tests.unit.signing.desks import TestClock
from vaultsigner.audit.entries import Control
from vaultsigner.config.settings import Settings
from vaultsigner.errors import AuditError, CustodyError
from vaultsigner.policy import PolicySet
from vaultsigner.policy import load as load_policies
from vaultsigner.signing.policies import PolicyKeeper
from vaultsigner.signing.policy_files import RESTLESS_SECONDS, look_of

ALLOW = "version: 1\nrules:\n  - {id: all, effect: allow}\n"
DENY = ALLOW.replace("allow", "deny")
BAD = ALLOW.replace("allow", "alow")


@dataclass
class Outside:
    """A policy directory, custody, and the record; each can fail. `happened` is what they saw, in order."""

    directory: Path
    happened: list[tuple[str, Any]] = field(default_factory=list)
    custody_fails: CustodyError | None = None
    record_fails: bool = False
    connected: bool = True
    hellos: int = 1
    keeper: PolicyKeeper = field(init=False)
    wallets: dict[str, Any] = field(default_factory=dict)
    users: dict[str, Any] = field(default_factory=dict)
    clients: dict[str, Any] = field(default_factory=dict)
    exchanges: dict[str, Any] = field(default_factory=dict)
    open_api: dict[str, Any] = field(default_factory=dict)
    problem_while_recording: str | None = None
    named: str | None = None
    clock: TestClock = field(default_factory=TestClock)

    @property
    def policies(self) -> Path:
        """As in `Settings`."""
        return self.directory

    async def load_policies(self, digest: str) -> None:
        """As in `CustodyClient`."""
        self.happened.append(("custody", digest))
        if self.custody_fails is not None:
            raise self.custody_fails

    async def record(self, entry: Control) -> None:
        """As in `Recorder`."""
        if self.record_fails:
            raise AuditError("the disk is full")
        self.happened.append((entry.event, dict(entry.details)))
        assert entry.policy == self.named == self.keeper.current.digest
        if entry.event == "reload":
            assert self.keeper.current.digest == entry.details["from"], "on the record before it is in force"
            self.problem_while_recording = self.keeper.problem

    def name_policy(self, digest: str) -> None:
        """As in `Recorder`."""
        self.named = digest

    def write(self, text: str, name: str = "policy.yml") -> str:
        """A policy file; the digest of what lies there then, where that is usable."""
        (self.directory / name).write_text(text)
        return load_policies(self.directory).digest if text != BAD else ""

    def events(self) -> list[str]:
        """What happened since the last look."""
        events = [event for event, _ in self.happened]
        self.happened.clear()
        return events

    async def settle(self) -> None:
        """What the second look at the same files does."""
        look = await self.keeper.keep_up(())
        await self.keeper.keep_up(look)


def keeper_of(outside: Outside, **options: Any) -> PolicyKeeper:
    """The real one, with all of the outside in the places of others."""
    parts = cast(Any, outside)
    return PolicyKeeper(cast(Settings, parts), parts, parts, outside.clock, **options)


@pytest.fixture
async def outside(tmp_path: Path) -> Outside:
    """In force: everything is allowed; custody agrees."""
    found = Outside(tmp_path)
    found.write(ALLOW)
    found.keeper = keeper_of(found)
    await found.settle()
    assert found.events() == ["custody"]
    return found


async def test_custody_comes_first_then_the_record_then_this_process(outside: Outside) -> None:
    old, new = outside.keeper.current.digest, outside.write(DENY)
    await outside.keeper.reload("SIGHUP")
    assert outside.happened == [
        ("custody", new),
        ("reload", {"why": "SIGHUP", "from": old, "to": new}),
    ]
    assert (outside.keeper.current.digest, outside.named, outside.keeper.problem) == (new, new, None)


async def test_files_that_stay_as_they_are_cost_nothing(outside: Outside) -> None:
    await outside.settle()
    await outside.settle()
    assert outside.events() == []


async def test_a_bad_file_keeps_the_old_set_and_is_told_once(outside: Outside) -> None:
    old = outside.keeper.current
    outside.write(BAD)
    for _ in range(3):
        await outside.settle()
    assert outside.events() == ["reload_refused"], "custody is not even asked"
    assert outside.keeper.current is old
    assert outside.keeper.problem
    assert "policy.yml:3:" in outside.keeper.problem
    assert outside.keeper.problem.endswith(f"{old.digest} stays in force")


async def test_mending_a_bad_file_is_on_the_record_even_where_nothing_changed(outside: Outside) -> None:
    outside.write(BAD)
    await outside.settle()
    outside.write(ALLOW)
    await outside.settle()
    assert outside.events() == ["reload_refused", "custody", "reload"]
    assert outside.problem_while_recording is not None, "told until all is done"
    assert outside.keeper.problem is None


async def test_a_file_that_is_half_written_is_left_alone(outside: Outside) -> None:
    """Its first half allows everything; what denies comes at the end."""
    old = outside.keeper.current
    look = await outside.keeper.keep_up(())
    for number in range(5):
        outside.write(ALLOW + "#" * number)
        look = await outside.keeper.keep_up(look)
    assert outside.keeper.current is old
    new = outside.write(DENY)
    look = await outside.keeper.keep_up(look)
    assert outside.events() == []
    await outside.keeper.keep_up(look)
    assert outside.keeper.current.digest == new


async def restless(outside: Outside, seconds: int) -> None:
    """A file that is another one at every look, one look a second."""
    look = look_of(outside.directory)
    for number in range(seconds + 1):
        outside.write(DENY.replace("all", "busy") + "#" * number, "busy.yml")
        look = await outside.keeper.keep_up(look)
        outside.clock.now_ms += 1000
    outside.clock.now_ms -= 1000


async def test_files_that_never_rest_are_told_and_stay_out_of_force(outside: Outside) -> None:
    old = outside.keeper.current
    began = "2026-09-21T14:13:20.000Z"
    await restless(outside, int(RESTLESS_SECONDS) - 1)
    assert outside.keeper.problem is None, "files may take their time to be written"
    outside.clock.now_ms += 1000
    problem = str(outside.keeper.problem)
    assert problem.startswith(f"files have been changing since {began} (at the last look: 'busy.yml')")
    assert problem.endswith(f"; {old.digest} stays in force")
    assert (outside.keeper.current, outside.events()) == (old, [])


async def test_it_is_told_no_more_once_they_have_rested(outside: Outside) -> None:
    await restless(outside, 60)
    assert outside.keeper.problem is not None
    await outside.keeper.keep_up(look_of(outside.directory))
    assert outside.keeper.problem is None
    assert outside.events() == ["custody", "reload"]
    await restless(outside, 4)
    assert outside.keeper.problem is None, "counted from the beginning of this unrest"


async def test_it_is_over_where_in_the_end_nothing_has_changed(outside: Outside) -> None:
    await restless(outside, 60)
    (outside.directory / "busy.yml").unlink()
    await outside.settle()
    assert (outside.keeper.problem, outside.events()) == (None, [])


async def test_a_hang_up_ends_the_wait(outside: Outside) -> None:
    await restless(outside, 60)
    await outside.keeper.reload("SIGHUP")
    assert outside.events() == ["custody", "reload"]
    assert outside.keeper.problem is None


async def test_a_bad_file_is_told_beside_the_unrest(outside: Outside) -> None:
    outside.write(BAD, "bad.yml")
    await outside.settle()
    (outside.directory / "bad.yml").unlink()
    await restless(outside, 60)
    problem = str(outside.keeper.problem)
    assert problem.startswith("files have been changing since ")
    assert "bad.yml:3:" in problem


async def test_a_directory_that_comes_and_goes_is_unrest_too(outside: Outside) -> None:
    elsewhere, look = outside.directory.with_name("elsewhere"), look_of(outside.directory)
    for number in range(8):
        here, there = (outside.directory, elsewhere)[:: 1 if number % 2 == 0 else -1]
        here.rename(there)
        look = await outside.keeper.keep_up(look)
        outside.clock.now_ms += 1000
    assert "files have been changing" in str(outside.keeper.problem)


async def test_what_is_no_policy_file_does_not_disturb(outside: Outside) -> None:
    new = outside.write(DENY)
    look = await outside.keeper.keep_up(())
    (outside.directory / "README").write_text("editors come and go")
    (outside.directory / ".desk.yml.swp").write_text("here, too")
    await outside.keeper.keep_up(look)
    assert outside.keeper.current.digest == new


async def test_without_a_record_nothing_comes_into_force(outside: Outside) -> None:
    old, new = outside.keeper.current, outside.write(DENY)
    outside.record_fails = True
    await outside.settle()
    assert outside.keeper.current is old
    assert "audit_unavailable: the disk is full" in str(outside.keeper.problem)
    outside.record_fails = False
    await outside.settle()
    assert outside.keeper.current.digest == new
    assert outside.keeper.problem is None
    assert outside.events()[-1] == "reload"


async def test_a_refusal_that_could_not_be_recorded_is_recorded_later(outside: Outside) -> None:
    outside.record_fails = True
    outside.write(BAD)
    await outside.settle()
    outside.record_fails = False
    await outside.keeper.reload("SIGHUP")
    await outside.keeper.reload("SIGHUP")
    assert outside.events() == ["reload_refused"]


@pytest.mark.parametrize(
    "code", ["custody_unavailable", "policy_mismatch", "policy_unusable", "internal_error"]
)
async def test_without_custody_nothing_comes_into_force_until_it_agrees(outside: Outside, code: str) -> None:
    old, new = outside.keeper.current, outside.write(DENY)
    outside.custody_fails = CustodyError(code, "not now")
    for _ in range(3):
        await outside.settle()
    assert outside.events() == ["custody", "reload_refused", "custody", "custody"]
    assert outside.keeper.current is old
    assert f"{code}: not now" in str(outside.keeper.problem)
    outside.custody_fails = None
    await outside.settle()
    assert outside.keeper.current.digest == new
    assert outside.events() == ["custody", "reload"]


async def test_going_back_after_custody_went_ahead_brings_it_back_too(outside: Outside) -> None:
    """Its answer was lost: nobody knows whether it applies the new set."""
    old, new = outside.keeper.current, outside.write(DENY)
    outside.custody_fails = CustodyError("custody_unavailable", "it ended before it answered")
    await outside.settle()
    outside.custody_fails = None
    outside.write(ALLOW)
    await outside.settle()
    asked = [digest for event, digest in outside.happened if event == "custody"]
    assert asked == [new, old.digest]
    assert outside.keeper.problem is None


async def test_a_custody_that_began_anew_is_asked_for_the_set_in_force(outside: Outside) -> None:
    outside.hellos += 1
    outside.connected = False
    await outside.settle()
    assert outside.events() == [], "it is not there yet"
    outside.connected = True
    await outside.settle()
    await outside.settle()
    assert outside.happened == [("custody", outside.keeper.current.digest)]


async def test_a_loader_that_breaks_keeps_the_old_set_and_is_told(outside: Outside) -> None:
    broken = False

    def load(directory: Path) -> PolicySet:
        if broken:
            raise RecursionError("of what a file says: s3cret")
        return load_policies(directory)

    outside.keeper = keeper_of(outside, load=load)
    old, broken = outside.keeper.current, True
    await outside.keeper.reload("SIGHUP")
    assert outside.keeper.current is old
    assert "RecursionError" in str(outside.keeper.problem)
    assert "s3cret" not in str(outside.keeper.problem)


async def test_a_change_while_the_files_are_read_is_not_missed(outside: Outside) -> None:
    def load(directory: Path) -> PolicySet:
        found = load_policies(directory)
        if not done:
            done.append(outside.write(DENY))
        return found

    done = ["at the start nothing happens"]
    outside.keeper = keeper_of(outside, load=load)
    done.clear()
    await outside.keeper.reload("SIGHUP")
    assert outside.keeper.current.digest != done[0]
    await outside.settle()
    assert outside.keeper.current.digest == done[0]


async def test_a_long_list_of_mistakes_is_cut_short_for_readiness(outside: Outside) -> None:
    rules = "".join(f"  - {{id: r{number}, effect: alow}}\n" for number in range(500))
    outside.write(BAD)
    (outside.directory / "policy.yml").write_text("version: 1\nrules:\n" + rules)
    await outside.keeper.reload("SIGHUP")
    assert len(str(outside.keeper.problem)) < 1200
    assert str(outside.keeper.problem).isprintable()


def change(path: Path) -> None:
    path.write_text(path.read_text().replace("allow", "alloy"))


def change_and_set_the_clock_back(path: Path) -> None:
    """The same size, and the time of the change made to look as before."""
    before = path.stat()
    change(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def replace_with_a_copy(path: Path) -> None:
    before = path.stat()
    other = path.with_name(".new")
    other.write_text(path.read_text().replace("allow", "alloy"))
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(path)


def add(path: Path) -> None:
    path.with_name("another.yml").write_text("")


def remove(path: Path) -> None:
    path.unlink()


def remove_all(path: Path) -> None:
    path.parent.rename(path.parent.with_name("elsewhere"))


def rename(path: Path) -> None:
    path.rename(path.with_name("0.yml"))


def repoint(path: Path) -> None:
    """As a mounted ConfigMap changes: the files are links through a hidden link, which alone is replaced."""
    new = path.parent / "..version-2"
    new.mkdir()
    (new / "linked.yml").write_text(DENY)
    link = path.parent / "..new"
    link.symlink_to(new)
    link.replace(path.parent / "..data")


@pytest.mark.parametrize(
    "happens",
    [change, change_and_set_the_clock_back, replace_with_a_copy, add, remove, remove_all, rename, repoint],
)
def test_no_change_of_the_files_goes_unseen(tmp_path: Path, happens: Any) -> None:
    directory = tmp_path / "policies"
    first = directory / "..version-1"
    first.mkdir(parents=True)
    (first / "linked.yml").write_text(ALLOW)
    (directory / "..data").symlink_to(first)
    (directory / "linked.yml").symlink_to("..data/linked.yml")
    path = directory / "policy.yml"
    path.write_text(ALLOW)
    before = look_of(directory)
    assert look_of(directory) == before
    happens(path)
    assert look_of(directory) != before
