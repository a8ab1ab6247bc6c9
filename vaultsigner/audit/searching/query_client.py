"""Asks the process that searches the record: see `query_worker`. It is started when somebody asks, and ended when nobody does."""

import asyncio
import json
import os
import shutil
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import vaultsigner
from vaultsigner.errors import VaultsignerError

DEADLINE_SECONDS = 30.0
EXPORT_SECONDS = 600.0
IDLE_SECONDS = 300.0
MOST_WAITING = 16
MOST_EXPORTS = 2
LONGEST_LINE = 64 * 1024 * 1024
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH")


@dataclass(frozen=True, slots=True)
class _Worker:
    """A running worker, and the directory that is its own: what is left in there by one that was killed goes with it."""

    process: Process
    scratch: Path


class QueryError(VaultsignerError):
    """The record cannot be searched now; the message says why."""

    code = "record_unreadable"


class QueryBusyError(QueryError):
    """Too many want to search it at the same time."""

    code = "rate_limited"


class Export:
    """A long answer on its way, in parts. It is closed once its last part is taken, or by `close`."""

    def __init__(
        self, parts: AsyncGenerator[str, None], end: Callable[[], Coroutine[None, None, None]]
    ) -> None:
        self._parts = parts
        self._end: Callable[[], Coroutine[None, None, None]] | None = end
        self._ending: asyncio.Task[None] | None = None

    async def __aiter__(self) -> AsyncGenerator[bytes, None]:
        """Every part.

        Raises:
            QueryError: the rest does not come.
        """
        try:
            async with aclosing(self._parts) as parts:
                async for part in parts:
                    yield part.encode()
        finally:
            self.close()
            if self._ending is not None:
                await asyncio.shield(self._ending)

    def close(self) -> None:
        """No more of it is wanted."""
        end, self._end = self._end, None
        if end is not None:
            self._ending = asyncio.get_running_loop().create_task(end())


class QueryClient:
    """One worker for questions, one after the other; each export has a worker of its own, since whoever takes it may be slow.

    Args:
        directory: what the workers may read.
        deadline_seconds: for a question, once it is its turn; the worker is killed then.
        idle_seconds: after which the worker ends.
    """

    def __init__(
        self,
        directory: Path,
        *,
        deadline_seconds: float = DEADLINE_SECONDS,
        idle_seconds: float = IDLE_SECONDS,
        export_seconds: float = EXPORT_SECONDS,
    ) -> None:
        self._directory = directory.absolute()
        self._deadline_seconds = deadline_seconds
        self._idle_seconds = idle_seconds
        self._export_seconds = export_seconds
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._exports = 0
        self._worker: _Worker | None = None
        self._ending: asyncio.TimerHandle | None = None
        self._tidying: asyncio.Task[None] | None = None

    async def ask(self, name: str, **question: Any) -> tuple[list[str], Any]:
        """The parts of the answer, and what it ends with.

        Raises:
            QueryBusyError: too many wait already.
            QueryError: there is no answer, or none in time.
        """
        if self._waiting >= MOST_WAITING:
            raise QueryBusyError("Too many wait for a search of the record: try again in a moment")
        self._waiting += 1
        try:
            async with self._turn:
                return await self._asked({"ask": name, **question})
        finally:
            self._waiting -= 1

    async def export(self, name: str, **question: Any) -> "Export":
        """The parts of a long answer, as fast as they are taken. Whoever has it closes it.

        Raises:
            QueryBusyError, QueryError: as for `ask`; the latter also while the parts are taken.
        """
        if self._exports >= MOST_EXPORTS:
            raise QueryBusyError("Others export records at this moment: try again when they have finished")
        self._exports += 1
        try:
            worker = await self._start()
        except BaseException as error:
            self._exports -= 1
            if isinstance(error, OSError):
                raise QueryError(f"The record cannot be searched: {error.strerror}") from error
            raise
        return Export(self._parts(worker, {"ask": name, **question}), lambda: self._exported(worker))

    async def _exported(self, worker: _Worker) -> None:
        try:
            await _end(worker)
        finally:
            self._exports -= 1

    async def close(self) -> None:
        """End the worker."""
        if self._ending is not None:
            self._ending.cancel()
        worker, self._worker = self._worker, None
        if worker is not None:
            await _end(worker)

    async def _asked(self, question: Mapping[str, Any]) -> tuple[list[str], Any]:
        if self._ending is not None:
            self._ending.cancel()
        answered = False
        try:
            if self._worker is None or self._worker.process.returncode is not None:
                self._worker = await self._start()
            async with asyncio.timeout(self._deadline_seconds):
                answer = await _answer(self._worker, question)
        except TimeoutError:
            raise QueryError(
                f"That took longer than {self._deadline_seconds:g} s: narrow the time that you look at"
            ) from None
        except _ProblemError as problem:
            answered = True
            raise QueryError(str(problem)) from None
        except (OSError, EOFError, ValueError) as error:
            raise QueryError("The record cannot be searched: the process that does it ended") from error
        else:
            answered = True
            return answer
        finally:
            # Also when whoever asked has gone: half an answer must not become the next one's.
            if not answered and self._worker is not None:
                worker, self._worker = self._worker, None
                await asyncio.shield(_end(worker))
            self._ending = asyncio.get_running_loop().call_later(self._idle_seconds, self._end_idle)

    async def _parts(self, worker: _Worker, question: Mapping[str, Any]) -> AsyncGenerator[str, None]:
        try:
            async with asyncio.timeout(self._export_seconds):
                await _put(worker, question)
                while True:
                    told = await _told(worker)
                    if "done" in told:
                        return
                    yield told["part"]
        except TimeoutError:
            raise QueryError(
                f"The export took longer than {self._export_seconds:g} s: narrow the time"
            ) from None
        except (OSError, EOFError, ValueError, _ProblemError) as error:
            raise QueryError(f"The export ended before its end: {error}") from error

    def _end_idle(self) -> None:
        if not self._turn.locked():
            self._tidying = asyncio.get_running_loop().create_task(self.close())

    async def _start(self) -> _Worker:
        scratch = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="vaultsigner-query-"))
        environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", "vaultsigner.audit.searching.query_worker", str(self._directory)),
                stdin=PIPE,
                stdout=PIPE,
                stderr=DEVNULL,
                env={**environment, "TMPDIR": str(scratch)},
                cwd=Path(vaultsigner.__file__).parents[1],
                limit=LONGEST_LINE,
            )
        except BaseException:
            await asyncio.to_thread(shutil.rmtree, scratch, ignore_errors=True)
            raise
        return _Worker(process, scratch)


class _ProblemError(Exception):
    """What the worker says instead of an answer; it can be asked again."""


async def _answer(worker: _Worker, question: Mapping[str, Any]) -> tuple[list[str], Any]:
    await _put(worker, question)
    parts: list[str] = []
    while True:
        told = await _told(worker)
        if "done" in told:
            return parts, told["done"]
        parts.append(told["part"])


async def _put(worker: _Worker, question: Mapping[str, Any]) -> None:
    if worker.process.stdin is None:
        raise EOFError
    worker.process.stdin.write(json.dumps(question).encode() + b"\n")
    await worker.process.stdin.drain()


async def _told(worker: _Worker) -> dict[str, Any]:
    line = await worker.process.stdout.readline() if worker.process.stdout is not None else b""
    if not line.endswith(b"\n"):
        raise EOFError
    told: dict[str, Any] = json.loads(line)
    if "problem" in told:
        raise _ProblemError(told["problem"])
    return told


async def _end(worker: _Worker) -> None:
    with suppress(ProcessLookupError):
        worker.process.kill()
    if worker.process.stdin is not None:
        worker.process.stdin.close()
    await worker.process.wait()
    await asyncio.to_thread(shutil.rmtree, worker.scratch, ignore_errors=True)
