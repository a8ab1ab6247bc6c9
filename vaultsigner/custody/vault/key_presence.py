"""Whether Vault has the keys that the configuration names, without reading any of them.

KV tells the names of a secret's fields without their values (`GET <mount>/subkeys/<path>`, "Read secret subkeys"), and Transit a
key's public half. A token whose policy allows neither learns nothing; then only the use of a key shows whether it is there.
"""

import time
from collections.abc import Callable
from typing import Any

from vaultsigner.config.settings import KvReference, Settings, TransitReference
from vaultsigner.custody.metrics_protocol import KeyKind, KeyPresence
from vaultsigner.custody.vault.calls import VaultCall, ask, senseless
from vaultsigner.custody.vault.pool import VaultPool
from vaultsigner.errors import CustodyError

NOT_ALLOWED_SECONDS = 600.0
"""How long a denial counts: each makes custody look its token up."""
UNKNOWN = KeyPresence(
    "unknown", "custody's policy does not let it look: `vaultsigner vault setup` writes the present one"
)


class KeyFinder:
    """Looks for keys.

    Args:
        monotonic: seconds.
    """

    def __init__(
        self, settings: Settings, pool: VaultPool, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings = settings
        self._pool = pool
        self._monotonic = monotonic
        self._look_again_at = float("-inf")

    async def find(self, kind: KeyKind, name: str) -> KeyPresence:
        """Whether all keys of a wallet, an exchange or an app are there.

        Raises:
            CustodyError: bad_question, where the configuration has none of that name; or Vault cannot be asked.
        """
        for reference in self._references(kind, name):
            found = await self._find(reference)
            if found.presence != "present":
                return found
        return KeyPresence("present")

    async def _find(self, reference: KvReference | TransitReference) -> KeyPresence:
        if self._monotonic() < self._look_again_at:
            return UNKNOWN
        try:
            if isinstance(reference, KvReference):
                answer = await ask(self._pool, VaultCall(str(reference), _subkeys_path(reference)))
                return _has_field(reference, answer)
            await ask(self._pool, VaultCall(str(reference), f"{reference.mount}/keys/{reference.key}"))
        except CustodyError as error:
            if error.code == "key_missing":
                return KeyPresence("missing", str(error))
            if error.code != "vault_denied":
                raise
            self._look_again_at = self._monotonic() + NOT_ALLOWED_SECONDS
            return UNKNOWN
        return KeyPresence("present")

    def _references(self, kind: KeyKind, name: str) -> list[KvReference | TransitReference]:
        settings = self._settings
        for each in settings.wallets.values() if kind == "wallet" else ():
            if each.name == name:
                return [each.key]
        for exchange in settings.exchanges.values() if kind == "exchange" else ():
            if exchange.name == name:
                return [exchange.secret]
        for app in settings.open_api.values() if kind == "open_api" else ():
            if app.name == name:
                return [app.secret_key, *([app.private_key] if app.private_key else [])]
        raise CustodyError("bad_question", "custody's configuration has nothing of that name")


def _subkeys_path(reference: KvReference) -> str:
    return f"{reference.mount}/subkeys/{reference.path}"


def _has_field(reference: KvReference, answer: Any) -> KeyPresence:
    try:
        fields = answer["data"]["subkeys"]
    except (KeyError, TypeError):
        raise senseless(str(reference)) from None
    if isinstance(fields, dict) and reference.field in fields:
        return KeyPresence("present")
    place = f"vault:{reference.mount}/{reference.path}"
    return KeyPresence(
        "missing", f"{place} has no field {reference.field}: import the key, or correct the reference"
    )
