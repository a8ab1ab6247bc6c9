"""`vaultsigner audit` on whole logs of 10,000 records with checkpoints and anchors, as reviewers run it on copies."""

import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.integration.cli.conftest import Bao
from tests.integration.cli.program import Outcome, Program
from tests.unit.audit.long_log import CHAIN, OTHER_CHAIN
from tests.unit.audit.signed_log import (
    ENDS,
    EVERY,
    FILES,
    OURS,
    RECORDS,
    THEIRS,
    signed_log,
    write_anchor,
    write_file,
    write_files,
)
from vaultsigner.audit.anchors.anchor import name_for
from vaultsigner.audit.verifying.trust import read_trust_file, trust_file
from vaultsigner.domain.checkpoints import AnchorDocument

LOG = signed_log()
FORK = signed_log(note="otherwise")
OTHER = signed_log(OTHER_CHAIN, records=2_000)
SIZES = [document.signed.checkpoint.size for document in LOG.anchored]
ALL = ("--trust", "keys.txt", "--anchors", "anchors", "--every", str(EVERY))


@pytest.fixture
def desk(tmp_path: Path) -> Program:
    """A working directory with a log, what its anchor keeps, and a trust file; no configuration."""
    write_files(tmp_path / "audit", LOG.lines)
    write_anchor(tmp_path / "anchors", LOG.anchored)
    (tmp_path / "keys.txt").write_text(trust_file([OURS.key], "the key"))
    return Program(tmp_path)


def document(outcome: Outcome) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(outcome.out)
    return found


def place_of(index: int) -> tuple[str, int]:
    """The file and line of a record."""
    number = next(number for number, end in enumerate(ENDS) if index < end)
    return FILES[number], index - (ENDS[number - 1] if number else 0) + 1


def damage(desk: Program, *more: str) -> dict[str, Any]:
    done = desk.run("audit", "verify", "--json", *ALL, *more)
    assert (done.status, done.err) == (1, "")
    (chain,) = document(done)["chains"]
    found: dict[str, Any] = chain["damage"]
    return found


def test_an_intact_log_says_how_far_it_is_signed_and_anchored(desk: Program) -> None:
    done = desk.run("audit", "verify", *ALL)
    assert (done.status, done.err) == (0, "")
    assert f"{CHAIN}: intact, 10,000 records in 6 files" in done.out
    assert (
        f"records 1 to {SIZES[-1]:,} are signed; {RECORDS - SIZES[-1]:,} after that only chained" in done.out
    )
    assert f"records 1 to {SIZES[-1]:,} are as anchored" in done.out
    assert f"anchor anchors, {CHAIN}: intact, {len(SIZES)} checkpoints up to record {SIZES[-1]:,}" in done.out
    assert f"{len(SIZES) - 1:,} proved to go on from the one before" in done.out
    assert "What came after the last anchored record can have been cut off" in done.out
    reached = f"signed to record {SIZES[-1]:,}, anchored to record {SIZES[-1]:,}"
    assert done.out.splitlines()[-1] == f"VERDICT: intact: 1 chain, 10,000 records, {reached}"
    told = document(desk.run("audit", "verify", "--json", *ALL))
    assert (told["intact"], told["chains"][0]["checkpoints"]["signed"]) == (True, SIZES[-1])
    assert (told["chains"][0]["as_anchored"], told["keys"]) == (SIZES[-1], [str(OURS.key)])


def test_without_a_key_or_an_anchor_it_says_what_is_not_known(desk: Program) -> None:
    done = desk.run("audit", "verify", "--every", str(EVERY))
    assert done.status == 0
    assert (
        f"{len(SIZES)} checkpoints up to record {SIZES[-1]:,}: they fit, and their signatures were not checked"
        in done.out
    )
    assert "A chain by itself does not show" in done.out
    signed = desk.run("audit", "verify", "--key", str(OURS.key), "--every", str(EVERY)).out
    assert "Signatures do not show that a chain's end was cut off" in signed
    assert "A chain by itself" not in signed


def flip(lines: list[bytes], at: int) -> tuple[str, int]:
    line = bytearray(lines[at])
    line[40] ^= 4
    lines[at] = bytes(line)
    return "altered", at


def delete(lines: list[bytes], at: int) -> tuple[str, int]:
    del lines[at]
    return "deleted", at


def insert(lines: list[bytes], at: int) -> tuple[str, int]:
    lines.insert(at, b'{"kind":"control"}\n')
    return "inserted", at


def swap(lines: list[bytes], at: int) -> tuple[str, int]:
    lines[at], lines[at + 1] = lines[at + 1], lines[at]
    return "swapped", at


def duplicate(lines: list[bytes], at: int) -> tuple[str, int]:
    lines.insert(at, lines[at])
    return "duplicated", at + 1


def splice(lines: list[bytes], at: int) -> tuple[str, int]:
    lines[at] = OTHER.lines[at % 2000]
    return "spliced from another chain", at


def splice_history(lines: list[bytes], at: int) -> tuple[str, int]:
    lines[at:] = FORK.lines[at:]
    return "replaced", at


ATTACKS = [flip, delete, insert, swap, duplicate, splice, splice_history]


@pytest.mark.parametrize("sample", range(3))
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_a_whole_log_attacked(
    desk: Program, attack: Callable[[list[bytes], int], tuple[str, int]], sample: int
) -> None:
    """At a record in a compressed file, in the second of a day and in a plain one; lines and files as they are told."""
    chance = Random(f"{attack.__name__}{sample}")  # noqa: S311 - the same each time
    index = (chance.randrange(1, 2000), chance.randrange(3101, 3999), chance.randrange(6001, 9990))[sample]
    name, line = place_of(index)
    number = FILES.index(name)
    begin = ENDS[number - 1] if number else 0
    lines = list(LOG.lines[begin : ENDS[number]])
    if attack is splice_history:
        lines[index - begin :] = FORK.lines[index : ENDS[number]]
        kind, expected = "replaced", line
    else:
        kind, at = attack(lines, index - begin)
        expected = at + 1
    write_file(desk.home / "audit" / CHAIN / name, lines)
    found = damage(desk)
    assert (found["kind"], Path(found["file"]).name, found["line"]) == (kind, name, expected)


@pytest.mark.parametrize("end", [1, 1999, 2000, 3500, 4000, 7777, SIZES[-1] - 1])
def test_a_whole_log_cut_off_or_rolled_back(desk: Program, end: int) -> None:
    for path in (desk.home / "audit" / CHAIN).iterdir():
        path.unlink()
    begin = 0
    for name, until in zip(FILES, ENDS, strict=True):
        write_file(desk.home / "audit" / CHAIN / name, LOG.lines[begin : min(end, until)])
        begin = until
    found = damage(desk)
    assert (found["kind"], found["seq"]) == ("cut off or rolled back", end + 1)
    assert f"anchored in anchors/{CHAIN}/{name_for(SIZES[-1])}" in found["explanation"]


def test_a_whole_log_written_anew_by_somebody_else(desk: Program) -> None:
    """All of it, with correct hashes and well-made checkpoints: by the key, and by the anchors."""
    write_files(desk.home / "audit", FORK.lines)
    found = damage(desk)
    assert (found["kind"], found["seq"]) == ("rewritten", SIZES[0])
    keyed = desk.run("audit", "verify", "--key", str(OURS.key), "--every", str(EVERY))
    assert keyed.status == 0  # it is signed by the key: only the anchors know better
    keyed = desk.run("audit", "verify", "--key", str(THEIRS.key))
    assert keyed.status == 1
    assert "record 50: unknown key" in keyed.out
    assert "no record is signed; 10,000 after that only chained" in keyed.out


def test_a_chain_that_is_gone_shows_by_its_anchor(desk: Program) -> None:
    write_anchor(desk.home / "anchors", OTHER.anchored)
    done = desk.run("audit", "verify", *ALL)
    assert done.status == 1
    last = OTHER.anchored[-1].signed.checkpoint.size
    assert f"anchors/{OTHER_CHAIN}/{name_for(last)}, record {last:,}: chain missing" in done.out


def test_anchors_by_themselves(desk: Program) -> None:
    (desk.home / "audit").rename(desk.home / "elsewhere")
    for more in ((), ("--anchors-only",)):
        done = desk.run("audit", "verify", *ALL, *more)
        assert (done.status, done.err) == (0, "")
        assert "no records are looked at" in done.out
        assert f"{len(SIZES)} checkpoints up to record {SIZES[-1]:,}" in done.out
        assert done.out.endswith(
            f"VERDICT: intact: 1 chain, {len(SIZES)} checkpoints, no records looked at\n"
        )
    path = desk.home / "anchors" / CHAIN / name_for(SIZES[7])
    path.write_text(FORK.anchored[7].text())
    done = desk.run("audit", "verify", *ALL, "--anchors-only", "--json")
    (damaged,) = document(done)["anchors"][0]["damage"]
    assert done.status == 1
    assert (damaged["kind"], damaged["seq"], damaged["file"]) == (
        "forked",
        SIZES[7],
        f"anchors/{CHAIN}/{name_for(SIZES[7])}",
    )


def test_records_that_should_be_here_are_not_given_up_for_the_anchors(desk: Program) -> None:
    """A configuration says where they are: that they are gone is no intact record."""
    (desk.home / "audit").rename(desk.home / "elsewhere")
    (desk.home / "config").mkdir()
    (desk.home / "config" / "config.yml").write_text("policies: policies\naudit: {directory: audit}\n")
    done = desk.run("audit", "verify", *ALL)
    assert done.status == 1
    assert f"record {SIZES[-1]:,}: chain missing" in done.out
    assert "records: audit: No such file or directory" in done.out
    assert "VERDICT: DAMAGED: 1 of 1 chain and 1 directory without what was looked for, see above" in done.out


def test_all_chains_deleted_are_told_by_the_anchors(desk: Program) -> None:
    write_anchor(desk.home / "anchors", OTHER.anchored)
    (desk.home / "audit" / CHAIN).rename(desk.home / "elsewhere")
    done = desk.run("audit", "verify", "audit", *ALL)
    assert (done.status, done.err) == (1, "")
    assert done.out.count(": chain missing: ") == 2
    assert done.out.index("chain missing") < done.out.index(
        "there are no records in audit: name the directory"
    )
    assert "VERDICT: DAMAGED: 2 of 2 chains" in done.out
    noted = desk.run("audit", "verify", "audit", *ALL, "--head", f"7:{'ab' * 32}")
    assert (noted.status, "there are 0 chains" in noted.err) == (2, True)


def test_an_emptied_anchor_is_told_and_the_records_are_looked_at(desk: Program) -> None:
    (desk.home / "anchors" / CHAIN).rename(desk.home / "elsewhere")
    done = desk.run("audit", "verify", *ALL)
    assert (done.status, done.err) == (1, "")
    assert "anchor: there are no checkpoints in anchors" in done.out
    assert f"{CHAIN}: intact, 10,000 records" in done.out
    assert "VERDICT: DAMAGED: 1 directory without what was looked for, see above" in done.out
    told = document(desk.run("audit", "verify", "--json", *ALL))
    assert (told["intact"], told["chains"][0]["intact"], len(told["problems"])) == (False, True, 1)


def test_the_directory_of_an_anchor_is_not_taken_for_intact_records(desk: Program) -> None:
    done = desk.run("audit", "verify", "anchors")
    assert done.status == 1
    assert (
        f"anchors/{CHAIN}, record 1: no records: these are an anchor's checkpoints, not records" in done.out
    )
    assert "give them with --anchors" in done.out


def test_checkpoints_of_a_key_that_was_not_given_are_one_line(desk: Program) -> None:
    """After a change of the key, with the newer trust file alone."""
    old = [
        AnchorDocument(each.old_size, each.path, THEIRS.sign(each.signed.checkpoint)) for each in LOG.anchored
    ]
    write_anchor(desk.home / "anchors", old[:150])
    done = desk.run("audit", "verify", *ALL)
    assert done.status == 1
    assert done.out.count("unknown key") == 1
    which = f"150 checkpoints ({SIZES[0]} to {SIZES[149]:,}) are signed by key {THEIRS.key.id.hex()}"
    assert f"{which}, which was not given" in done.out
    assert "add the older trust file with another --trust" in done.out
    (desk.home / "older.txt").write_text(trust_file([THEIRS.key], "the older key"))
    assert desk.run("audit", "verify", *ALL, "--trust", "older.txt").status == 0


def test_two_anchors_that_contradict_each_other(desk: Program) -> None:
    write_anchor(desk.home / "second", FORK.anchored[-1:])
    done = desk.run("audit", "verify", *ALL, "--anchors", "second")
    assert done.status == 1
    assert f"second/{CHAIN}/{name_for(SIZES[-1])}, record {SIZES[-1]:,}: forked" in done.out


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (("verify", "--key", "nonsense"), "no public key"),
        (("verify", "--trust", f"anchors/{CHAIN}/{name_for(49)}"), "line 1"),
        (("verify", "--anchors-only"), "--anchors-only goes with --anchors"),
        (("verify", "--anchors", "nowhere"), "does not exist"),
        (("check-proof", "-"), "one root"),
        (("check-proof", "-", "--checkpoint", f"anchors/{CHAIN}/{name_for(49)}"), "--key or --trust"),
        (("check-proof", "-", "--checkpoint", "keys.txt", "--trust", "keys.txt"), "keys.txt"),
        (("prove", "7", "--checkpoint", f"anchors/{CHAIN}/{name_for(49)}", "--size", "7"), "for 49 records"),
    ],
)
def test_what_makes_no_sense_is_status_2(desk: Program, wrong: tuple[str, ...], said: str) -> None:
    done = desk.run("audit", *wrong)
    assert done.status == 2
    assert said in done.err
    assert "Traceback" not in done.err


def test_a_record_is_proved_against_a_signed_checkpoint(desk: Program) -> None:
    checkpoint = f"anchors/{CHAIN}/{name_for(SIZES[9])}"
    done = desk.run("audit", "prove", "42", "--checkpoint", checkpoint, "--out", "proof.json")
    assert (done.status, done.err) == (0, "")
    done = desk.run("audit", "check-proof", "proof.json", "--checkpoint", checkpoint, "--trust", "keys.txt")
    assert (done.status, done.err) == (0, "")
    assert f"proved: record 42 is one of the {SIZES[9]} of chain {CHAIN}" in done.out
    assert f"as it was when checkpoint {SIZES[9]} was signed" in done.out
    (desk.home / "note").write_text(str(LOG.anchored[9].signed))
    assert (
        desk.run("audit", "check-proof", "proof.json", "--checkpoint", "note", "--key", str(OURS.key)).status
        == 0
    )
    for file, key in (("note", THEIRS.key), (f"anchors/{CHAIN}/{name_for(SIZES[8])}", OURS.key)):
        refused = desk.run("audit", "check-proof", "proof.json", "--checkpoint", file, "--key", str(key))
        assert refused.status == 1
        assert "Traceback" not in refused.err
    grown = desk.run("audit", "prove", CHAIN, "--grown-from", str(SIZES[3]), "--checkpoint", checkpoint)
    (desk.home / "grown.json").write_text(grown.out)
    both = ("--checkpoint", checkpoint, "--grown-from-checkpoint", f"anchors/{CHAIN}/{name_for(SIZES[3])}")
    done = desk.run("audit", "check-proof", "grown.json", *both, "--trust", "keys.txt")
    assert f"the first {SIZES[3]} of {SIZES[9]} records of chain {CHAIN} are as they were" in done.out
    claimed = {**json.loads(grown.out), "chain": OTHER_CHAIN}
    (desk.home / "grown.json").write_text(json.dumps(claimed))
    done = desk.run("audit", "check-proof", "grown.json", *both, "--trust", "keys.txt")
    assert (CHAIN in done.out, OTHER_CHAIN in done.out) == (True, False)


def test_the_keys_as_a_trust_file(desk: Program) -> None:
    done = desk.run(
        "audit", "key", "--public-key", str(OURS.key), "--public-key", str(THEIRS.key), "--out", "made"
    )
    assert (done.status, done.err) == (0, "")
    assert read_trust_file((desk.home / "made").read_text()) == (OURS.key, THEIRS.key)
    assert desk.run("audit", "key", "--public-key", "nonsense").status == 2


def test_the_keys_of_the_configuration_as_vault_tells_them(configured: Program, bao: Bao) -> None:
    """Through a custody process, as `serve` has it; after a rotation both versions, the newest last."""
    config = configured.home / "config" / "config.yml"
    text = config.read_text()
    (configured.home / "policies").mkdir()
    (configured.home / "policies" / "desk.yml").write_text(
        "version: 1\nrules:\n  - {id: all, effect: allow}\n"
    )
    config.write_text(
        f"audit: {{directory: audit, checkpoint_key: transit:transit/audit-{configured.home.name}}}\n{text}"
    )
    assert configured.run("vault", "setup", "--token-out", "run/token").status == 0
    done = configured.run("audit", "key")
    assert (done.status, done.err) == (0, "")
    assert "as told by" in done.out
    (key,) = read_trust_file(done.out)
    bao.hvac().secrets.transit.rotate_key(f"audit-{configured.home.name}")
    first, second = read_trust_file(configured.run("audit", "key").out)
    assert first == key != second


def test_no_key_where_none_is_configured(configured: Program) -> None:
    config = configured.home / "config" / "config.yml"
    config.write_text(f"audit: {{directory: audit, checkpoint_key: null}}\n{config.read_text()}")
    done = configured.run("audit", "key")
    assert done.status == 1
    assert "no audit.checkpoint_key" in done.err
