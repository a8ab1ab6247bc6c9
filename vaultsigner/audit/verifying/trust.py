"""The keys that a reviewer trusts to sign checkpoints, and what a signature is worth with them."""

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key, load_pem_public_key

from vaultsigner.audit.verifying.findings import Kind
from vaultsigner.domain.checkpoints import KEY_NAME, SignedCheckpoint
from vaultsigner.domain.signed_notes import PUBLIC_KEY_BYTES, NoteError, VerifierKey, read_verifier_key
from vaultsigner.errors import AuditError

_BASE64 = re.compile(r"[A-Za-z0-9+/\s]+={0,2}\s*\Z")


class TrustError(AuditError):
    """A key or a trust file that cannot be read."""


@dataclass(frozen=True, slots=True)
class BadSignature:
    """Why a checkpoint counts for nothing."""

    kind: Kind
    words: str


def read_key(text: str) -> VerifierKey:
    """A verifier key, or an Ed25519 public key as PEM or as base64 (32 bytes, as Vault's Transit tells it, or DER).

    Raises:
        TrustError: it is none of these.
    """
    text = text.strip()
    try:
        if text.startswith("-----"):
            return VerifierKey(KEY_NAME, _raw(load_pem_public_key(text.encode())))
        if text.partition("+")[0] == KEY_NAME:
            return read_verifier_key(text)
        if _BASE64.match(text):
            data = b64decode("".join(text.split()), validate=True)
            return VerifierKey(
                KEY_NAME, data if len(data) == PUBLIC_KEY_BYTES else _raw(load_der_public_key(data))
            )
    except NoteError as error:
        raise TrustError(str(error)) from None
    except (ValueError, Base64Error, UnsupportedAlgorithm):
        pass
    raise TrustError(
        f"that is no public key: write {KEY_NAME}+ID+KEY as `vaultsigner audit key` prints it, or an Ed25519 public key "
        "as PEM or base64"
    )


def read_trust_file(text: str) -> tuple[VerifierKey, ...]:
    """A verifier key a line; blank lines and lines that begin with # count for nothing.

    Raises:
        TrustError: a line is none, or there is no key.
    """
    keys: list[VerifierKey] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            try:
                keys.append(read_verifier_key(line))
            except NoteError as error:
                raise TrustError(f"line {number}: {error}") from None
            if keys[-1].name != KEY_NAME:
                raise TrustError(f"line {number}: a key of checkpoints is named {KEY_NAME}")
    if not keys:
        raise TrustError("there is no key in it")
    return tuple(keys)


def trust_file(keys: Iterable[VerifierKey], remark: str) -> str:
    """The keys as `read_trust_file` reads them."""
    return "".join((f"# {remark}\n", *(f"{key}\n" for key in keys)))


def judge(signed: SignedCheckpoint, keys: Sequence[VerifierKey]) -> BadSignature | None:
    """Whether one of the keys signed the checkpoint; None: one did."""
    if signed.verified_by(keys) is not None:
        return None
    signatures = signed.note.signatures
    known = {(key.name, key.id) for key in keys}
    wrong = [each.key_id.hex() for each in signatures if (each.name, each.key_id) in known]
    if wrong:
        words = (
            f"the signature is not one of the key {wrong[0]} whose it claims to be: it was altered or made up"
        )
        return BadSignature(Kind.SIGNATURE_BAD, words)
    named = ", ".join(sorted({each.key_id.hex() for each in signatures}))
    trusted = ", ".join(key.id.hex() for key in keys)
    return BadSignature(Kind.KEY_UNKNOWN, f"signed by key {named}, which was not given (given: {trusted})")


def _raw(key: object) -> bytes:
    if not isinstance(key, Ed25519PublicKey):
        raise TrustError("checkpoints are signed with Ed25519: this is a public key of another kind")
    return key.public_bytes_raw()
