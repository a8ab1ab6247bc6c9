"""Custody's policy sets, under a server that asks for whatever suits it."""

import asyncio
from pathlib import Path

import pytest

from vaultsigner.custody.policy_sets import KEPT_SECONDS, PolicySets
from vaultsigner.errors import ConfigError, CustodyError
from vaultsigner.policy import PolicySet

DIRECTORY = Path("/policies")
OLD, NEW, NEWEST = (PolicySet(f"sha256:{letter * 64}", ()) for letter in "abc")


class Disk:
    """What lies in the directory, and how often it was read; and the time."""

    def __init__(self) -> None:
        self.holds: PolicySet | Exception = NEW
        self.reads = 0
        self.now = 1000.0
        self.sets = PolicySets(DIRECTORY, OLD, load=self._load, clock=lambda: self.now)

    def _load(self, directory: Path) -> PolicySet:
        assert directory == DIRECTORY
        self.reads += 1
        if isinstance(self.holds, Exception):
            raise self.holds
        return self.holds

    async def put(self, policies: PolicySet) -> None:
        """In the directory, and in force."""
        self.holds = policies
        await self.sets.load(policies.digest)

    async def code_of_loading(self, digest: str) -> str | None:
        try:
            await self.sets.load(digest)
        except CustodyError as error:
            return error.code
        return None

    def code_of(self, policies: PolicySet) -> str | None:
        try:
            assert self.sets.of(policies.digest) is policies
        except CustodyError as error:
            return error.code
        return None


@pytest.fixture
def disk() -> Disk:
    return Disk()


async def test_requests_on_their_way_are_decided_under_the_set_they_began_with(disk: Disk) -> None:
    await disk.put(NEW)
    assert disk.sets.current is NEW
    disk.now += KEPT_SECONDS - 0.001
    assert [disk.code_of(each) for each in (OLD, NEW, NEWEST)] == [None, None, "policy_mismatch"]


async def test_the_set_before_is_no_way_around_the_new_one_for_long(disk: Disk) -> None:
    await disk.put(NEW)
    disk.now += KEPT_SECONDS
    assert disk.code_of(OLD) == "policy_mismatch"


async def test_asking_again_does_not_lengthen_the_life_of_the_set_before(disk: Disk) -> None:
    await disk.put(NEW)
    for _ in range(10):
        disk.now += KEPT_SECONDS / 10
        assert await disk.code_of_loading(NEW.digest) is None
        assert await disk.code_of_loading(OLD.digest) == "policy_mismatch"
    assert disk.code_of(OLD) == "policy_mismatch"


async def test_no_more_than_two_sets_are_good_at_once(disk: Disk) -> None:
    await disk.put(NEW)
    await disk.put(NEWEST)
    assert [disk.code_of(each) for each in (OLD, NEW, NEWEST)] == ["policy_mismatch", None, None]


async def test_a_set_that_the_directory_does_not_hold_cannot_be_asked_for(disk: Disk) -> None:
    for digest in (NEWEST.digest, NEW.digest.upper(), NEW.digest[:-1], "", "*", "sha256:" + "é" * 64):
        assert await disk.code_of_loading(digest) == "policy_mismatch"
    assert [disk.code_of(each) for each in (OLD, NEW)] == [None, "policy_mismatch"]


@pytest.mark.parametrize("digest", ["", "\n" * 10, "x" * 100_000, "é"])
def test_a_digest_that_is_none_is_not_repeated(disk: Disk, digest: str) -> None:
    with pytest.raises(CustodyError) as caught:
        disk.sets.of(digest)
    assert caught.value.code == "policy_mismatch"
    assert len(str(caught.value)) < 300
    assert str(caught.value).isprintable()


async def test_a_directory_that_cannot_be_used_changes_nothing(disk: Disk) -> None:
    disk.holds = ConfigError("policies/policy.yml:3:5: no")
    with pytest.raises(CustodyError, match="3:5") as caught:
        await disk.sets.load(NEW.digest)
    assert caught.value.code == "policy_unusable"
    assert [disk.code_of(each) for each in (OLD, NEW)] == [None, "policy_mismatch"]


async def test_a_loader_that_breaks_changes_nothing(disk: Disk) -> None:
    disk.holds = RecursionError()
    with pytest.raises(RecursionError):
        await disk.sets.load(NEW.digest)
    assert disk.sets.current is OLD
    await disk.put(NEW)
    assert disk.sets.current is NEW


async def test_many_who_ask_at_once_have_the_files_read_once(disk: Disk) -> None:
    await asyncio.gather(*(disk.sets.load(NEW.digest) for _ in range(20)))
    assert disk.reads == 1
    assert disk.code_of(OLD) is None, "the set before is still the one before"


async def test_the_files_are_not_read_for_what_is_in_force(disk: Disk) -> None:
    disk.holds = ConfigError("half written")
    assert await disk.code_of_loading(OLD.digest) is None
    assert disk.reads == 0
