"""What a crash left unfinished: requests that the record allowed, and of which it does not say what became of them.

Read from the end of the chain that is about to go on, before anything of the new life is on it.
"""

import json
import mmap
import os
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from vaultsigner.audit.files.file_names import GZIPPED
from vaultsigner.audit.files.line_files import CompressedDamageError, find_files, open_lines, open_regular
from vaultsigner.audit.files.reading import LONGEST_LINE
from vaultsigner.domain.names import JsonValue
from vaultsigner.domain.record_time import read_record_time
from vaultsigner.errors import AuditError

PERIOD = timedelta(minutes=10)
"""Before the last thing that the service recorded. No request takes that long, but for a body that is streamed."""
MOST_RECORDS = 100_000
"""More are not looked at, so that a start after a crash is not kept waiting."""
MOST_TOLD = 100
TO_BE_SENT = "to be sent"
"""The `reason` of an outcome whose request goes to an exchange next; one that its caller is to send has the same operation."""

_BROADCAST = ".broadcast"
_DECRYPTED_AFTERWARDS = "open_api.user_data"
_OF_REQUESTS = ("request", "intent", "outcome", "dispatch")
_OF_A_LIFE = ("start", "reload", "reload_refused")
_BETWEEN_LIVES = ("stop", "interrupted")

Missing = Literal["outcome", "dispatch"]


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A request, and the record that is missing of it.

    Without its `outcome`, no signature was released; but a broadcast that was repeated has none, and its transaction, signed
    for an earlier request, may be on its way. Without its `dispatch`, it may have been sent, or not.
    """

    request_id: str
    operation: str
    missing: Missing


@dataclass(slots=True)
class Interrupted:
    """A life of the service that had no orderly end.

    Args:
        requests: the last of those that were under way, in the order of their last records.
        more: how many others there were.
    """

    requests: deque[Unfinished] = field(default_factory=deque)
    more: int = 0

    def add_earlier(self, unfinished: Unfinished) -> None:
        """One whose last record is older than those of the others."""
        if len(self.requests) < MOST_TOLD:
            self.requests.appendleft(unfinished)
        else:
            self.more += 1

    def details(self) -> dict[str, JsonValue]:
        """As the record of it says it."""
        requests: list[JsonValue] = [
            {"request_id": each.request_id, "operation": each.operation, "missing": each.missing}
            for each in self.requests
        ]
        return {"requests": requests, "more": self.more}


@dataclass(frozen=True, slots=True)
class _Seen:
    """What matters of a record."""

    event: str | None
    of_service: bool
    time_us: int
    request_id: str
    operation: str
    missing: Missing | None


def find_interrupted(chain: Path) -> Interrupted | None:
    """What the last life that wrote a chain left unfinished; None: it came to an orderly end, or there was none.

    Args:
        chain: its directory; nobody else writes to it meanwhile, but its closed files may be compressed.

    Raises:
        AuditError: a file cannot be read.
    """
    try:
        with closing(_lines_backwards(chain)) as lines:
            return interrupted(islice(lines, MOST_RECORDS))
    except OSError as error:
        raise AuditError(f"{error.filename or chain}: {error.strerror}") from error


def interrupted(lines: Iterable[bytes]) -> Interrupted | None:
    """The same of a chain's lines, the last one first. Pure.

    A request's last record tells how far it came: each is on disk before the next step is taken.
    """
    found: Interrupted | None = None
    known: set[str] = set()
    oldest_us: int | None = None
    for seen in filter(None, map(_seen, lines)):
        if seen.event in _BETWEEN_LIVES:
            break
        if not seen.of_service:
            continue
        found = found or Interrupted()
        oldest_us = oldest_us or seen.time_us - PERIOD // timedelta(microseconds=1)
        if seen.time_us < oldest_us or seen.event == "start":
            break
        if seen.request_id not in known:
            known.add(seen.request_id)
            if seen.missing is not None:
                found.add_earlier(Unfinished(seen.request_id, seen.operation, seen.missing))
    return found


def missing_after(record: dict[str, Any]) -> Missing | None:
    """What ought to have followed the last record of a request. Pure."""
    kind, operation = record["kind"], str(record.get("operation"))
    if kind == "intent" and record["decision"]["effect"] == "allow":
        return "outcome"
    if kind == "outcome" and record["code"] == "ok":
        sent = operation.endswith(_BROADCAST) or record["reason"] == TO_BE_SENT
        return "dispatch" if sent else None
    answered = kind == "dispatch" and record["result"] == "accepted"
    return "outcome" if answered and operation == _DECRYPTED_AFTERWARDS else None


def _seen(line: bytes) -> _Seen | None:
    """None: no record. To find damage is for others."""
    try:
        record = json.loads(line)
        event = record["event"] if record["kind"] == "control" else None
        time_us = read_record_time(record["time"])
        return (
            None
            if time_us is None
            else _Seen(
                event=event,
                of_service=_is_of_service(record),
                time_us=time_us,
                request_id=str(record.get("request_id")),
                operation=str(record.get("operation")),
                missing=missing_after(record),
            )
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _is_of_service(record: dict[str, Any]) -> bool:
    """Whether only a running service writes such a record: others are written by the command line, or for a chain at rest."""
    if record["kind"] != "control":
        return record["kind"] in _OF_REQUESTS
    return record["event"] in _OF_A_LIFE or "request_id" in record["details"]


def _lines_backwards(chain: Path) -> Generator[bytes, None, None]:
    for path in reversed(find_files(chain)[0]):
        yield from _packed(path) if path.name.endswith(GZIPPED) else _plain(path)


def _plain(path: Path) -> Iterator[bytes]:
    with ExitStack() as stack:
        try:
            file = stack.enter_context(open_regular(path))
        except FileNotFoundError:
            # Compressed since it was found: the recorder of the new life has begun with that.
            yield from _packed(path)
            return
        if os.fstat(file.fileno()).st_size == 0:
            return
        data = stack.enter_context(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        end = data.rfind(b"\n") + 1
        while end:
            start = data.rfind(b"\n", 0, end - 1) + 1
            if end - start < LONGEST_LINE:
                yield data[start:end]
            end = start


def _packed(path: Path) -> Iterator[bytes]:
    """Of a compressed file the last lines only: it has to be read from its beginning."""
    last: deque[bytes] = deque(maxlen=MOST_RECORDS // 10)
    with suppress(CompressedDamageError), open_lines(path, 0) as opened:
        while line := opened.lines.readline(LONGEST_LINE):
            last.append(line)
    yield from reversed(last)
