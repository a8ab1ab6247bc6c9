"""The types of single settings of callers: their roles, and what those have who sign their requests."""

import re
import unicodedata
from typing import Annotated, Any, get_args

from pydantic import AfterValidator, PlainValidator, ValidationInfo

from vaultsigner.config.fields import text_read_by
from vaultsigner.config.literal_secrets import kind_of_secret
from vaultsigner.config.problems import UnusableValueError, suggestion
from vaultsigner.config.public_keys import (
    PARTNER_RSA_BITS,
    PUBLIC_HALF,
    KeyType,
    PublicKey,
    read_public_key,
)
from vaultsigner.config.references import read_kv_reference
from vaultsigner.config.settings import ClientScheme, KvReference, UserRole, WalletRole
from vaultsigner.domain.names import CertificateDigest
from vaultsigner.domain.permissions import PERMISSION_FOR_MESSAGE

SCHEMES: tuple[ClientScheme, ...] = get_args(ClientScheme)
KEY_SCHEMES: dict[str, KeyType] = {"rsa": "rsa", "ed25519": "ed25519"}
"""Schemes whose callers keep a private key of their own; the others share a secret with us."""
_ROLES: tuple[WalletRole, ...] = get_args(WalletRole)
USER_ROLES: tuple[UserRole, ...] = get_args(UserRole)
_API_KEY = re.compile(r"[!-~]{1,128}")
_RESERVED = ("api", "exchange", "docs", "redoc", "console")
"""First segments of our own paths."""
_PREFIX = re.compile(r"(?:/[A-Za-z0-9][A-Za-z0-9_-]{0,63}){1,8}")
_EVERY = re.compile(r"(?P<count>[1-9][0-9]{0,4})(?P<unit>[smh])")
_CERTIFICATE = re.compile(r"sha256:[0-9A-Fa-f]{64}")
_UNITS = {"s": 1, "m": 60, "h": 3600}
_LONGEST_SECONDS = 24 * 3600


def _scheme(text: str) -> ClientScheme:
    for scheme in SCHEMES:
        if text == scheme:
            return scheme
    raise UnusableValueError("there is no such scheme", suggestion(text, SCHEMES))


def _api_key(value: Any, info: ValidationInfo) -> str:
    """For signed requests a header's value; an access key id of the Open API may be of any letters."""
    how = "`vaultsigner clients create` makes one"
    if not isinstance(value, str):
        raise UnusableValueError("this must be text", f"write it in quotes; {how}")
    kind = kind_of_secret(value)
    if kind is not None:
        raise UnusableValueError(f"this looks like {kind}, and an API key is no secret", how)
    if info.data.get("scheme", "open_api") == "open_api":
        if not 1 <= len(value) <= 128 or any(
            unicodedata.category(sign) in ("Cc", "Cf", "Cs") for sign in value
        ):
            raise UnusableValueError(
                "this is no access key id", "write 1 to 128 characters, no control characters"
            )
    elif _API_KEY.fullmatch(value) is None:
        hint = f"write 1 to 128 printable ASCII characters without blanks; {how}"
        raise UnusableValueError("this is no API key", hint)
    return value


def _secret(value: Any, info: ValidationInfo) -> KvReference | None:
    """Where the secret that is shared with this client lies. Name and scheme, read before, go into the hint."""
    name, scheme = info.data.get("name") or "bot-1", info.data.get("scheme")
    example = f"secret: vault:secret/clients/{name}#secret"
    how = f"`vaultsigner clients create {name}` puts a secret into Vault; write `{example}`"
    if scheme in KEY_SCHEMES:
        if value is not None:
            message = f"a client of scheme {scheme} has no secret"
            raise UnusableValueError(message, "remove it; public_key says whose signatures count")
        return None
    if value is None:
        if scheme is not None:
            raise UnusableValueError('"secret" is missing', how)
        return None
    if not isinstance(value, str):
        raise UnusableValueError("a reference to Vault belongs here, never the secret itself", how)
    if kind_of_secret(value) is not None or not value.startswith(("vault:", "transit:")):
        message = "this is no reference; a secret in a file counts as known to others"
        raise UnusableValueError(message, f"{how}, and give the client the new one")
    if value.startswith("transit:"):
        message = "a client's secret must lie in KV version 2, where custody reads it"
        raise UnusableValueError(message, f"write `{example}`")
    return read_kv_reference(value, example=f"`{example}`")


def _client_key(value: Any, info: ValidationInfo) -> PublicKey | None:
    scheme = info.data.get("scheme")
    kind = KEY_SCHEMES.get(scheme or "")
    if value is None:
        if kind is not None:
            hint = "add `public_key: ...`, PEM text or the path of a PEM file"
            raise UnusableValueError('"public_key" is missing', hint)
        return None
    if scheme is not None and kind is None:
        message = f"a client of scheme {scheme} has no public key"
        raise UnusableValueError(message, "remove it; secret says where the shared secret lies")
    return read_public_key(pem_or_path(value), kind=kind)


def _partner_key(value: Any) -> PublicKey:
    return read_public_key(pem_or_path(value), kind="rsa", least_bits=PARTNER_RSA_BITS)


def pem_or_path(value: Any) -> str:
    """What may be a public key, or the path of one.

    Raises:
        UnusableValueError: it is neither; a private key is told as what it is.
    """
    if not isinstance(value, str) or not value:
        raise UnusableValueError("this must be text", "write the path of a PEM file, or the PEM text itself")
    kind = kind_of_secret(value)
    if kind is not None:
        hint = f"remove it and count it as known to others; {PUBLIC_HALF}"
        raise UnusableValueError(f"this is {kind}; only the public half of a key pair belongs here", hint)
    return value


def _url_prefix(text: str) -> str:
    if _PREFIX.fullmatch(text) is None:
        hint = "write it like /web3: letters, digits, _ and - between slashes, none at the end"
        raise UnusableValueError("this is no path to put endpoints under", hint)
    if text.split("/")[1].lower() in _RESERVED:
        raise UnusableValueError("paths of vaultsigner's own begin like this", "write another, e.g. /web3")
    return text


def _operation(text: str) -> str:
    if text not in PERMISSION_FOR_MESSAGE:
        raise UnusableValueError("there is no such operation", suggestion(text, PERMISSION_FOR_MESSAGE))
    return text


def _user_role(text: str) -> UserRole:
    for role in USER_ROLES:
        if text == role:
            return role
    raise UnusableValueError("there is no such role", suggestion(text, USER_ROLES))


def _wallet_role(value: Any, info: ValidationInfo) -> WalletRole:
    """Of all operations, a transfer alone has somebody at its other end."""
    role = next((role for role in _ROLES if role == value), None)
    if role is None:
        hint = suggestion(value, _ROLES) if isinstance(value, str) else "write sender or recipient"
        raise UnusableValueError("the wallet is sender or recipient", hint)
    if role == "recipient" and info.data.get("operation", "transfer") != "transfer":
        raise UnusableValueError("only a transfer has a recipient", "write sender")
    return role


def _every(value: Any) -> int:
    match = _EVERY.fullmatch(value) if isinstance(value, str) else None
    seconds = int(match["count"]) * _UNITS[match["unit"]] if match else 0
    if not 1 <= seconds <= _LONGEST_SECONDS:
        raise UnusableValueError("this is no time that we know", "write it like 30s, 1m or 1h, at most 24h")
    return seconds


def _certificate(text: str) -> CertificateDigest:
    if _CERTIFICATE.fullmatch(text) is None:
        hint = "write sha256: and 64 hex digits, as `openssl x509 -in bot-1.crt -outform DER | sha256sum` prints them"
        raise UnusableValueError("this is no fingerprint of a certificate", hint)
    return CertificateDigest(text.lower())


def _some(certificates: list[CertificateDigest]) -> list[CertificateDigest]:
    if not certificates:
        message = "an empty list would ask for none, and let everybody in"
        raise UnusableValueError(message, "name a certificate, or remove `certificates`")
    return certificates


Scheme = Annotated[ClientScheme, text_read_by(_scheme)]
ApiKeyText = Annotated[str, PlainValidator(_api_key)]
ClientSecret = Annotated[KvReference | None, PlainValidator(_secret)]
ClientKey = Annotated[PublicKey | None, PlainValidator(_client_key)]
PartnerKey = Annotated[PublicKey, PlainValidator(_partner_key)]
UrlPrefix = Annotated[str, text_read_by(_url_prefix)]
OperationWord = Annotated[str, text_read_by(_operation)]
Role = Annotated[WalletRole, PlainValidator(_wallet_role)]
UserRoleWord = Annotated[UserRole, text_read_by(_user_role)]
Certificates = Annotated[
    list[Annotated[CertificateDigest, text_read_by(_certificate)]], AfterValidator(_some)
]
EverySeconds = Annotated[int, PlainValidator(_every)]
