"""Answers about the record, for reviewers. Records stay as they were written: what one has depends on its kind."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from vaultsigner.client.answers.validation import Answered

Record = Mapping[str, Any]
Counts = Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """One step of time. `refused` counts by code."""

    start: datetime
    allowed: int
    waiting: int
    refused: Counts


@dataclass(frozen=True, slots=True, kw_only=True)
class MostFrequent:
    """The most frequent 20 of each."""

    principal: Counts
    target: Counts
    operation: Counts
    rule: Counts
    code: Counts


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordSummary(Answered):
    """What happened over time."""

    since: datetime
    until: datetime
    bucket_seconds: int
    buckets: tuple[Bucket, ...]
    by: MostFrequent
    records: int
    unreadable: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPage(Answered):
    """Records, newest first. `next` is the `before` of the next page; None where there is none."""

    records: tuple[Record, ...]
    next: str | None
    unreadable: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvedRecord(Answered):
    """One record with the proof that a checkpoint covers it; `why` says why there is none."""

    record: Record
    line: str
    proof: Mapping[str, Any] | None
    checkpoint: str | None
    why: str | None
    keys: tuple[str, ...]
    related: tuple[Record, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A checkpoint that covers records 1 to `size`."""

    size: int
    time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchoredCheckpoint(Checkpoint):
    """What an anchor was given last."""

    chain: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """One chain of records. `own`: this server writes it."""

    chain: str
    own: bool
    records: int
    bytes: int
    files: int
    last: datetime | None
    checkpoint: Checkpoint | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """A place that checkpoints are copied to. `waiting` of them it has not got yet."""

    name: str
    kind: str
    problem: str | None
    waiting: int
    last: AnchoredCheckpoint | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chains(Answered):
    """How the record is. `problem` says why this server cannot write records, or have them signed."""

    problem: str | None
    chains: tuple[Chain, ...]
    anchors: tuple[Anchor, ...]
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitUse:
    """One window of one limit. `subject`: whose it is; `unit`: requests, or the field that is summed."""

    rule: str
    limit: str
    subject: str | None
    used: Decimal
    most: Decimal
    unit: str
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits(Answered):
    """How full the limits of policy are. `left_out` counts windows that were not looked at."""

    limits: tuple[LimitUse, ...]
    left_out: int
