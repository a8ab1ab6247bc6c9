"""Runs `vaultsigner` often for the price of importing it once: a process that has done so forks for each run.

Importing takes half a second of a processor, and these tests run the program some four hundred times. What runs is a process of
its own all the same, with the arguments, environment, directory and descriptors that a shell would give it. The program is really
started wherever it needs a terminal, and in the tests of `serve`.
"""

import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path

from tests.patience import PATIENCE_SECONDS
from vaultsigner.cli import COMMANDS, main

ROOT = Path(__file__).parents[3]
LONGEST_RUN = 1 << 18
_PIPES = 4


def run(
    arguments: Sequence[str], typed: str, environment: Mapping[str, str], cwd: Path, output: int
) -> tuple[int, str, str]:
    """One run: status as `subprocess` has it, standard output, standard error.

    Args:
        typed: standard input.
        output: a descriptor for standard output, or `subprocess.PIPE`: it is returned.

    Raises:
        TimeoutError: it did not end; it has been killed.
    """
    ours, theirs = zip(*(_pipe(into_child=number == 0) for number in range(_PIPES)), strict=True)
    try:
        question = json.dumps([list(arguments), dict(environment), str(cwd)]).encode()
        out = theirs[1] if output == subprocess.PIPE else output
        socket.send_fds(_server()[1], [question], [theirs[0], out, *theirs[2:]])
        for descriptor in theirs:
            os.close(descriptor)
        with suppress(BrokenPipeError), open(ours[0], "wb") as standard_input:  # noqa: PTH123 (a descriptor)
            standard_input.write(typed.encode())
        shown = _read_all(ours[1:])
    finally:
        for descriptor in ours[1:]:
            os.close(descriptor)
    return int(shown[2].split()[1]), shown[0].decode(), shown[1].decode()


def _pipe(*, into_child: bool) -> tuple[int, int]:
    """Our end, and the other."""
    reading, writing = os.pipe()
    return (writing, reading) if into_child else (reading, writing)


def _read_all(descriptors: Sequence[int]) -> list[bytes]:
    """What comes until all are at their end. The last one tells the process's id first."""
    shown = dict.fromkeys(descriptors, b"")
    deadline = time.monotonic() + PATIENCE_SECONDS
    with selectors.DefaultSelector() as selector:
        for descriptor in descriptors:
            selector.register(descriptor, selectors.EVENT_READ)
        while selector.get_map():
            ready = selector.select(deadline - time.monotonic())
            if not ready:
                os.killpg(int(shown[descriptors[-1]].split()[0]), signal.SIGKILL)
                raise TimeoutError(f"it has said: {shown}")
            for key, _ in ready:
                part = os.read(key.fd, 65536)
                shown[key.fd] += part
                if not part:
                    selector.unregister(key.fd)
    return list(shown.values())


@cache
def _server() -> tuple["subprocess.Popen[bytes]", socket.socket]:
    """The process that forks, and the way to it, at whose end it ends."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, LONGEST_RUN)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.integration.cli.warm_start", str(theirs.fileno())],
        pass_fds=[theirs.fileno()],
        stdin=subprocess.DEVNULL,
        env={"PATH": os.defpath, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
    )
    theirs.close()
    return process, ours


def stop() -> None:
    """End that process, if there is one."""
    if _server.cache_info().currsize:
        process, way = _server()
        way.close()
        process.wait(PATIENCE_SECONDS)
        _server.cache_clear()


def become_a_run(questions: socket.socket) -> None:
    """Fork for each question. Returns in a process that is a run, and nowhere else."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # those that wait for a run are waited for by nobody
    while True:
        question, descriptors, _, _ = socket.recv_fds(questions, LONGEST_RUN, _PIPES)
        if not question:
            raise SystemExit
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            run = os.fork()
            if run == 0:
                _set_the_scene(question, descriptors)
                return
            _tell_the_end_of(run, descriptors)
        for descriptor in descriptors:
            os.close(descriptor)


def _set_the_scene(question: bytes, descriptors: Sequence[int]) -> None:
    arguments, environment, cwd = json.loads(question)
    os.setsid()
    os.chdir(cwd)
    for place, descriptor in enumerate(descriptors[:3]):
        os.dup2(descriptor, place)
    os.closerange(3, max(descriptors) + 1)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    sys.argv[1:] = arguments


def _tell_the_end_of(run: int, descriptors: Sequence[int]) -> None:
    *others, told = descriptors
    for descriptor in others:
        os.close(descriptor)
    os.write(told, b"%d\n" % run)
    _, status = os.waitpid(run, 0)
    os.write(told, b"%d\n" % os.waitstatus_to_exitcode(status))
    os._exit(0)


if __name__ == "__main__":
    for name, source in COMMANDS.items():
        if name != "dev":  # takes what only development has
            import_module(source.module)
    become_a_run(socket.socket(fileno=int(sys.argv[1])))
    main()
