"""The server as a process: no core files, no debugger, and an end that finishes what it began."""

import asyncio
import ctypes
import resource
import signal
import sys
from typing import Any

import structlog

from vaultsigner.errors import VaultsignerError

log = structlog.get_logger(__name__)

_PR_SET_DUMPABLE = 4


class ProcessError(VaultsignerError):
    """The process could not be protected."""


def protect_memory() -> None:
    """Make no core file, and let no process of the same user read this one's memory (prctl(2), PR_SET_DUMPABLE).

    Access tokens and what clients send pass through here, though no key ever does.

    Raises:
        ProcessError: the kernel refused.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if not sys.platform.startswith("linux"):
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        raise ProcessError(f"prctl(PR_SET_DUMPABLE, 0) failed with errno {ctypes.get_errno()}")


async def until_told_to_stop() -> None:
    """Return once SIGTERM or SIGINT comes."""
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, told.set)
    await told.wait()


def log_loop_trouble(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log what the event loop reports of callbacks and forgotten tasks; by itself it would print the exception's text."""
    log.error("event loop trouble", problem=context.get("message"), exc_info=context.get("exception"))
