"""Secret references: where a secret lies, never the secret itself."""

import re

from vaultsigner.config.problems import UnusableValueError
from vaultsigner.config.settings import KvReference, TransitReference

_SEGMENT = r"(?!\.{1,2}(?:[/#]|$))[A-Za-z0-9_.-]{1,128}"
"""One part of a Vault path; `.` and `..` would be resolved away on the way and name another secret."""
_KV = re.compile(
    rf"vault:(?P<mount>{_SEGMENT})/(?P<path>{_SEGMENT}(?:/{_SEGMENT}){{0,15}})#(?P<field>[A-Za-z0-9_-]{{1,64}})"
)
_TRANSIT = re.compile(rf"transit:(?P<mount>{_SEGMENT})/(?P<key>{_SEGMENT})")


def read_kv_reference(text: str, *, example: str) -> KvReference:
    """`vault:<mount>/<path>#<field>`.

    Args:
        text: what the configuration says; it may be a literal secret and is never repeated.
        example: a reference that would be right here, for the hint.

    Raises:
        UnusableValueError: for anything else.
    """
    match = _KV.fullmatch(text)
    if match is not None:
        return KvReference(mount=match["mount"], path=match["path"], field=match["field"])
    if text.startswith("transit:"):
        message = "Vault's Transit has no secp256k1 keys; this key must lie in KV version 2"
        raise UnusableValueError(message, f"write {example}")
    if text.startswith("vault:"):
        message = "this is not of the form vault:<mount>/<path>#<field>"
        raise UnusableValueError(message, f"write it like {example}")
    raise UnusableValueError("a reference to Vault belongs here, never the secret itself", f"write {example}")


def read_transit_reference(text: str, *, example: str) -> TransitReference:
    """`transit:<mount>/<key>`.

    Raises:
        UnusableValueError: for anything else.
    """
    match = _TRANSIT.fullmatch(text)
    if match is not None:
        return TransitReference(mount=match["mount"], key=match["key"])
    if text.startswith("vault:"):
        message = "this key must lie in Vault's Transit, which signs without giving it out"
        raise UnusableValueError(message, f"write {example}")
    raise UnusableValueError("this is not of the form transit:<mount>/<key>", f"write {example}")
