"""The record beside Vault's own audit log: key reads that no record names, and records of key reads that Vault knows nothing of.

A record of a signature names Vault's request by its id: these are matched exactly. A few uses of keys have no record with their
id: a token for a log-in, a checkpoint, a client's shared secret for checking its signature, a wallet's first address after a
start, a key that was asked for ahead and then not needed. Such a use counts as explained when the record has, at that time, what
would cause it, and each cause explains no more than it would cause. They are told apart, for a time proves less than an id.
"""

import json
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from vaultsigner.audit.chain_files import ChainFiles, read_lines
from vaultsigner.audit.vault_log import KeyRead, VaultLog
from vaultsigner.domain.record_time import read_record_time

SERVICE_POLICY = "vaultsigner"
Cause = Literal["log-in", "checkpoint", "client's signature", "first address", "asked for ahead"]
_SHARED_SECRETS = ("hmac", "open_api")


@dataclass(frozen=True, slots=True)
class KnownKeys:
    """Which keys the service has, by the paths that the log has; from the configuration.

    Args:
        wallets, signing, clients: of wallets; of everything that signs or decrypts, wallets too; of clients' secrets.
        log_in, checkpoint: of these two.
    """

    wallets: frozenset[str]
    signing: frozenset[str]
    clients: frozenset[str]
    log_in: str | None
    checkpoint: str | None

    @property
    def all(self) -> frozenset[str]:
        """Every one."""
        return self.signing | self.clients | {each for each in (self.log_in, self.checkpoint) if each}


@dataclass(frozen=True, slots=True)
class NamedRead:
    """A record that names a request of Vault's."""

    chain: str
    seq: int
    time_us: int
    operation: str
    request_id: str
    vault_request_id: str


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What is found, over the time that both logs cover.

    Args:
        begin_us, end_us: that time.
        reads: key reads in it.
        matched: of them, named by a record.
        explained: of them, by what they are taken for.
        unrecorded: of them, the rest.
        unread: records of key reads that the log does not have.
        outside: records that name a request at a time that the log does not cover.
    """

    begin_us: int
    end_us: int
    reads: int
    matched: int
    explained: dict[str, int]
    unrecorded: tuple[KeyRead, ...]
    unread: tuple[NamedRead, ...]
    outside: int

    @property
    def agrees(self) -> bool:
        """Whether neither knows of something that the other does not."""
        return not self.unrecorded and not self.unread


@dataclass(slots=True)
class Recorded:
    """What the records say that matters here."""

    named: list[NamedRead] = field(default_factory=list)
    causes: dict[Cause, list[int]] = field(default_factory=dict)
    starts: list[int] = field(default_factory=list)
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
        vault_id = record.get("vault_request_id")
        if vault_id:
            names = (record["chain"], record["seq"], time_us, record["operation"], record["request_id"])
            self.named.append(NamedRead(*names, vault_id))
        for cause in _causes(record):
            self.causes.setdefault(cause, []).append(time_us)
        if record["kind"] == "control" and record.get("event") == "start":
            self.starts.append(time_us)


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
    for times in recorded.causes.values():
        times.sort()
    return recorded


def reconcile(
    log: VaultLog,
    recorded: Recorded,
    *,
    known: KnownKeys | None = None,
    policies: Iterable[str] = (SERVICE_POLICY,),
    slack_us: int,
) -> Reconciliation:
    """Compare the two.

    Args:
        known: the configuration's keys. None: those that a token with one of the policies ever used, whoever else did.
        policies: of tokens that are the service's.
        slack_us: how far the clocks may be apart, and how long a record may come after its read.
    """
    begin = max(log.first_us or 0, recorded.first_us or 0)
    end = min(log.last_us or 0, recorded.last_us or 0)
    ours = frozenset(policies)
    relevant = _relevant(log.reads, known, ours)
    names = {each.vault_request_id for each in recorded.named}
    covered = [each for each in relevant if begin <= each.time_us <= end]
    unnamed = [each for each in covered if each.request_id not in names]
    causes = _Causes(recorded, known, {each.path for each in relevant if each.request_id in names}, slack_us)
    explained: Counter[str] = Counter()
    unrecorded: list[KeyRead] = []
    for read in unnamed:
        cause = causes.of(read) if ours.intersection(read.policies) else None
        if cause is not None:
            explained[cause] += 1
        elif read.time_us <= end - slack_us or read.time_us >= end + slack_us:
            unrecorded.append(read)
    in_vault = {each.request_id for each in log.reads}
    missing = [each for each in recorded.named if each.vault_request_id not in in_vault]
    unread = [each for each in missing if begin + slack_us <= each.time_us <= end + slack_us]
    return Reconciliation(
        begin,
        end,
        len(covered),
        len(covered) - len(unnamed),
        dict(explained),
        tuple(unrecorded),
        tuple(unread),
        len(missing) - len(unread),
    )


def _relevant(reads: list[KeyRead], known: KnownKeys | None, ours: frozenset[str]) -> list[KeyRead]:
    paths = {each.path for each in reads if ours.intersection(each.policies)} if known is None else known.all
    return [each for each in reads if each.path in paths]


def _causes(record: dict[str, Any]) -> Iterator[Cause]:
    """What a record would have caused, beside what it names."""
    kind, code = record["kind"], record.get("code")
    if kind == "checkpoint":
        yield "checkpoint"
    if kind == "outcome" and record.get("operation") == "auth.login" and code == "ok":
        yield "log-in"
    if kind not in ("outcome", "request"):
        return
    principal = record.get("principal") or {}
    if principal.get("scheme") in _SHARED_SECRETS:
        yield "client's signature"
        if code != "ok":
            yield "asked for ahead"
    elif code == "authentication_failed":
        # Its own secret, where there is one, and another's in its place.
        yield "client's signature"
        yield "client's signature"
        yield "asked for ahead"


class _Causes:
    """Gives each cause away once."""

    def __init__(self, recorded: Recorded, known: KnownKeys | None, named: set[str], slack_us: int) -> None:
        self._left = {cause: list(times) for cause, times in recorded.causes.items()}
        self._starts = recorded.starts
        self._first: Counter[str] = Counter()
        self._known = known
        self._named = named
        self._slack_us = slack_us

    def of(self, read: KeyRead) -> Cause | None:
        """What explains a use of a key by the service that no record names."""
        if read.use != "read":
            return next((cause for cause in self._in_transit(read) if self._take(cause, read)), None)
        if self._is_client(read) and self._take("client's signature", read):
            return "client's signature"
        if self._is_wallet(read) and self._is_first(read):
            return "first address"
        if self._signs(read) and self._take("asked for ahead", read):
            return "asked for ahead"
        return None

    def _in_transit(self, read: KeyRead) -> tuple[Cause, ...]:
        if self._known is None:
            return ("checkpoint", "log-in") if read.path not in self._named else ()
        if read.path == self._known.checkpoint:
            return ("checkpoint",)
        return ("log-in",) if read.path == self._known.log_in else ()

    def _is_client(self, read: KeyRead) -> bool:
        return read.path not in self._named if self._known is None else read.path in self._known.clients

    def _is_wallet(self, read: KeyRead) -> bool:
        return self._known is None or read.path in self._known.wallets

    def _signs(self, read: KeyRead) -> bool:
        return self._known is None or read.path in self._known.signing

    def _is_first(self, read: KeyRead) -> bool:
        """Each start asks for each address once, when it is needed."""
        begun = bisect_left(self._starts, read.time_us + self._slack_us)
        if self._first[read.path] >= begun:
            return False
        self._first[read.path] += 1
        return True

    def _take(self, cause: Cause, read: KeyRead) -> bool:
        times = self._left.get(cause, [])
        at = bisect_left(times, read.time_us - self._slack_us)
        if at < len(times) and times[at] <= read.time_us + self._slack_us:
            del times[at]
            return True
        return False
