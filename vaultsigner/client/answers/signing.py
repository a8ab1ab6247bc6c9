"""Answers of the signing service: who asks, wallets, transactions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vaultsigner.client.answers.validation import Answered, Decided, reading, with_place
from vaultsigner.client.reply import Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Token(Answered):
    """A log-in's access token."""

    access_token: str = field(repr=False)
    token_type: str = "bearer"  # noqa: S105 - a word of the protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who asks: `type` is user or client, `scheme` token, hmac, rsa, ed25519 or open_api."""

    type: str
    name: str
    scheme: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WhoAsks(Answered):
    """What the service takes the caller for."""

    principal: Principal

    @property
    def name(self) -> str:
        """As config.yml has it."""
        return self.principal.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Wallet:
    """A wallet that the caller may use.

    Args:
        permissions: those that the caller and the wallet have in common.
        env: the environment's name in config.yml.
        address: bech32.
        public_key: compressed, in hexadecimal.
    """

    name: str
    permissions: tuple[str, ...]
    env: str
    address: str
    public_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedTransaction(Decided):
    """A signed transaction, in hexadecimal. Nobody has sent it."""

    signed_msg: str

    @property
    def transaction(self) -> bytes:
        """The transaction's bytes."""
        return bytes.fromhex(self.signed_msg)


@dataclass(frozen=True, slots=True)
class NodeResult:
    """What the node said of one transaction; None or empty where it did not say it.

    Args:
        document: all of it, as the node said it.
    """

    code: int | None
    hash: str
    log: str
    ok: bool | None
    document: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Broadcast(Decided):
    """A transaction that the node took."""

    results: tuple[NodeResult, ...]

    @property
    def hash(self) -> str:
        """The transaction's hash; empty where the node did not say it."""
        return self.results[0].hash if self.results else ""


_read_list = reading(tuple[dict[str, Any], ...])


def read_broadcast(reply: Reply) -> Broadcast:
    """The node's list."""
    return with_place(Broadcast(results=tuple(map(_result, _read_list(reply)))), reply)


def _result(document: Mapping[str, Any]) -> NodeResult:
    code, ok = document.get("code"), document.get("ok")
    return NodeResult(
        code if isinstance(code, int) else None,
        str(document.get("hash", "")),
        str(document.get("log", "")),
        ok if isinstance(ok, bool) else None,
        document,
    )
