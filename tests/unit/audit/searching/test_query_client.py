"""The process that searches: started when asked, killed when late, gone with its parent, and knowing nothing it need not."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.patience import PATIENCE_SECONDS, wait_until
from tests.unit.audit.long_log import CHAIN, days_of, long_log, write_days
from vaultsigner.audit.searching.filters import Filters
from vaultsigner.audit.searching.query_client import (
    MOST_EXPORTS,
    MOST_WAITING,
    QueryBusyError,
    QueryClient,
    QueryError,
)

ROOT = Path(__file__).parents[3]
LINES = long_log(CHAIN, 2_000).lines
PLAIN = {"filters": {}, "latest": 10}


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[QueryClient]:
    """Of 2,000 records."""
    write_days(tmp_path / "audit", days_of(LINES))
    # Its process gives way to others.
    client = QueryClient(tmp_path / "audit", deadline_seconds=PATIENCE_SECONDS)
    yield client
    await client.close()


def pid_of(client: QueryClient) -> int:
    assert client._worker is not None
    return client._worker.process.pid


def is_there(pid: int) -> bool:
    """Also where nobody has taken its exit status yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def environment_of(pid: int) -> bytes:
    return Path(f"/proc/{pid}/environ").read_bytes()


async def until(done: Callable[[], bool]) -> None:
    """Wait until something is so, here in the event loop."""
    await asyncio.to_thread(wait_until, done, "it is so")


async def test_questions_have_answers_and_one_process_gives_them(client: QueryClient) -> None:
    lines, end = await client.ask("records", **PLAIN)
    assert [line.encode() + b"\n" for line in lines] == [*reversed(LINES[-10:])]
    pid = pid_of(client)
    older, _ = await client.ask("records", filters={}, latest=5, before=end["next"])
    assert [line.encode() + b"\n" for line in older] == [*reversed(LINES[-15:-10])]
    assert pid_of(client) == pid


async def test_the_process_has_no_secrets_no_descriptors_and_little_priority(
    client: QueryClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VAULT_TOKEN", "canary")
    read, write = os.pipe()
    try:
        await client.ask("records", **PLAIN)
        pid = pid_of(client)
        environment = environment_of(pid)
        assert b"canary" not in environment
        assert {each.partition(b"=")[0] for each in environment.split(b"\0") if each} <= {
            *(b"PATH", b"LANG", b"LC_ALL", b"TZ", b"LD_LIBRARY_PATH", b"TMPDIR", b"LC_CTYPE"),
        }
        opened = {os.readlink(f"/proc/{pid}/fd/{each}") for each in os.listdir(f"/proc/{pid}/fd")}  # noqa: PTH115, PTH208
        assert not opened & {os.readlink(f"/proc/self/fd/{each}") for each in (read, write)}  # noqa: PTH115
        assert os.getpriority(os.PRIO_PROCESS, pid) == min(os.getpriority(os.PRIO_PROCESS, 0) + 10, 19)
    finally:
        os.close(read)
        os.close(write)


async def test_what_takes_too_long_is_given_up_and_the_next_is_answered(client: QueryClient) -> None:
    await client.ask("records", **PLAIN)
    pid = pid_of(client)
    os.kill(pid, signal.SIGSTOP)
    client._deadline_seconds = 0.2
    with pytest.raises(QueryError, match=r"took longer than 0\.2 s"):
        await client.ask("records", **PLAIN)
    assert not is_there(pid)
    client._deadline_seconds = PATIENCE_SECONDS
    assert len((await client.ask("records", **PLAIN))[0]) == 10
    assert pid_of(client) != pid


async def test_who_goes_away_leaves_no_half_answer_for_the_next(client: QueryClient) -> None:
    await client.ask("records", **PLAIN)
    os.kill(pid_of(client), signal.SIGSTOP)
    asked = asyncio.create_task(client.ask("records", filters={"kind": "control"}, latest=10))
    await asyncio.sleep(0.1)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    lines, _ = await client.ask("records", filters={"kind": "outcome"}, latest=10)
    assert {json.loads(line)["kind"] for line in lines} == {"outcome"}


async def test_a_process_that_was_killed_is_replaced(client: QueryClient) -> None:
    await client.ask("records", **PLAIN)
    os.kill(pid_of(client), signal.SIGKILL)
    with suppress(QueryError):  # whoever asks before that is known is told so
        await client.ask("records", **PLAIN)
    assert len((await client.ask("records", **PLAIN))[0]) == 10


async def test_a_question_that_makes_no_sense_does_not_end_it(client: QueryClient) -> None:
    for question in ({"filters": {"no": "such"}, "latest": 1}, {"latest": 1}, {"filters": {}, "latest": "x"}):
        with pytest.raises(QueryError, match="cannot be answered"):
            await client.ask("records", **question)
    pid = pid_of(client)
    assert len((await client.ask("records", **PLAIN))[0]) == 10
    assert pid_of(client) == pid


async def test_so_many_wait_and_no_more(client: QueryClient) -> None:
    await client.ask("records", **PLAIN)
    os.kill(pid_of(client), signal.SIGSTOP)
    waiting = [asyncio.create_task(client.ask("records", **PLAIN)) for _ in range(MOST_WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(QueryBusyError):
        await client.ask("records", **PLAIN)
    os.kill(pid_of(client), signal.SIGCONT)
    assert [len(lines) for lines, _ in await asyncio.gather(*waiting)] == [10] * MOST_WAITING


async def test_an_export_goes_on_beside_questions_and_is_no_faster_than_it_is_taken(
    client: QueryClient,
) -> None:
    exports = [await client.export("csv", filters={}) for _ in range(MOST_EXPORTS)]
    with pytest.raises(QueryBusyError):
        await client.export("csv", filters={})
    assert len((await client.ask("records", **PLAIN))[0]) == 10
    text = b"".join([part async for part in aiter(exports[0])])
    assert text.count(b"\n") == len(LINES) + 1
    exports[1].close()
    await until(lambda: client._exports == 0)
    again = await client.export("csv", filters=Filters(kind="outcome").document())
    assert b"".join([part async for part in aiter(again)]).count(b"\n") == 401


async def test_after_a_while_nobody_is_there(tmp_path: Path) -> None:
    write_days(tmp_path / "audit", days_of(LINES))
    client = QueryClient(tmp_path / "audit", idle_seconds=0.1)
    await client.ask("records", **PLAIN)
    pid = pid_of(client)
    scratch = client._worker.scratch if client._worker else tmp_path
    await until(lambda: not is_there(pid) and not scratch.exists())
    assert len((await client.ask("records", **PLAIN))[0]) == 10
    await client.close()


PARENT = """
import asyncio, pathlib, sys
from vaultsigner.audit.searching.query_client import QueryClient
async def main():
    client = QueryClient(pathlib.Path(sys.argv[1]))
    await client.ask("records", filters={}, latest=1)
    print(client._worker.process.pid, flush=True)
    await asyncio.sleep(3600)
asyncio.run(main())
"""


def test_it_ends_with_its_parent(tmp_path: Path) -> None:
    write_days(tmp_path / "audit", days_of(LINES))
    command = [sys.executable, "-c", PARENT, str(tmp_path / "audit")]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env={"PATH": os.defpath, "TMPDIR": str(tmp_path)},
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert is_there(pid)
        parent.kill()
    wait_until(lambda: not is_there(pid), "the worker ends")


async def test_one_record_is_found_by_its_number_in_a_chain_of_the_directory(
    client: QueryClient, tmp_path: Path
) -> None:
    (tmp_path / "secret.jsonl").write_text("{}\n")
    found: Any = await client.ask("record", chain=CHAIN, seq=7)
    assert found[1]["line"].encode() + b"\n" == LINES[6]
    assert await client.ask("record", chain="../secret", seq=1) == ([], None)


PLANTED = (
    b'"a":' + b"[" * 20_000 + b"]" * 20_000,
    b'"a":' + b"[" * 700 + b"]" * 700,
    b'"a":1e999',
    b'"a":' + b"9" * 5000,
    b'"a":"\\ud800"',
)


@pytest.mark.parametrize("planted", PLANTED, ids=["very deep", "deep", "no float", "no integer", "no text"])
async def test_a_planted_line_that_others_cannot_read_is_counted_and_left_out(
    tmp_path: Path, planted: bytes
) -> None:
    """The newest of all, so that it would be in every answer; pages go on behind it."""
    line = (
        b'{%s,"chain":"00000000000000aa","kind":"control","seq":9,"time":"2026-11-20T23:59:59.000000Z"}\n'
        % planted
    )
    write_days(tmp_path / "audit", [("2026-11-20", [*LINES[:5], line])])
    client = QueryClient(tmp_path / "audit")
    try:
        lines, end = await client.ask("records", **PLAIN)
        assert [each.encode() + b"\n" for each in lines] == [*reversed(LINES[:5])]
        assert end == {"next": None, "unreadable": 1}
        paged: list[str] = []
        lines, end = await client.ask("records", filters={}, latest=1)
        while end["next"] is not None:
            paged += lines
            lines, end = await client.ask("records", filters={}, latest=1, before=end["next"])
        assert [each.encode() + b"\n" for each in paged] == [*reversed(LINES[:5])]
    finally:
        await client.close()
