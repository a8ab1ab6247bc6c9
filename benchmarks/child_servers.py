"""Servers in processes of their own, so that what they do is not done by the process that makes the load."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ChildServer:
    """One that listens on loopback."""

    pid: int
    port: int


@asynccontextmanager
async def run_child_server(module: str, told: bytes = b"") -> AsyncIterator[ChildServer]:
    """Run a module that prints its port and serves until its input ends, for as long as the block lasts.

    Args:
        told: the first line of its input, if it wants one.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdin
    assert process.stdout
    try:
        process.stdin.write(told)
        yield ChildServer(process.pid, int(await process.stdout.readline()))
    finally:
        process.stdin.close()
        await process.wait()
