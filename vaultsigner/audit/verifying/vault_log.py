"""Reads Vault's own audit log, as its file device (or OpenBao's) writes it: which keys were read or used, when, by whom."""

import gzip
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BufferedReader
from pathlib import Path
from typing import Any, Literal

from vaultsigner.errors import AuditError

LONGEST_LINE = 16 * 1024 * 1024
KeyUse = Literal["read", "sign", "hmac", "decrypt"]
_TRANSIT_USES: tuple[KeyUse, ...] = ("sign", "hmac", "decrypt")
_NO_VALUES = ("metadata/", "subkeys/", "config")
"""What can be read of KV version 2 without a secret's value."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class KeyRead:
    """A key that left Vault, or was used in it.

    Args:
        request_id: Vault's own.
        time_us: when it was answered, in microseconds since 1970.
        path: of the key: `secret/data/wallets/one`, `transit/access-tokens`.
        use: `read` from KV, or what Transit did.
        policies: of the token.
        who: the token's display name, and from where.
    """

    request_id: str
    time_us: int
    path: str
    use: KeyUse
    policies: tuple[str, ...]
    who: str


@dataclass(slots=True)
class VaultLog:
    """What is in the log.

    Args:
        entries: lines of any kind.
        unreadable: lines that are none; half a line at the end counts.
    """

    reads: list[KeyRead] = field(default_factory=list)
    entries: int = 0
    unreadable: int = 0
    first_us: int | None = None
    last_us: int | None = None

    def add(self, line: bytes) -> None:
        """Take in a line."""
        try:
            entry = json.loads(line)
            time_us = _time_us(entry["time"])
            read = _key_read(entry, time_us)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            self.unreadable += 1
            return
        self.entries += 1
        self.first_us = time_us if self.first_us is None else min(self.first_us, time_us)
        self.last_us = time_us if self.last_us is None else max(self.last_us, time_us)
        if read is not None:
            self.reads.append(read)


def read_vault_log(paths: Sequence[Path]) -> VaultLog:
    """All of it, in the order of its times.

    Args:
        paths: its files, in any order; compressed ones end in .gz.

    Raises:
        AuditError: one cannot be read, or has lines and is no audit log of Vault.
    """
    log = VaultLog()
    for path in paths:
        entries, unreadable = log.entries, log.unreadable
        for line in _lines(path):
            log.add(line)
        if log.entries == entries and log.unreadable > unreadable:
            count = log.unreadable - unreadable
            raise AuditError(f"{path}: none of its {count} lines is an entry of Vault's audit log")
    log.reads.sort(key=lambda read: read.time_us)
    return log


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with _opened(path) as file:
            while line := file.readline(LONGEST_LINE):
                if line.strip():
                    yield line
    except (OSError, EOFError, zlib.error) as error:
        raise AuditError(f"{path}: {getattr(error, 'strerror', None) or error}") from error


def _opened(path: Path) -> gzip.GzipFile | BufferedReader:
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")


def _key_read(entry: dict[str, Any], time_us: int) -> KeyRead | None:
    """What an answer gave away; None for everything else, and for what was refused or is no key's."""
    request = entry["request"]
    if entry["type"] != "response" or entry.get("error"):
        return None
    found = _key_use(request)
    if found is None or (found[1] == "read" and not _has_secret(entry)):
        return None
    auth = entry.get("auth") or {}
    who = f"{auth.get('display_name') or 'a token'} from {request.get('remote_address') or 'somewhere'}"
    policies = tuple(str(each) for each in auth.get("policies") or ())
    return KeyRead(str(request["id"]), time_us, *found, policies, who)


def _key_use(request: dict[str, Any]) -> tuple[str, KeyUse] | None:
    mount, kind = str(request.get("mount_point", "")), request.get("mount_type")
    path, operation = str(request["path"]), request.get("operation")
    inner = path.removeprefix(mount)
    if kind == "transit":
        use, _, key = inner.partition("/")
        known = next((each for each in _TRANSIT_USES if each == use), None)
        return None if known is None or operation != "update" else (mount + key.partition("/")[0], known)
    if kind in ("kv", "generic") and operation == "read" and not inner.startswith(_NO_VALUES):
        return path, "read"
    return None


def _has_secret(entry: dict[str, Any]) -> bool:
    """A read of what is not there, or was deleted, is answered too."""
    data = (entry.get("response") or {}).get("data") or {}
    return bool(data.get("data", data))


def _time_us(text: str) -> int:
    """Vault writes nanoseconds, of which the last digits go."""
    whole, _, rest = text.removesuffix("Z").partition(".")
    moment = datetime.fromisoformat(f"{whole}+00:00")
    return (
        (moment - _EPOCH).days * 86_400_000_000
        + (moment - _EPOCH).seconds * 1_000_000
        + int(f"{rest:0<6}"[:6])
    )
