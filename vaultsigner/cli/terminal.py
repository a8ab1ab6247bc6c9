"""The operator's terminal: hidden questions, typed confirmations, and showing a secret once.

Everything goes to /dev/tty itself, so a redirected standard output never catches a secret and a pipe on standard input never
answers a question meant for a person.
"""

import getpass
import os
import sys
from contextlib import suppress

from vaultsigner.errors import VaultsignerError

_ALTERNATE_SCREEN, _MAIN_SCREEN = "\x1b[?1049h\x1b[2J\x1b[H", "\x1b[2J\x1b[?1049l"


class TerminalError(VaultsignerError):
    """A person is needed and there is no terminal to ask on, or the person went away."""


def has_terminal() -> bool:
    """Whether this process has a controlling terminal to ask on."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def ask_hidden(question: str) -> str:
    """Ask for a secret without echo.

    Raises:
        TerminalError: no terminal, or end of input.
    """
    _require_terminal()
    try:
        return getpass.getpass(f"{question}: ")
    except EOFError:
        raise TerminalError("nothing was typed") from None


def ask(question: str) -> str:
    """Ask for a line, with echo.

    Raises:
        TerminalError: no terminal.
    """
    _require_terminal()
    with open("/dev/tty", "r+b", buffering=0) as tty:  # noqa: PTH123 - one unbuffered device for both ways
        tty.write(f"{question}: ".encode())
        return _read_line(tty.fileno()).decode(errors="replace").strip()


def show_once(title: str, secret: str) -> None:
    """Show a secret on the terminal's alternate screen, so that it does not stay in the scrollback.

    Raises:
        TerminalError: no terminal.
    """
    _require_terminal()
    with open("/dev/tty", "r+b", buffering=0) as tty:  # noqa: PTH123 - one unbuffered device for both ways
        tty.write(
            f"{_ALTERNATE_SCREEN}{title}\n\n{secret}\n\nWrite it down, then press Enter to clear it: ".encode()
        )
        try:
            _read_line(tty.fileno())
        finally:
            with suppress(OSError):
                tty.write(_MAIN_SCREEN.encode())


def read_secret(question: str, *, limit_bytes: int = 4096) -> str:
    """A secret from a hidden prompt, or from standard input where that is a pipe or a file; one closing newline is dropped.

    Raises:
        TerminalError: nothing came, too much came, or it is not text.
    """
    if sys.stdin.isatty():
        return ask_hidden(question)
    data = sys.stdin.buffer.read(limit_bytes + 1)
    if not data.strip():
        raise TerminalError(
            "nothing on standard input: pipe the secret in, or run this on a terminal to be asked for it"
        )
    return secret_text(data, "standard input", limit_bytes=limit_bytes)


def secret_text(data: bytes, origin: str, *, limit_bytes: int) -> str:
    """What was read, as text, without one closing newline.

    Raises:
        TerminalError: it is empty, too much, or not text; says where it came from, never what it is.
    """
    if len(data) > limit_bytes:
        raise TerminalError(f"there are more than {limit_bytes} bytes in {origin}")
    if not data.strip():
        raise TerminalError(f"there is nothing in {origin}")
    try:
        return data.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise TerminalError(f"{origin} is not UTF-8 text") from None


def _require_terminal() -> None:
    if not has_terminal():
        raise TerminalError("this needs a terminal, and there is none")


def _read_line(descriptor: int) -> bytes:
    line = bytearray()
    while (character := os.read(descriptor, 1)) not in (b"", b"\n"):
        line += character
    return bytes(line)
