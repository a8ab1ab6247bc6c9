"""A secret while it lies in the buffer it arrived in: where it is, and what was derived from it. Gone within one callback."""

from collections.abc import Callable
from typing import Protocol, TypeVar, cast

from vaultsigner.config.settings import KvReference
from vaultsigner.custody.json_scan import JsonScanError, Wanted, find, has_escapes, text_of
from vaultsigner.errors import CustodyError


class Wipeable(Protocol):
    """Something derived from a secret that can be overwritten."""

    def wipe(self) -> None:
        """Overwrite it."""


W = TypeVar("W", bound=Wipeable)

_REQUEST_ID = ("request_id",)
_NOTED_KEY = ("data", "metadata", "custom_metadata", "public_key")
_LONGEST_NOTE = 256


class SecretView:
    """One field of a KV version 2 secret, as Vault's answer holds it.

    Args:
        reference: what was read.
        body: Vault's answer, in the buffer that will be wiped.

    Raises:
        CustodyError: key_missing where the secret has no such field; key_malformed where that is no text; vault_unavailable
            where the answer is no KV answer.
    """

    def __init__(self, reference: KvReference, body: memoryview) -> None:
        wanted: Wanted = {
            "request_id": None,
            "data": {"data": {reference.field: None}, "metadata": {"custom_metadata": {"public_key": None}}},
        }
        try:
            found = find(body, wanted)
        except JsonScanError as error:
            raise CustodyError(
                "vault_unavailable", f"Vault's answer for {reference} makes no sense: {error}"
            ) from None
        field = found.get(("data", "data", reference.field))
        if field is None:
            raise CustodyError(
                "key_missing", f"the secret has no field {reference.field}: look at {reference}"
            )
        inside = text_of(body, field)
        if inside is None:
            raise _not_plain(reference)
        self.reference = reference
        self.written = body[inside[0] : inside[1]]
        """The text as JSON has it: with escapes, where there are any."""
        self.vault_request_id = _public_text(body, found.get(_REQUEST_ID)) or ""
        self.noted_public_key = _note(body, found.get(_NOTED_KEY))
        """What `vaultsigner keys import` noted beside the key; None where nobody did, empty where it makes no sense."""
        self._derived: dict[object, Wipeable] = {}

    @property
    def value(self) -> memoryview:
        """The text itself, where it lies.

        Raises:
            CustodyError: key_malformed; it has escapes, which no key and no mnemonic needs.
        """
        if has_escapes(self.written):
            raise _not_plain(self.reference)
        return self.written

    def derive(self, how: Callable[["SecretView"], W]) -> W:
        """What `how` makes of the secret: made once, shared by all who use this read, wiped with it."""
        made = self._derived.get(how)
        if made is None:
            made = self._derived[how] = how(self)
        return cast(W, made)

    def close(self) -> None:
        """Wipe what was derived and let go of the buffer, which its owner wipes."""
        for made in self._derived.values():
            made.wipe()
        self._derived.clear()
        self.written.release()


def _not_plain(reference: KvReference) -> CustodyError:
    return CustodyError("key_malformed", f"{reference} is not plain text: import it again")


def _note(body: memoryview, span: tuple[int, int] | None) -> str | None:
    """A note that cannot be read must not count as none: then no key would be the wrong one."""
    if span is None or bytes(body[slice(*span)]) == b"null":
        return None
    return _public_text(body, span) or ""


def _public_text(body: memoryview, span: tuple[int, int] | None) -> str | None:
    """A value that is no secret, as text."""
    inside = None if span is None else text_of(body, span)
    if inside is None or inside[1] - inside[0] > _LONGEST_NOTE:
        return None
    text = body[inside[0] : inside[1]]
    return None if has_escapes(text) else bytes(text).decode("ascii", "replace")
