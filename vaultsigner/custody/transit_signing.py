"""Signing for exchanges with keys that never leave Vault: Transit does it, and custody has nothing to wipe.

Source: the Transit HTTP API of Vault and OpenBao ("Generate HMAC", "Sign data", "Read key").
"""

import asyncio
import binascii
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from vaultsigner.config.settings import ExchangeScheme, TransitReference
from vaultsigner.custody.vault.calls import VaultCall, ask, senseless
from vaultsigner.custody.vault.pool import VaultPool
from vaultsigner.errors import CustodyError

TYPE_KNOWN_SECONDS = 60.0
"""A key may be deleted and imported anew as one of another type."""


@dataclass(frozen=True, slots=True)
class _Way:
    """How Transit signs by one scheme.

    Args:
        path: what follows the mount.
        member: of the answer that holds the signature.
        types: those of keys that sign so.
        lengths: those that a signature can have, in bytes.
    """

    path: str
    member: str
    types: frozenset[str]
    lengths: tuple[int, ...]
    options: Mapping[str, str] = field(default_factory=dict)


_WAYS: Mapping[ExchangeScheme, _Way] = MappingProxyType(
    {
        "hmac": _Way("hmac/{key}/sha2-256", "hmac", frozenset({"hmac"}), (32,)),
        "rsa": _Way(
            "sign/{key}/sha2-256",
            "signature",
            frozenset({"rsa-2048", "rsa-3072", "rsa-4096"}),
            (256, 384, 512),
            {"signature_algorithm": "pkcs1v15"},
        ),
        "ed25519": _Way("sign/{key}", "signature", frozenset({"ed25519"}), (64,)),
    }
)


@dataclass(frozen=True, slots=True)
class TransitSignature:
    """A signature (raw), and Vault's own id of the request that made it."""

    signature: bytes
    vault_request_id: str


class TransitSigner:
    """Has Transit sign, with keys of the right type alone: every key of whatever type has a secret of its own that it makes HMACs
    with, which no exchange knows.

    Args:
        monotonic: seconds.
    """

    def __init__(self, pool: VaultPool, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._pool = pool
        self._monotonic = monotonic
        self._known: dict[tuple[TransitReference, ExchangeScheme], float] = {}

    async def check(self, key: TransitReference, scheme: ExchangeScheme) -> bool:
        """Return once it is sure that the key is one of this scheme: whether Vault would give it out, by export or by backup.

        Raises:
            CustodyError: key_malformed; or Vault cannot be asked, or has no such key.
        """
        answer = await ask(self._pool, VaultCall(str(key), f"{key.mount}/keys/{key.key}"))
        try:
            data = answer["data"]
            type_ = str(data["type"])
            exportable = bool(data.get("exportable") or data.get("allow_plaintext_backup"))
        except (KeyError, TypeError, AttributeError):
            raise senseless(str(key)) from None
        types = _WAYS[scheme].types
        if type_ not in types:
            self._known.pop((key, scheme), None)
            raise CustodyError(
                "key_malformed",
                f"{key} is a key of type {_shown(type_)}, which does not sign by the scheme {scheme}: import one of type "
                f"{' or '.join(sorted(types))}, or correct secret or scheme in config.yml",
            )
        self._known[key, scheme] = self._monotonic() + TYPE_KNOWN_SECONDS
        return exportable

    async def sign(self, key: TransitReference, scheme: ExchangeScheme, payload: bytes) -> TransitSignature:
        """Sign a payload with the newest version of a key.

        Raises:
            CustodyError: as `check`.
        """
        if self._monotonic() < self._known.get((key, scheme), float("-inf")):
            return await self._sign(key, scheme, payload)
        # Both at once; what is signed meanwhile goes nowhere if the type is wrong.
        checked, signature = await asyncio.gather(
            self.check(key, scheme), self._sign(key, scheme, payload), return_exceptions=True
        )
        if isinstance(checked, BaseException):
            raise checked
        if isinstance(signature, BaseException):
            raise signature
        return signature

    async def _sign(self, key: TransitReference, scheme: ExchangeScheme, payload: bytes) -> TransitSignature:
        way = _WAYS[scheme]
        document = {"input": b64encode(payload).decode("ascii"), **way.options}
        path = f"{key.mount}/{way.path.format(key=key.key)}"
        answer = await ask(self._pool, VaultCall(str(key), path, document))
        signature = _signature(answer, way.member)
        if signature is None or len(signature) not in way.lengths:
            raise senseless(str(key))
        return TransitSignature(signature, str(answer.get("request_id", "")))


def _signature(answer: Any, member: str) -> bytes | None:
    """`vault:v<version>:<base64>`. Any: what Vault says is not trusted to have any shape."""
    try:
        prefix, version, signature = answer["data"][member].split(":")
        raw = b64decode(signature, validate=True)
    except (KeyError, TypeError, AttributeError, ValueError, binascii.Error):
        return None
    return raw if prefix == "vault" and version.startswith("v") else None


def _shown(type_: str) -> str:
    return type_ if len(type_) <= 32 and type_.isascii() and type_.isprintable() else "unknown"
