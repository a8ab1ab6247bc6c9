"""What the records say of uses of keys in Vault: the requests that they name, and what else would have used a key.

A use has no id in any record where Vault's answer was left unread (a key that was asked for ahead), where it was unusable (a
client's secret that is none), and in older records, which have no `vault_reads`. Anybody can have an authentication fail, so that
one that failed stands for the keys of the client that its record names, and for nothing else.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from vaultsigner.audit.files.chain_files import ChainFiles, read_lines
from vaultsigner.domain.record_time import read_record_time

Cause = Literal["log-in", "checkpoint", "client's signature", "first address", "asked for ahead"]
LOG_IN, CHECKPOINT = "log-in", "checkpoint"
_SHARED_SECRETS = ("hmac", "open_api")
_TARGETS = ("wallet", "exchange", "open_api")
NOBODY = ""
"""In the place of a client's name: the API key was no client's."""
_CLIENT_NAMED = re.compile(r"client ([^:]+): ")


@dataclass(frozen=True, slots=True)
class NamedRead:
    """A record that names a request of Vault's.

    Args:
        target: what the record is about: `wallet:one`, `log-in`, `checkpoint`.
        path: of the key, where the record says it.
    """

    chain: str
    seq: int
    time_us: int
    operation: str
    request_id: str | None
    vault_request_id: str
    target: str | None
    path: str | None


@dataclass(frozen=True, slots=True)
class Caused:
    """What would have used a key once, at about this time.

    Args:
        path: of that key, where it is known.
        client: whose request it was that failed, or `NOBODY`: a key that it has to do with. None: any.
    """

    time_us: int
    path: str | None = None
    client: str | None = None


@dataclass(slots=True)
class Recorded:
    """What the records say that matters here."""

    named: list[NamedRead] = field(default_factory=list)
    causes: dict[Cause, list[Caused]] = field(default_factory=dict)
    starts: list[int] = field(default_factory=list)
    unnamed_starts: dict[str, int] = field(default_factory=dict)
    first_us: int | None = None
    last_us: int | None = None
    unreadable: int = 0

    def add(self, line: bytes) -> None:
        """Take in a line."""
        try:
            record = json.loads(line)
            time_us = read_record_time(record["time"])
            self._take(record, time_us or 0)
        except (ValueError, TypeError, KeyError, RecursionError):
            self.unreadable += 1
            return
        if time_us is None:
            self.unreadable += 1
            return
        self.first_us = time_us if self.first_us is None else min(self.first_us, time_us)
        self.last_us = time_us if self.last_us is None else max(self.last_us, time_us)

    def _take(self, record: dict[str, Any], time_us: int) -> None:
        self.named.extend(_named(record, time_us))
        for cause, path, client in _causes(record):
            self.causes.setdefault(cause, []).append(Caused(time_us, path, client))
        self._take_start(record, time_us)

    def _take_start(self, record: dict[str, Any], time_us: int) -> None:
        """A start counts only where the requests behind it do not say which keys were read for them."""
        kind, chain = record["kind"], record["chain"]
        if kind == "control" and record.get("event") == "start":
            self.unnamed_starts[chain] = time_us
        elif kind in ("outcome", "request"):
            started = self.unnamed_starts.pop(chain, None)
            if started is not None and "vault_reads" not in record:
                self.starts.append(started)


def read_recorded(chains: Sequence[ChainFiles]) -> Recorded:
    """What all chains say.

    Raises:
        AuditError: a file cannot be read.
    """
    recorded = Recorded()
    for chain in chains:
        for file in chain.files:
            for line in read_lines(file):
                recorded.add(line)
    recorded.starts.sort()
    for caused in recorded.causes.values():
        caused.sort(key=lambda each: each.time_us)
    return recorded


def _named(record: dict[str, Any], time_us: int) -> Iterator[NamedRead]:
    """What a record names: the use of the key that it is about, and others."""
    place = (record["chain"], record["seq"], time_us)
    who = (str(record.get("operation") or record["kind"]), record.get("request_id"))
    if record.get("vault_request_id"):
        yield NamedRead(*place, *who, record["vault_request_id"], _target(record), None)
    for read in record.get("vault_reads") or ():
        if read["request_id"]:
            yield NamedRead(*place, *who, read["request_id"], None, read["path"])


def _target(record: dict[str, Any]) -> str | None:
    if record["kind"] == "checkpoint":
        return CHECKPOINT
    if record.get("operation") == "auth.login":
        return LOG_IN
    return next((f"{kind}:{record[kind]}" for kind in _TARGETS if record.get(kind)), None)


def _causes(record: dict[str, Any]) -> Iterator[tuple[Cause, str | None, str | None]]:
    """What a record would have caused, beside what it names; with the path and the client of `Caused`."""
    kind, code = record["kind"], record.get("code")
    if kind == "checkpoint" and not record.get("vault_request_id"):
        yield "checkpoint", None, None
    if kind not in ("outcome", "request"):
        return
    if record.get("operation") == "auth.login" and code == "ok" and not record.get("vault_request_id"):
        yield "log-in", None, None
    if "vault_reads" not in record:
        yield from ((cause, None, client) for cause, client in _causes_of_older(record))
        return
    uses = [read["use"] for read in record["vault_reads"]]
    client = _client_named(record)
    if code == "authentication_failed" and "secret" not in uses and client != NOBODY:
        # Vault has the secret's path, but there is no such secret in it.
        yield "client's signature", None, client
    for read in record["vault_reads"]:
        if read["use"] == "ahead":
            yield "asked for ahead", read["path"], None


def _client_named(record: dict[str, Any]) -> str:
    """The client whose request failed, as the service says it in the reason, which quotes nothing that a caller sent."""
    found = _CLIENT_NAMED.match(str(record.get("reason")))
    return found[1] if found else NOBODY


def _causes_of_older(record: dict[str, Any]) -> Iterator[tuple[Cause, str | None]]:
    """Records that do not say which keys were read to find out who asked."""
    principal, code = record.get("principal") or {}, record.get("code")
    if principal.get("scheme") in _SHARED_SECRETS:
        yield "client's signature", None
        if code != "ok":
            yield "asked for ahead", None
    elif code == "authentication_failed":
        # For an API key that nobody has, a secret is read all the same, and no key is asked for ahead.
        client = _client_named(record)
        yield "client's signature", client
        if client != NOBODY:
            yield "asked for ahead", client
