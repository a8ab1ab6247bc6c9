"""A log of 10,000 records over five days, as the service writes them, and copies of it that somebody has been at."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from itertools import groupby
from pathlib import Path

from tests.unit.cli.policy_records import ALLOWED, DENIED, SAM, decided, transfer
from vaultsigner.audit.chain import Head, read_line, seal
from vaultsigner.audit.entries import Control, Entry, Outcome, RequestRefused
from vaultsigner.domain.names import Operation, RequestId
from vaultsigner.domain.targets import Target

CHAIN, OTHER_CHAIN = "00000000000000aa", "00000000000000bb"
RECORDS, DAYS = 10_000, 5
_BEGIN_US = int(datetime(2026, 11, 20, tzinfo=UTC).timestamp()) * 1_000_000
_DAY_US = 86_400 * 1_000_000


@dataclass(frozen=True, slots=True)
class Log:
    """A chain's lines, and the head after each."""

    lines: tuple[bytes, ...]
    heads: tuple[Head, ...]

    def head_before(self, index: int) -> Head:
        """The head that line `index` continues."""
        return self.heads[index - 1] if index else Head(self.heads[0].chain)


@cache
def long_log(chain: str = CHAIN, records: int = RECORDS) -> Log:
    """The log; the same each time."""
    return log_of(Head(chain), records)


def log_of(head: Head, records: int, note: str = "") -> Log:
    """Records that continue a head; `note` makes them others."""
    lines, heads = [], []
    for number in range(head.seq, head.seq + records):
        line, head = seal(
            entry_of(number, note).members(), head, _BEGIN_US + number * DAYS * _DAY_US // RECORDS
        )
        lines.append(line)
        heads.append(head)
    return Log(tuple(lines), tuple(heads))


def day_of(line: bytes) -> str:
    """The day of an intact line."""
    return datetime.fromtimestamp(read_line(line)[0].time_us / 1e6, UTC).date().isoformat()


def days_of(lines: Sequence[bytes]) -> list[tuple[str, list[bytes]]]:
    """Intact lines by their days."""
    return [(day, list(found)) for day, found in groupby(lines, key=day_of)]


def write_days(directory: Path, days: Sequence[tuple[str, Sequence[bytes]]], chain: str = CHAIN) -> Path:
    """A chain's directory with those files and no others."""
    path = directory / chain
    path.mkdir(parents=True, exist_ok=True)
    for old in path.iterdir():
        old.unlink()
    for day, lines in days:
        (path / f"{day}.jsonl").write_bytes(b"".join(lines))
    return path


def resealed(log: Log, index: int) -> Iterator[bytes]:
    """From line `index` to the end with other contents and correct hashes."""
    yield from log_of(log.head_before(index), len(log.lines) - index, note="rewritten").lines


def forged(log: Log, index: int) -> bytes:
    """Another record in the place of line `index`, with a correct hash and the right `prev`."""
    return log_of(log.head_before(index), 1, note="forged").lines[0]


def entry_of(number: int, note: str) -> Entry:
    """Of every kind; some have texts that JSON escapes."""
    match number % 5:
        case 0:
            return decided(transfer(f"{number}.5", memo=note), DENIED if number % 3 else ALLOWED)
        case 1:
            return decided(transfer("1", f"{number}.00000001", memo=note or "invoice"), ALLOWED)
        case 2:
            return _outcome(number, note)
        case 3:
            return _refused(number, note)
    return Control("reload", {"note": note or 'a "quoted" text: \u2028\\', "number": number})


def _outcome(number: int, note: str) -> Outcome:
    return Outcome(
        request_id=RequestId(f"r{number}"),
        principal=SAM,
        ip="10.0.0.7",
        operation=Operation("transfer.sign"),
        target=Target("wallet", "hot"),
        status=200,
        reason=note or None,
        signed_sha256=sha256(b"%d" % number).hexdigest(),
        sequence=number,
        policy=ALLOWED.policy,
    )


def _refused(number: int, note: str) -> RequestRefused:
    return RequestRefused(
        request_id=RequestId(f"r{number}"),
        ip="10.0.0.8",
        status=401,
        code="unauthenticated",
        reason=f"{note}no such user",
        unknown_members=("a", "b:c") if number % 2 else (),
        policy=ALLOWED.policy,
    )
