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

MAX_CONNECTIONS = 4096
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


def raise_file_limit() -> None:
    """Let this process have as many connections open as the system lets it: the usual 1,024 are soon taken."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (OSError, ValueError) as error:
        # Some systems name a hard limit that they do not grant; the soft one is enough to serve.
        log.warning("the limit on open files stays as it is", problem=str(error))


def connection_limit() -> int:
    """How many clients may be connected at once: a quarter of the open files is left for custody, the state and the record."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MAX_CONNECTIONS if soft == resource.RLIM_INFINITY else min(soft * 3 // 4, MAX_CONNECTIONS)


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
