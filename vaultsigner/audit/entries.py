"""What a record says, one class for each kind.

A record is built from these typed fields and from nothing else: what a caller sent gets in only where a field is meant
for it, bounded in length, and a secret has no field. The request itself is kept as a SHA-256.

Every record names the policies in force by their digest, in `policy` (an intent in `decision.policy`), and all records of one
request name the same. Null stands only where none are known: where the recorder repairs its chain before they are read, and in
records of the command line, which applies none.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal, Protocol

from vaultsigner.audit.members import (
    bounded,
    bounded_or_none,
    bounded_value,
    certificate_members,
    principal_member,
    target_members,
    vault_reads_member,
)
from vaultsigner.domain.decisions import Decision
from vaultsigner.domain.names import JsonValue, Operation, RequestId
from vaultsigner.domain.principals import Principal
from vaultsigner.domain.targets import Target
from vaultsigner.domain.vault_reads import VaultRead

MEMBERS_LIMIT = 32

DispatchResult = Literal["accepted", "refused", "unknown", "not_sent", "resynchronised"]

LOG_IN: Operation = Operation("auth.login")
# No dot in it but the one of `msg.`: Vault's tokens (s.…, hvs.…) and JSON Web Tokens have dots, members' names do not.
_PLAIN_NAME = re.compile(r"(?:msg\.)?[A-Za-z_][A-Za-z0-9_-]{0,31}\Z")


class Entry(Protocol):
    """Something that is worth a record."""

    @property
    def kind(self) -> str:
        """The record's `kind`."""

    def members(self) -> dict[str, JsonValue]:
        """The record's own members, bounded, in JSON's types."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRefused:
    """A request that was refused before it meant anything, or before policy was asked.

    Args:
        client_certificate: fingerprint of what the caller has shown to a trusted proxy; here and in the others: None: nothing.
        route: the route's template, never the path that was sent.
        target: only one that the configuration knows.
        reason: why; what the caller was told may be less.
        body_sha256: hex digest of the raw body.
        unknown_members: names of members that were ignored.
        vault_request_id, vault_reads: as in `Outcome`.
        policy: digest of the policies that were in force when the request came.
    """

    kind: ClassVar[str] = "request"
    request_id: RequestId
    ip: str
    client_certificate: str | None = None
    method: str | None = None
    route: str | None = None
    principal: Principal | None = None
    operation: Operation | None = None
    target: Target | None = None
    status: int
    code: str
    reason: str
    body_sha256: str | None = None
    unknown_members: tuple[str, ...] = ()
    vault_request_id: str | None = None
    vault_reads: tuple[VaultRead, ...] = ()
    policy: str

    def members(self) -> dict[str, JsonValue]:
        """See `Entry`."""
        return {
            "kind": self.kind,
            "request_id": self.request_id,
            "ip": self.ip,
            **certificate_members(self.client_certificate),
            "method": bounded_or_none(self.method),
            "route": bounded_or_none(self.route),
            "principal": principal_member(self.principal),
            "operation": self.operation,
            **target_members(self.target),
            "status": self.status,
            "code": self.code,
            "reason": bounded(self.reason),
            "body_sha256": _body_digest(self.operation, self.body_sha256),
            "unknown_members": _named(self.unknown_members),
            "vault_request_id": bounded_or_none(self.vault_request_id),
            "vault_reads": vault_reads_member(self.vault_reads),
            "policy": self.policy,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentDecided:
    """A request that was understood, and what policy says about it.

    Args:
        intent: `Intent.described()`.
        body_sha256: hex digest of the raw body.
        unknown_members: names of members that were ignored.
    """

    kind: ClassVar[str] = "intent"
    request_id: RequestId
    principal: Principal
    ip: str
    client_certificate: str | None = None
    operation: Operation
    target: Target
    intent: Mapping[str, JsonValue]
    decision: Decision
    body_sha256: str | None
    unknown_members: tuple[str, ...] = ()

    def members(self) -> dict[str, JsonValue]:
        """See `Entry`."""
        decision = self.decision
        return {
            "kind": self.kind,
            "request_id": self.request_id,
            "principal": principal_member(self.principal),
            "ip": self.ip,
            **certificate_members(self.client_certificate),
            "operation": self.operation,
            **target_members(self.target),
            "intent": bounded_value(dict(self.intent)),
            "decision": {
                "effect": decision.effect,
                "rule": decision.rule,
                "policy": decision.policy,
                "reason": bounded(decision.reason),
                "approvals": None if decision.approvals is None else decision.approvals.count,
            },
            "body_sha256": _body_digest(self.operation, self.body_sha256),
            "unknown_members": _named(self.unknown_members),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What was answered.

    Args:
        status: the HTTP status.
        code: `ok`, or the refusal's code.
        signed_sha256: hex digest of the bytes that were signed.
        transaction_hash: of the signed transaction, as the chain writes it.
        sequence: the account's sequence number that was signed.
        vault_request_id: Vault's id of the key read, or of Transit's signature, to join with Vault's own audit log.
        vault_reads: keys that were read besides.
        intent_seq: `seq` of the intent record in the same chain.
        policy: digest of the policies that were in force when the request came.
    """

    kind: ClassVar[str] = "outcome"
    request_id: RequestId
    principal: Principal | None
    ip: str
    client_certificate: str | None = None
    operation: Operation
    target: Target | None = None
    status: int
    code: str = "ok"
    reason: str | None = None
    signed_sha256: str | None = None
    transaction_hash: str | None = None
    sequence: int | None = None
    vault_request_id: str | None = None
    vault_reads: tuple[VaultRead, ...] = ()
    intent_seq: int | None = None
    policy: str

    def members(self) -> dict[str, JsonValue]:
        """See `Entry`."""
        return {
            "kind": self.kind,
            "request_id": self.request_id,
            "principal": principal_member(self.principal),
            "ip": self.ip,
            **certificate_members(self.client_certificate),
            "operation": self.operation,
            **target_members(self.target),
            "status": self.status,
            "code": self.code,
            "reason": bounded_or_none(self.reason),
            "signed_sha256": self.signed_sha256,
            "transaction_hash": self.transaction_hash,
            "sequence": bounded_value(self.sequence),
            "vault_request_id": bounded_or_none(self.vault_request_id),
            "vault_reads": vault_reads_member(self.vault_reads),
            "intent_seq": self.intent_seq,
            "policy": self.policy,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatch:
    """What a node said about a transaction or an account, or that it said nothing.

    Args:
        node: the node's host.
        status: the HTTP status of its answer.
        answer: the beginning of its answer.
        answered: the HTTP status that our own caller is answered with.
        policy: digest of the policies that were in force when the request came.
    """

    kind: ClassVar[str] = "dispatch"
    request_id: RequestId
    principal: Principal
    ip: str
    client_certificate: str | None = None
    operation: Operation
    target: Target
    node: str
    result: DispatchResult
    transaction_hash: str | None = None
    sequence: int | None = None
    status: int | None = None
    answer: str | None = None
    answered: int | None = None
    policy: str

    def members(self) -> dict[str, JsonValue]:
        """See `Entry`."""
        return {
            "kind": self.kind,
            "request_id": self.request_id,
            "principal": principal_member(self.principal),
            "ip": self.ip,
            **certificate_members(self.client_certificate),
            "operation": self.operation,
            **target_members(self.target),
            "node": bounded(self.node),
            "result": self.result,
            "transaction_hash": self.transaction_hash,
            "sequence": bounded_value(self.sequence),
            "status": self.status,
            "answer": bounded_or_none(self.answer),
            "answered": self.answered,
            "policy": self.policy,
        }


@dataclass(frozen=True, slots=True)
class Control:
    """Something that happened to the service itself: `start`, `stop`, `reload`; the recorder's own `repaired`, `recovered`;
    `interrupted`; what somebody changes for others: `suspend`, `resume`, `approval`.

    Args:
        policy: digest of the policies in force at that moment (before a `reload` has changed them), or when the request came that
            caused it; None: none are known.
    """

    kind: ClassVar[str] = "control"
    event: str
    details: Mapping[str, JsonValue] = field(default_factory=dict)
    policy: str | None = None

    def members(self) -> dict[str, JsonValue]:
        """See `Entry`."""
        return {
            "kind": self.kind,
            "event": self.event,
            "details": bounded_value(dict(self.details)),
            "policy": self.policy,
        }


def _body_digest(operation: Operation | None, digest: str | None) -> str | None:
    """No digest of a log-in's body: its only unknown part is a password, which could be guessed from it offline."""
    return None if operation == LOG_IN else digest


def _named(members: tuple[str, ...]) -> JsonValue:
    """Names as they are where they look like names; a key or token sent as a name is told by its length alone."""
    named: list[JsonValue] = [
        name if _PLAIN_NAME.match(name) else f"({len(name)} characters)" for name in members[:MEMBERS_LIMIT]
    ]
    if len(members) > MEMBERS_LIMIT:
        named.append(f"(and {len(members) - MEMBERS_LIMIT} more)")
    return named
