"""Requests to Vault whose answers are no secret: Transit and the server's own state. Same connections as the secrets use."""

import asyncio
import json
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vaultsigner.config.settings import TransitReference
from vaultsigner.custody.vault.answers import sealed
from vaultsigner.custody.vault.pool import VaultPool
from vaultsigner.errors import CustodyError

ED25519_KEY_LENGTH = 32


class VaultCall:
    """One request; `result` is the parsed answer. See `pool.VaultQuestion`."""

    def __init__(
        self, what: str, path: str, document: Mapping[str, Any] | None = None, *, with_token: bool = True
    ) -> None:
        self.what = what
        self.path = path
        self.method = "GET" if document is None else "POST"
        self.body = b"" if document is None else json.dumps(document).encode()
        self.with_token = with_token
        self.result: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def answered(self, body: memoryview) -> None:
        """Vault answered 200."""
        if not self.result.done():
            try:
                self.result.set_result(json.loads(bytes(body)))
            except ValueError:
                self.failed(senseless(self.what))

    def failed(self, error: CustodyError) -> None:
        """There is no answer."""
        if not self.result.done():
            self.result.set_exception(error)


async def ask(pool: VaultPool, call: VaultCall) -> Any:
    """Vault's answer to a call. Any: it is not trusted to have any shape.

    Raises:
        CustodyError: there is none.
    """
    pool.ask(call)
    return await call.result


def senseless(what: str) -> CustodyError:
    """The error for an answer that has not the shape it should have."""
    return CustodyError("vault_unavailable", f"Vault's answer for {what} makes no sense")


async def ed25519_keys(pool: VaultPool, key: TransitReference) -> dict[str, bytes]:
    """The public keys (32 bytes) of an Ed25519 key in Transit, by version; the last one is the newest.

    Raises:
        CustodyError: Vault cannot be asked, has no such key, or it is of another type.
    """
    answer = await ask(pool, VaultCall(str(key), f"{key.mount}/keys/{key.key}"))
    try:
        data = answer["data"]
        if data["type"] != "ed25519":
            raise CustodyError(
                "key_malformed", f"{key} is not an ed25519 key: make it with `vaultsigner vault setup`"
            )
        versions = sorted(data["keys"].items(), key=lambda item: int(item[0]))
        keys = {version: b64decode(entry["public_key"], validate=True) for version, entry in versions}
    except (KeyError, TypeError, ValueError, AttributeError):
        raise senseless(str(key)) from None
    if not keys or any(len(public_key) != ED25519_KEY_LENGTH for public_key in keys.values()):
        raise senseless(str(key))
    return keys


@dataclass(frozen=True, slots=True)
class MadeInTransit:
    """A raw signature.

    Args:
        vault_request_id: Vault's own id of the request, to be found in Vault's audit log.
    """

    signature: bytes
    vault_request_id: str


async def transit_sign(pool: VaultPool, key: TransitReference, version: str, data: bytes) -> MadeInTransit:
    """Have Transit sign with one version of an Ed25519 key.

    Raises:
        CustodyError: Vault cannot be asked, or refuses.
    """
    document = {"input": b64encode(data).decode("ascii"), "key_version": int(version)}
    answer = await ask(pool, VaultCall(str(key), f"{key.mount}/sign/{key.key}", document))
    try:
        prefix, found, signature = answer["data"]["signature"].split(":")
        if (prefix, found) != ("vault", f"v{version}"):
            raise senseless(str(key))
        return MadeInTransit(b64decode(signature, validate=True), str(answer.get("request_id", "")))
    except (KeyError, TypeError, AttributeError, ValueError, Base64Error):
        raise senseless(str(key)) from None


async def check_reachable(pool: VaultPool) -> None:
    """Return once Vault has said that it is up and unsealed.

    Raises:
        CustodyError: it is not.
    """
    answer = await ask(pool, VaultCall("its seal status", "sys/seal-status", with_token=False))
    if not isinstance(answer, dict) or answer.get("sealed") is not False:
        raise sealed()
