"""What outlives a crash of custody, and in what memory."""

import mmap
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from vaultsigner.custody.vault_token.keepsake import Keepsake
from vaultsigner.custody.vault_token.keepsake_memory import SIZE, hand_over, take_over

MAKE = """\
import ctypes, os
from vaultsigner.custody.vault_token.keepsake_memory import make_keepsake_memory
descriptor = make_keepsake_memory()
print(os.readlink(f"/proc/self/fd/{descriptor}"), os.get_inheritable(descriptor), os.fstat(descriptor).st_size)
print(ctypes.CDLL(None).prctl(3))
"""


LIST_DESCRIPTORS = """\
import os, sys
print([os.readlink(f"/proc/self/fd/{each}") for each in sys.argv[1:]])
sys.stdout.flush()
sys.stdin.read()
"""


@pytest.fixture
def descriptor() -> Iterator[int]:
    made = os.memfd_create("test")
    os.ftruncate(made, SIZE)
    yield made
    os.close(made)


def test_the_next_process_finds_what_was_kept(descriptor: int) -> None:
    first = Keepsake(descriptor)
    assert (first.token(), first.secret_id(), first.spent) == (None, None, b"")
    first.keep_token(bytearray(b"s.one"))
    first.keep_secret_id(bytearray(b"of-the-role"), b"d" * 32)
    first.keep_token(bytearray(b"s.two"))
    second = Keepsake(descriptor)
    assert (second.token(), second.secret_id()) == (bytearray(b"s.two"), bytearray(b"of-the-role"))
    assert second.spent == b"d" * 32
    second.keep_token(None)
    assert (first.token(), first.secret_id()) == (None, bytearray(b"of-the-role"))


def test_nothing_of_an_older_one_is_left(descriptor: int) -> None:
    keepsake = Keepsake(descriptor)
    for token in (b"s.first-and-longer", b"s.second", b"s.third"):
        keepsake.keep_token(bytearray(token))
    held = os.pread(descriptor, SIZE, 0)
    assert b"s.third" in held
    assert b"first" not in held
    assert b"second" not in held
    keepsake.forget()
    assert not any(os.pread(descriptor, SIZE, 0))


def test_a_crash_while_writing_leaves_what_was_there(descriptor: int) -> None:
    """Until the one byte at the start turns, the other place does not count."""
    keepsake = Keepsake(descriptor)
    keepsake.keep_token(bytearray(b"s.whole"))
    (turn,) = os.pread(descriptor, 1, 0)
    other = SIZE // 2 + 32 if turn == 1 else 64
    os.pwrite(descriptor, b"\x00\x20half of a token", other)
    assert Keepsake(descriptor).token() == bytearray(b"s.whole")


@pytest.mark.parametrize("filling", [b"\xff", b"\x01", b"\x02"])
def test_whatever_lies_there_is_read_within_bounds(descriptor: int, filling: bytes) -> None:
    os.pwrite(descriptor, filling * SIZE, 0)
    keepsake = Keepsake(descriptor)
    assert len(keepsake.token() or b"") <= 4096
    assert len(keepsake.spent) <= 32
    keepsake.keep_token(bytearray(b"s.fresh"))
    assert keepsake.token() == bytearray(b"s.fresh")


def test_without_memory_from_outside_it_lasts_as_long_as_the_process() -> None:
    keepsake = Keepsake(None)
    keepsake.keep_token(bytearray(b"s.one"))
    assert keepsake.token() == bytearray(b"s.one")
    assert Keepsake(None).token() is None


def test_the_launchers_memory_has_no_name_and_nobody_traces_its_holder() -> None:
    """Else another process of the same user, such as the server, could open the descriptor through /proc."""
    done = subprocess.run([sys.executable, "-c", MAKE], capture_output=True, text=True, check=True)
    where, dumpable = done.stdout.splitlines()
    assert "/secretmem" in where or "/memfd:" in where
    assert where.endswith(f"False {SIZE}")
    assert dumpable == "0"


def test_the_memory_waits_for_custody_where_nobody_of_the_same_user_can_open_it(descriptor: int) -> None:
    """Until custody forbids it, its /proc/PID/fd is open to every process of its user, a server in wrong hands among them."""
    with hand_over(descriptor) as waiting:
        number = waiting.fileno()
        with subprocess.Popen(
            [sys.executable, "-c", LIST_DESCRIPTORS, str(number)],
            pass_fds=[number],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as child:
            assert child.stdout is not None
            assert "socket:" in child.stdout.readline()
            for each in sorted(Path(f"/proc/{child.pid}/fd").iterdir()):
                assert "memfd" not in str(each.readlink())
            with pytest.raises(OSError, match="No such device or address"):
                os.open(f"/proc/{child.pid}/fd/{number}", os.O_RDWR)
        os.pwrite(descriptor, b"kept", 100)
        taken = take_over(os.dup(number))
    with mmap.mmap(taken, SIZE) as memory:
        assert memory[100:104] == b"kept"
    os.close(taken)


def test_an_empty_socket_is_no_memory(descriptor: int) -> None:
    with hand_over(descriptor) as waiting:
        os.close(take_over(os.dup(waiting.fileno())))
        with pytest.raises(OSError, match="no memory"):
            take_over(os.dup(waiting.fileno()))
