"""A small service that counts, records and answers, to be killed and failed at any of its system calls.

Started with `python -m`, it reads lines `DIRECTORY FIRST LAST BOTS THREAD` from its input, and lives one life for each
in a process of its own, which is forked so that nothing has to be imported again. A life says on the common output:

    life PID                a life begins
    thread TID              the thread that is asked for begins, and goes on once a line has come in
    signed STEP ACCOUNT SEQUENCE CHAIN SEQ
                            an answer that its caller has now, and the record that it stands on
    refused STEP            an error instead; the step is tried again. `refused to open`: all of it is
    done                    all steps have been answered, and everything is closed
    ended STATUS            the process is gone (from the parent)
"""

import asyncio
import ctypes
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from tests.patience import until
from vaultsigner.audit import Recorder
from vaultsigner.audit.entries import Control
from vaultsigner.audit.files.compression import closed_files
from vaultsigner.domain.names import JsonValue
from vaultsigner.errors import AuditError, StateError, VaultsignerError
from vaultsigner.state import AccountKey, Reserved, State, open_state

CHAIN = "Binance-Chain-Ganges"
ROTATE_BYTES = 1_500
_PR_SET_PTRACER, _ANY = 0x59616D61, ctypes.c_ulong(-1)  # prctl(2)


def say(words: str) -> None:
    """One line, in one system call."""
    os.write(1, f"{words}\n".encode())


def announce(thread: str) -> None:
    """Let the first thread whose name begins so say who it is, and wait, before it does anything."""
    waiting = [thread]

    def wait_if_asked_for(name: str) -> None:
        if waiting and name.startswith(waiting[0]):
            waiting.clear()
            say(f"thread {threading.get_native_id()}")
            os.read(0, 1)

    run = threading.Thread.run

    def announced(self: threading.Thread) -> None:
        wait_if_asked_for(self.name)
        run(self)

    threading.Thread.run = announced  # type: ignore[method-assign]  # Only in this process, which does nothing else.
    wait_if_asked_for("MainThread")


async def step(state: State, recorder: Recorder, account: AccountKey, number: int) -> str:
    """Count, record, store what would be sent, record the outcome, settle; all before the answer."""
    now_ms, owner = time.time_ns() // 1_000_000, os.urandom(8).hex()
    reserved = await state.reserve(account, f"payment {number}", owner, now_ms=now_ms, lease_ms=1)
    if not isinstance(reserved, Reserved):
        raise StateError("the number is held")
    sequence = reserved.sequence
    transaction = reserved.transaction or b"payment %d, number %d" % (number, sequence)
    await recorder.record(Control("wanted", {"step": number, "sequence": sequence}))
    stored = await state.mark_sent(
        account, owner, sequence, transaction, f"hash {number}", now_ms=now_ms, lease_ms=1
    )
    if not stored:
        raise StateError("the number is another's")
    details: dict[str, JsonValue] = {
        "step": number,
        "account": account.address,
        "sequence": sequence,
        "transaction": transaction.decode(),
    }
    position = await recorder.record(Control("signed", details))
    await state.settle(account, owner, sequence, sequence + 1, done=True)
    return f"{account.address} {sequence} {position.chain} {position.seq}"


async def answer(state: State, recorder: Recorder, account: AccountKey, number: int) -> None:
    """A caller that asks until it has its answer."""
    while True:
        try:
            say(f"signed {number} {await step(state, recorder, account, number)}")
        except VaultsignerError:
            say(f"refused {number}")
            await asyncio.sleep(0.005)
        else:
            return


async def bot(state: State, recorder: Recorder, account: AccountKey, steps: range) -> None:
    """Steps on an account of its own; first the one that an earlier life left on its number."""
    known = await state.remember_account(account, 7, 0)
    if known.held is not None and (left := int(known.held.fingerprint.split()[1])) not in steps:
        await answer(state, recorder, account, left)
    for number in steps:
        await answer(state, recorder, account, number)


async def compressed(directory: Path, recorder: Recorder) -> None:
    """Wait until every closed file is."""
    chain = directory / "audit" / recorder.chain
    await until(lambda: not closed_files(chain, None), "all is compressed", poll_seconds=0.002)


async def live(directory: Path, steps: range, bots: int) -> None:
    """A life: the steps in turn, or by several at once."""
    # What opens and closes is one thread's, each time: which of several has a call would be chance.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1, thread_name_prefix="asyncio"))
    audit = Recorder(
        directory / "audit",
        rotate_bytes=ROTATE_BYTES * bots**2,
        retry_seconds=0.01,
        compress_retry_seconds=0.01,
    )
    async with open_state(f"sqlite:///{directory}/state/vaultsigner.db") as state, audit as recorder:
        accounts = [AccountKey(CHAIN, f"desk-{number}") for number in range(bots)]
        await asyncio.gather(
            *(bot(state, recorder, each, steps[number::bots]) for number, each in enumerate(accounts))
        )
        await compressed(directory, recorder)


def life(directory: Path, steps: range, bots: int, thread: str) -> None:
    """In the forked process. What fails when it opens or closes is tried again, as by whatever starts services."""
    say(f"life {os.getpid()}")
    with suppress(
        OSError, AttributeError
    ):  # Where the system asks for it, whoever traces us must be allowed to.
        ctypes.CDLL(None).prctl(_PR_SET_PTRACER, _ANY, 0, 0, 0)
    announce(thread)
    for _ in range(5):
        try:
            asyncio.run(live(directory, steps, bots))
        except (AuditError, StateError):
            say("refused to open")
        else:
            say("done")
            return


def main() -> None:
    """Until the input ends."""
    for line in iter(read_line, ""):
        directory, first, last, bots, thread = line.split()
        child = os.fork()
        if child == 0:
            status = 1
            try:
                life(Path(directory), range(int(first), int(last)), int(bots), thread)
                status = 0
            finally:
                os._exit(status)
        say(f"ended {os.waitpid(child, 0)[1]}")


def read_line() -> str:
    """Nothing is read ahead: what comes after the line is for the life."""
    line = b""
    while not line.endswith(b"\n") and (byte := os.read(0, 1)):
        line += byte
    return line.decode()


if __name__ == "__main__":
    main()
