"""`vaultsigner audit` as people run it: on files alone, without a configuration, in a pipe and on a terminal."""

import csv
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.cli.program import PROGRAM, Outcome, Program
from tests.patience import PATIENCE_SECONDS
from tests.unit.audit.long_log import CHAIN, OTHER_CHAIN, days_of, log_of, long_log, write_days

LOG = long_log(CHAIN, 50)
OTHER = long_log(OTHER_CHAIN, 20)
ROOT = Path(__file__).parents[3]
HEAD = f"{CHAIN}:50:{LOG.heads[-1].hash}"


@pytest.fixture
def desk(tmp_path: Path) -> Program:
    """A working directory with a chain of 50 records and no configuration."""
    write_days(tmp_path / "audit", days_of(LOG.lines))
    return Program(tmp_path)


@pytest.fixture
def two_chains(desk: Program) -> Program:
    """The same with a second chain of 20."""
    write_days(desk.home / "audit", days_of(OTHER.lines), OTHER_CHAIN)
    return desk


def document(outcome: Outcome) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(outcome.out)
    return found


def day_file(desk: Program) -> Path:
    return desk.home / "audit" / CHAIN / "2026-11-20.jsonl"


def test_an_intact_record_is_status_0_and_its_head_is_told(desk: Program) -> None:
    done = desk.run("audit", "verify")
    assert (done.status, done.err) == (0, "")
    assert f"{CHAIN}: intact, 50 records in 1 file, the last of 2026-11-20T" in done.out
    assert f"head {HEAD}" in done.out
    assert "does not show that its end was cut off" in done.out


def test_a_head_as_it_was_told_is_confirmed(desk: Program) -> None:
    for head in (HEAD, HEAD.removeprefix(f"{CHAIN}:")):
        done = desk.run("audit", "verify", "audit", "--head", head)
        assert (done.status, done.err) == (0, "")
        assert "as noted: record 50" in done.out
        assert "does not show" not in done.out


def test_damage_is_status_1_with_its_place_and_kind(desk: Program) -> None:
    lines = LOG.lines
    day_file(desk).write_bytes(b"".join((*lines[:6], *lines[7:])))
    done = desk.run("audit", "verify")
    assert done.status == 1
    assert f"audit/{CHAIN}/2026-11-20.jsonl, line 7, record 7: deleted: record 7 is missing" in done.out
    (chain,) = document(desk.run("audit", "verify", "--json"))["chains"]
    assert chain["damage"] == {
        "kind": "deleted",
        "chain": CHAIN,
        "file": f"audit/{CHAIN}/2026-11-20.jsonl",
        "line": 7,
        "seq": 7,
        "explanation": "record 7 is missing before this line",
    }
    assert chain["records"] == 6


def test_a_cut_or_rewritten_chain_shows_by_its_noted_head(desk: Program) -> None:
    day_file(desk).write_bytes(b"".join(LOG.lines[:40]))
    assert desk.run("audit", "verify").status == 0
    done = desk.run("audit", "verify", "--head", HEAD)
    assert done.status == 1
    assert "record 41: cut off or rolled back: record 40 is the last, and record 50 was noted" in done.out
    anew = log_of(LOG.heads[19], 30, "anew").lines
    day_file(desk).write_bytes(b"".join((*LOG.lines[:20], *anew)))
    assert desk.run("audit", "verify").status == 0
    done = desk.run("audit", "verify", "--head", f"10:{LOG.heads[9].hash}", "--head", HEAD)
    assert done.status == 1
    assert "line 50, record 50: rewritten" in done.out
    assert "between record 11 and here" in done.out


def test_every_chain_is_told_and_one_damaged_is_status_1(two_chains: Program) -> None:
    said = two_chains.run("audit", "verify").out
    assert said.count(": intact, ") == 2
    assert said.splitlines()[-1] == "VERDICT: intact: 2 chains, 70 records"
    path = two_chains.home / "audit" / OTHER_CHAIN / "2026-11-20.jsonl"
    path.write_bytes(path.read_bytes().replace(b"no such user", b"no such usor", 1))
    assert (
        two_chains.run("audit", "verify").out.splitlines()[-1] == "VERDICT: DAMAGED: 1 of 2 chains, see above"
    )
    done = two_chains.run("audit", "verify", "--json")
    told = document(done)
    assert (done.status, told["intact"]) == (1, False)
    assert [chain["intact"] for chain in told["chains"]] == [True, False]
    assert told["chains"][1]["damage"]["kind"] == "altered"


def test_a_chain_that_is_gone_altogether_shows_by_its_noted_head(two_chains: Program) -> None:
    head = f"{OTHER_CHAIN}:20:{OTHER.heads[-1].hash}"
    assert two_chains.run("audit", "verify", "--head", head).status == 0
    done = two_chains.run("audit", "verify", f"audit/{CHAIN}", "--head", head)
    assert done.status == 1
    assert f"{OTHER_CHAIN}, record 20: chain missing" in done.out


def test_the_directory_of_the_configuration_counts_and_one_that_is_named_needs_none(desk: Program) -> None:
    (desk.home / "audit").rename(desk.home / "log")
    (desk.home / "config").mkdir()
    (desk.home / "config" / "config.yml").write_text("policies: policies\naudit: {directory: log}\n")
    assert "50 records" in desk.run("audit", "verify").out
    (desk.home / "config" / "config.yml").write_text("audit: [broken")
    assert desk.run("audit", "verify").status == 1
    assert desk.run("audit", "verify", "log").status == 0


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (("verify", "--head", "50"), "SEQ:HASH"),
        (("verify", "nowhere"), "does not exist"),
        (("prove", "x"), "CHAIN:SEQ"),
        (("prove", "audit"), "say with --records"),
        (("prove", CHAIN), "CHAIN:SEQ"),
        (("prove", f"{'c' * 16}:7"), f"there are {CHAIN}"),
        (("check-proof", "-", "--root", "7"), "SIZE:HASH"),
        (("check-proof", "-", "--root", "ab" * 32), "SIZE:HASH"),
        (("check-proof", "-", "--root", f"7:{'ab' * 32}", "--grown-from", "ab" * 32), "SIZE:HASH"),
        (("query", "--amount-above", "much"), "no amount"),
        (("query", "--amount-above", "1e9999999"), "no amount"),
        (("query", "--since", "noon"), "2026-11-01"),
        (("stats", "--since", "2026-11-20", "--until", "2026-11-19"), "--since is not before --until"),
        (("query", "--kind", "foo"), "'control', 'checkpoint'"),
        (("query", "--operation", "transfer"), "write e.g. transfer.*"),
        (("query", "--effect", "maybe"), "'allow', 'deny'"),
    ],
)
def test_a_command_that_makes_no_sense_is_status_2(desk: Program, wrong: tuple[str, ...], said: str) -> None:
    done = desk.run("audit", *wrong)
    assert done.status == 2
    assert said in done.err


def test_which_chain_a_head_belongs_to_must_be_said_where_there_are_several(two_chains: Program) -> None:
    done = two_chains.run("audit", "verify", "--head", f"50:{LOG.heads[-1].hash}")
    assert done.status == 2
    assert "there are 2 chains" in done.err


def test_a_directory_without_records_is_status_1(desk: Program) -> None:
    (desk.home / "empty").mkdir()
    done = desk.run("audit", "verify", "empty")
    assert done.status == 1
    assert "there are no records in empty" in done.err


def test_a_chain_whose_files_were_removed_is_not_intact(two_chains: Program) -> None:
    day_file(two_chains).unlink()
    done = two_chains.run("audit", "verify")
    assert done.status == 1
    assert f"audit/{CHAIN}, record 1: no records: the directory holds no day's file" in done.out
    assert done.out.splitlines()[-1] == "VERDICT: DAMAGED: 1 of 2 chains, see above"
    assert two_chains.run("audit", "root").status == 1


def test_one_record_is_told_as_one(tmp_path: Path) -> None:
    write_days(tmp_path / "audit", days_of(LOG.lines[:1]))
    done = Program(tmp_path).run("audit", "verify")
    assert f"{CHAIN}: intact, 1 record in 1 file" in done.out
    assert done.out.splitlines()[-1] == "VERDICT: intact: 1 chain, 1 record"


def test_a_progress_bar_on_a_terminal(desk: Program) -> None:
    done = desk.converse("audit", "verify", dialogue=())
    assert done.status == 0
    assert "intact" in done.out


def test_what_somebody_put_into_a_name_does_not_move_the_cursor(desk: Program) -> None:
    (desk.home / "audit" / CHAIN / "\x1b[2J").touch()
    done = desk.run("audit", "verify")
    assert done.status == 0
    assert "not looked at" in done.out
    assert "\x1b" not in done.out


def test_a_proof_is_made_and_checked_without_the_chain(desk: Program) -> None:
    root = desk.run("audit", "root").out.split()
    assert root[0] == CHAIN
    assert root[1].startswith("50:")
    assert desk.run("audit", "prove", "7", "--out", "proof.json").status == 0
    (desk.home / "audit").rename(desk.home / "elsewhere")
    done = desk.run("audit", "check-proof", "proof.json", "--root", root[1])
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith(f"proved: record 7 is one of the 50 of chain {CHAIN}")
    proved = document(desk.run("audit", "check-proof", "proof.json", "--root", root[1], "--json"))
    assert proved["record"] == json.loads(LOG.lines[6])
    other = desk.run("audit", "check-proof", "proof.json", "--root", f"50:{'ab' * 32}")
    assert other.status == 1
    assert "do not lead to that root" in other.err


def test_a_chain_that_grew_is_proved(desk: Program) -> None:
    first = desk.run("audit", "root", "--size", "20").out.split()[1]
    root = desk.run("audit", "root").out.split()[1]
    proof = desk.run("audit", "prove", CHAIN, "--grown-from", "20").out
    done = desk.run("audit", "check-proof", "-", "--root", root, "--grown-from", first, typed=proof)
    assert (done.status, done.err) == (0, "")
    assert "the first 20 of 50 records of a chain are as they were" in done.out
    done = desk.run("audit", "check-proof", "-", "--root", root, "--grown-from", root, typed=proof)
    assert done.status == 1


def test_a_damaged_chain_has_no_root_and_no_proof(desk: Program) -> None:
    day_file(desk).write_bytes(b"".join(LOG.lines[1:]))
    for command in (("root",), ("prove", "7")):
        done = desk.run("audit", *command)
        assert done.status == 1
        assert "record 1: deleted" in done.out


def test_a_proof_of_a_record_that_is_not_there(desk: Program) -> None:
    done = desk.run("audit", "prove", "51")
    assert done.status == 1
    assert "there is no record 51: a tree of 50 records has no leaf" in done.err


@pytest.mark.parametrize(
    "arguments",
    [("prove", "4"), ("key", "--public-key", "+vMDA8kTr7LHsLYR8rhtLKkwRAJHVvEbIlQJLYRiQFY=")],
    ids=["prove", "key"],
)
def test_a_file_that_cannot_be_written_is_told_in_a_line(desk: Program, arguments: tuple[str, ...]) -> None:
    done = desk.run("audit", *arguments, "--out", "nowhere/made")
    assert (done.status, done.out) == (1, "")
    assert done.err == "Error: --out nowhere/made: No such file or directory\n"
    made = desk.run("audit", *arguments, "--out", "made")
    assert (made.status, made.err) == (0, "")
    assert (desk.home / "made").read_text().endswith("\n")


@pytest.mark.parametrize("command", ["verify", "query", "stats", "tail", "root"])
def test_where_nothing_is_one_is_told_what_to_name(tmp_path: Path, command: str) -> None:
    done = Program(tmp_path).run("audit", command)
    assert done.status == 1
    assert "name the directory that holds the chains" in done.err


def test_a_chain_that_is_named_twice_is_one(desk: Program) -> None:
    """Or that a link leads to as well."""
    (desk.home / "audit" / OTHER_CHAIN).symlink_to(CHAIN)
    done = desk.run("audit", "verify", "audit", f"audit/{CHAIN}")
    assert (done.status, done.out.splitlines()[-1]) == (0, "VERDICT: intact: 1 chain, 50 records")
    found = desk.run("audit", "query", "audit", "audit", "--format", "jsonl")
    assert len(found.out.splitlines()) == 50


def test_a_compressed_file_beside_the_plain_one_is_told_and_does_not_count(desk: Program) -> None:
    path = day_file(desk)
    path.with_name(f"{path.name}.gz").write_bytes(b"anything")
    done = desk.run("audit", "verify")
    assert done.status == 0
    assert (
        f"not looked at, for the same file is there uncompressed, and that one counts: {path.name}.gz"
        in done.out
    )
    assert document(desk.run("audit", "verify", "--json"))["chains"][0]["not_looked_at"] == [
        f"{path.name}.gz"
    ]


def test_a_renamed_day_is_noted(desk: Program) -> None:
    path = day_file(desk)
    path.rename(path.with_name("2026-11-27.jsonl"))
    done = desk.run("audit", "verify")
    assert done.status == 0
    assert "  note: 2026-11-27.jsonl has records of 2026-11-20: " in done.out
    (note,) = document(desk.run("audit", "verify", "--json"))["chains"][0]["notes"]
    assert "was it renamed?" in note


VAULT_ENTRY = {
    "time": "2026-11-20T00:30:00Z",
    "type": "response",
    "auth": {"policies": ["vaultsigner"]},
    "request": {
        "id": "11111111-1111-1111-1111-111111111111",
        "operation": "list",
        "path": "sys/mounts",
        "mount_type": "system",
    },
    "response": {},
}


@pytest.mark.parametrize("slack", ["nan", "inf", "-inf", "1e300", "-1", "soon"])
def test_a_slack_that_is_no_number_of_seconds(desk: Program, slack: str) -> None:
    (desk.home / "vault.log").write_text(json.dumps(VAULT_ENTRY))
    done = desk.run("audit", "reconcile", "--vault-log", "vault.log", "--slack", slack)
    assert (done.status, "Invalid value for '--slack'" in done.err) == (2, True)
    assert "Traceback" not in done.err


def test_logs_that_could_not_be_read_whole_are_not_said_to_agree(desk: Program) -> None:
    entry = json.dumps(VAULT_ENTRY)
    (desk.home / "vault.log").write_text(f"{entry}\n")
    whole = desk.run("audit", "reconcile", "--vault-log", "vault.log")
    assert (whole.status, whole.out.splitlines()[-1]) == (0, "They agree.")
    (desk.home / "vault.log").write_text(f"{entry}\nhalf an entry\n")
    done = desk.run("audit", "reconcile", "--vault-log", "vault.log")
    assert done.status == 1
    assert "1 line of the vault_log could not be read" in done.out
    assert done.out.splitlines()[-1].startswith("They agree as far as could be read")


@pytest.mark.parametrize("command", ["query", "stats"])
def test_an_anchors_directory_is_no_record_in_which_nothing_happened(tmp_path: Path, command: str) -> None:
    kept = tmp_path / "anchor" / CHAIN
    kept.mkdir(parents=True)
    (kept / f"{50:020}.checkpoint").touch()
    done = Program(tmp_path).run("audit", command, "anchor")
    assert done.status == 1
    assert f"no records: anchor/{CHAIN} holds an anchor's checkpoints" in done.err


def test_records_that_fit_are_shown_for_people_and_for_programs(two_chains: Program) -> None:
    done = two_chains.run("audit", "query", "--effect", "deny", "--latest", "3")
    assert done.status == 0
    assert len(done.out.splitlines()) == 3
    assert all("deny" in line and "transfer.sign" in line for line in done.out.splitlines())
    assert "3 records, the latest" in done.err
    lines = two_chains.run("audit", "query", "--kind", "outcome", "--format", "jsonl").out.splitlines()
    outcomes = [line for log in (LOG, OTHER) for line in log.lines if b'"kind":"outcome"' in line]
    assert sorted(lines) == sorted(line.decode().rstrip() for line in outcomes)
    rows = list(csv.DictReader(two_chains.run("audit", "query", "--format", "csv").out.splitlines()))
    assert len(rows) == 70
    assert (rows[0]["kind"], rows[0]["amount"], rows[0]["target"]) == ("intent", "0.5 BNB", "wallet:hot")


def test_what_a_spreadsheet_would_run_is_text(tmp_path: Path) -> None:
    write_days(tmp_path / "audit", [("2026-11-20", log_of(LOG.heads[2], 1, "=1+1;").lines)])
    (row,) = csv.DictReader(Program(tmp_path).run("audit", "query", "--format", "csv").out.splitlines())
    assert row["what"].startswith("'=1+1;")


def test_lines_that_are_no_records_are_told_and_the_rest_is_shown(desk: Program) -> None:
    day_file(desk).write_bytes(b"".join((*LOG.lines[:10], b"what?\n", *LOG.lines[10:])))
    done = desk.run("audit", "query", "--format", "jsonl")
    assert done.status == 1
    assert len(done.out.splitlines()) == 50
    assert "1 line could not be read" in done.err
    told = desk.run("audit", "stats", "--json")
    assert (told.status, document(told)["unreadable"], document(told)["records"]) == (1, 1, 50)


@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_a_day_that_is_no_file_is_told(desk: Program, kind: str) -> None:
    day_file(desk).rename(desk.home / "elsewhere.jsonl")
    if kind == "link":
        day_file(desk).symlink_to(desk.home / "elsewhere.jsonl")
    else:
        os.mkfifo(day_file(desk))
    for command in ("query", "stats"):
        done = desk.run("audit", command)
        assert done.status == 1
        assert f"file unusable: audit/{CHAIN}/2026-11-20.jsonl" in done.err


def test_stats_count_what_there_is(two_chains: Program) -> None:
    done = two_chains.run("audit", "stats")
    assert (done.status, done.err) == (0, "")
    assert "70 records in 2 chains, 2026-11-20T00:00:00.000000Z to " in done.out
    told = document(two_chains.run("audit", "stats", "--json"))
    assert told["by"]["kind"] == {"intent": 28, "control": 14, "outcome": 14, "request": 14}


def test_the_last_records_in_the_order_of_their_times(two_chains: Program) -> None:
    done = two_chains.run("audit", "tail", "-n", "25")
    assert (done.status, done.err) == (0, "")
    assert done.out.splitlines()[-1].endswith(f"{CHAIN}:50")
    assert len(done.out.splitlines()) == 25
    lines = two_chains.run("audit", "tail", "-n", "2", "--format", "jsonl").out.splitlines()
    assert lines == [line.decode().rstrip() for line in LOG.lines[-2:]]


@pytest.mark.parametrize("command", ["tail", "query"])
def test_a_planted_line_does_not_move_the_cursor(desk: Program, command: str) -> None:
    """Half of it is in letters that JSON lets through: only those below a space must be escaped."""
    planted = '{"chain":"00000000000000aa","kind":"control","reason":"\x7f\x9b2J\u202e","time":"2026-11-20T23:59:59.000000Z"}'
    day_file(desk).write_bytes(b"".join((*LOG.lines[:3], planted.encode() + b"\n")))
    done = desk.run("audit", command, "--format", "jsonl")
    assert done.out.splitlines()[:3] == [line.decode().rstrip() for line in LOG.lines[:3]]
    shown = done.out.splitlines()[3]
    assert shown.isprintable()
    assert json.loads(shown) == json.loads(planted)


def test_a_bell_is_not_rung(desk: Program) -> None:
    day_file(desk).write_bytes(b"".join((*LOG.lines[:3], b"\x1b]0;title\x07\n")))
    done = desk.run("audit", "tail", "-n", "1", "--format", "jsonl")
    assert done.out == "\\u001b]0;title\\u0007\n"


def test_directories_may_be_named_like_those_of_verify(desk: Program) -> None:
    (desk.home / "audit").rename(desk.home / "elsewhere")
    for command in (("query", "--format", "jsonl"), ("tail", "-n", "50", "--format", "jsonl")):
        done = desk.run("audit", *command, "elsewhere")
        assert (done.status, len(done.out.splitlines())) == (0, 50)
    told = desk.run("audit", "stats", "--json", "elsewhere")
    assert document(told)["records"] == 50
    assert desk.run("audit", "stats", "--json", "--records", "elsewhere").out == told.out


@pytest.fixture
def following(desk: Program) -> Iterator["subprocess.Popen[str]"]:
    """`audit tail -f`, which has shown the last record."""
    process = subprocess.Popen(
        [*PROGRAM, "audit", "tail", "-f", "-n", "1", "--format", "jsonl"],
        cwd=desk.home,
        env={"PATH": os.defpath, "HOME": str(desk.home), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_new_records_days_and_chains_are_followed(desk: Program, following: "subprocess.Popen[str]") -> None:
    assert read_line(following) == LOG.lines[-1].decode()
    more = log_of(LOG.heads[-1], 3).lines
    with day_file(desk).open("ab") as file:
        file.write(more[0] + more[1][:40])
    assert read_line(following) == more[0].decode()
    with day_file(desk).open("ab") as file:
        file.write(more[1][40:])
    assert read_line(following) == more[1].decode()
    day_file(desk).with_name("2026-11-21.jsonl").write_bytes(more[2])
    assert read_line(following) == more[2].decode()
    write_days(desk.home / "audit", [("2026-11-21", OTHER.lines[:1])], OTHER_CHAIN)
    assert read_line(following) == OTHER.lines[0].decode()
    following.send_signal(signal.SIGINT)
    assert following.wait(PATIENCE_SECONDS) == 1
    assert following.stderr is not None
    assert "Traceback" not in following.stderr.read()


def read_line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], PATIENCE_SECONDS)
    assert ready, "nothing came"
    return process.stdout.readline()


def test_help_needs_no_engine() -> None:
    code = "import sys; import vaultsigner.cli.audit; sys.exit('duckdb' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=ROOT).returncode == 0
