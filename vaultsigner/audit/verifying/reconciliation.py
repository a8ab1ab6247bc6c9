"""The record beside Vault's own audit log: key reads that no record names, and records of key reads that Vault knows nothing of.

Records name Vault's requests by their ids: of signatures, of tokens for log-ins, of checkpoints, of clients' secrets, of wallets'
keys for their addresses. What is named is matched by that alone, and only where the key is the one that the record is about.

A few uses have no id in any record, see `recorded_reads`. Such a use counts as explained when the record has, at that time, what
would cause it, and each cause explains no more than it would cause. They are told apart, for a time proves less than an id.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from vaultsigner.audit.verifying.recorded_reads import (
    CHECKPOINT,
    LOG_IN,
    NOBODY,
    Cause,
    Caused,
    NamedRead,
    Recorded,
)
from vaultsigner.audit.verifying.vault_log import KeyRead, VaultLog

SERVICE_POLICY = "vaultsigner"


@dataclass(frozen=True, slots=True)
class KnownKeys:
    """Which keys the service has, by the paths that the log has; from the configuration.

    Args:
        wallets, signing, clients: of wallets; of everything that signs or decrypts, wallets too; of clients' secrets.
        log_in, checkpoint: of these two.
        of_targets: what may be used for a target, as `NamedRead` has them.
        of_clients: what may be used for a client: its own secret, and the keys of what it may use.
    """

    wallets: frozenset[str]
    signing: frozenset[str]
    clients: frozenset[str]
    log_in: str | None
    checkpoint: str | None
    of_targets: Mapping[str, frozenset[str]]
    of_clients: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def all(self) -> frozenset[str]:
        """Every one."""
        return self.signing | self.clients | {each for each in (self.log_in, self.checkpoint) if each}


@dataclass(frozen=True, slots=True)
class Misnamed:
    """A record that names a request of another key than the one that it is about."""

    named: NamedRead
    read: KeyRead


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
        misnamed: records of key reads that the log has, but of another key; told where that can be.
        outside: records that name a request at a time that the log does not cover.
    """

    begin_us: int
    end_us: int
    reads: int
    matched: int
    explained: dict[str, int]
    unrecorded: tuple[KeyRead, ...]
    unread: tuple[NamedRead, ...]
    misnamed: tuple[Misnamed, ...]
    outside: int

    @property
    def agrees(self) -> bool:
        """Whether neither knows of something that the other does not."""
        return not self.unrecorded and not self.unread and not self.misnamed


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
    in_vault = {each.request_id: each for each in log.reads}
    misnamed = tuple(_misnamed(recorded.named, in_vault, known))
    wrong = {each.named for each in misnamed}
    names = {each.vault_request_id for each in recorded.named if each not in wrong}
    covered = [each for each in relevant if begin <= each.time_us <= end]
    unnamed = [each for each in covered if each.request_id not in names]
    causes = _Causes(recorded, known, _paths_of_targets(recorded.named, in_vault), slack_us)
    explained: Counter[str] = Counter()
    unrecorded: list[KeyRead] = []
    for read in unnamed:
        cause = causes.of(read) if ours.intersection(read.policies) else None
        if cause is not None:
            explained[cause] += 1
        elif read.time_us <= end - slack_us or read.time_us >= end + slack_us:
            unrecorded.append(read)
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
        misnamed,
        len(missing) - len(unread),
    )


def _relevant(reads: list[KeyRead], known: KnownKeys | None, ours: frozenset[str]) -> list[KeyRead]:
    paths = {each.path for each in reads if ours.intersection(each.policies)} if known is None else known.all
    return [each for each in reads if each.path in paths]


def _misnamed(
    named: list[NamedRead], in_vault: Mapping[str, KeyRead], known: KnownKeys | None
) -> Iterator[Misnamed]:
    """Those whose key is known, from the record itself or from the configuration, and is another in Vault's log."""
    for each in named:
        read = in_vault.get(each.vault_request_id)
        if each.path is not None:
            right: Container[str] | None = (each.path,)
        else:
            right = None if known is None or each.target is None else known.of_targets.get(each.target)
        if read is not None and right is not None and read.path not in right:
            yield Misnamed(each, read)


def _paths_of_targets(named: list[NamedRead], in_vault: Mapping[str, KeyRead]) -> set[str]:
    """The keys that sign and decrypt for callers, as far as the records tell."""
    reads = [
        in_vault.get(each.vault_request_id)
        for each in named
        if each.path is None and each.target not in (LOG_IN, CHECKPOINT)
    ]
    return {read.path for read in reads if read is not None}


class _Causes:
    """Gives each cause away once."""

    def __init__(self, recorded: Recorded, known: KnownKeys | None, named: set[str], slack_us: int) -> None:
        self._left = {cause: list(caused) for cause, caused in recorded.causes.items()}
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
        left = self._left.get(cause, [])
        at = bisect_left(left, read.time_us - self._slack_us, key=lambda each: each.time_us)
        while at < len(left) and left[at].time_us <= read.time_us + self._slack_us:
            if left[at].path in (None, read.path) and self._concerns(left[at], read):
                del left[at]
                return True
            at += 1
        return False

    def _concerns(self, caused: Caused, read: KeyRead) -> bool:
        """Whether the key is the client's whose request failed; without a configuration nobody knows."""
        if caused.client is None:
            return True
        if self._known is None:
            return False
        if caused.client == NOBODY:
            return read.path in self._known.clients
        return read.path in self._known.of_clients.get(caused.client, frozenset())
