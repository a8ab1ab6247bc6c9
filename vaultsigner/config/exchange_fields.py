"""The types of single settings of exchanges and of the Open API's apps."""

import re
from typing import Annotated, Any, get_args

from pydantic import PlainValidator, ValidationInfo

from vaultsigner.config.addresses import read_exchange_url
from vaultsigner.config.caller_fields import KEY_SCHEMES, pem_or_path
from vaultsigner.config.fields import text_read_by
from vaultsigner.config.literal_secrets import kind_of_secret
from vaultsigner.config.problems import UnusableValueError, suggestion
from vaultsigner.config.public_keys import PublicKey, read_public_key
from vaultsigner.config.references import read_kv_reference, read_transit_reference
from vaultsigner.config.settings import ExchangeScheme, KvReference, TransitReference

EXCHANGE_SCHEMES: tuple[ExchangeScheme, ...] = get_args(ExchangeScheme)
_IDENTIFIER = re.compile(r"[!-~]{1,128}")
"""What may stand in a header's value, as both places send theirs."""


def _scheme(text: str) -> ExchangeScheme:
    for scheme in EXCHANGE_SCHEMES:
        if text == scheme:
            return scheme
    raise UnusableValueError("exchanges know no such scheme", suggestion(text, EXCHANGE_SCHEMES))


def _identifier(value: Any, info: ValidationInfo) -> str:
    """What somebody else gave out to know us by. Members of this kind are no secrets, and stand beside some."""
    how = f"write the {info.field_name} that you were given with the secret"
    if not isinstance(value, str):
        raise UnusableValueError("this must be text", f"{how}, in quotes")
    kind = kind_of_secret(value)
    if kind is not None:
        raise UnusableValueError(f"this looks like {kind}, and this member is no secret", how)
    if _IDENTIFIER.fullmatch(value) is None:
        hint = f"write 1 to 128 printable ASCII characters without blanks; {how}"
        raise UnusableValueError("this is no identifier that can be sent", hint)
    return value


def _secret(value: Any, info: ValidationInfo) -> KvReference | TransitReference:
    """Where the exchange's secret lies. The name, read before, goes into the hint."""
    name = info.data.get("name") or "binance-main"
    example = f"secret: transit:transit/{name}"
    how = f"`vaultsigner exchanges import {name}` puts the secret into Vault; write `{example}`"
    if not isinstance(value, str):
        raise UnusableValueError("a reference to Vault belongs here, never the secret itself", how)
    if kind_of_secret(value) is not None or not value.startswith(("vault:", "transit:")):
        raise _in_clear(how)
    if value.startswith("transit:"):
        return read_transit_reference(value, example=f"`{example}`")
    return read_kv_reference(value, example=f"`secret: vault:secret/exchanges/{name}#secret`")


def _app_secret(value: Any, info: ValidationInfo) -> KvReference:
    name, member = info.data.get("name") or "mini-app", info.field_name
    example = f"{member}: vault:secret/open-api/{name}#{member}"
    how = f"`vaultsigner open-api import {name}` puts it into Vault; write `{example}`"
    if not isinstance(value, str):
        raise UnusableValueError("a reference to Vault belongs here, never the secret itself", how)
    if kind_of_secret(value) is not None or not value.startswith(("vault:", "transit:")):
        raise _in_clear(how)
    if value.startswith("transit:"):
        message = "this must lie in KV version 2, where custody reads it"
        raise UnusableValueError(message, f"write `{example}`")
    return read_kv_reference(value, example=f"`{example}`")


def _in_clear(how: str) -> UnusableValueError:
    message = "this is no reference; a secret in a file counts as known to others"
    return UnusableValueError(message, f"have it replaced at the exchange by a new one; {how}")


def _verifying_key(value: Any, info: ValidationInfo) -> PublicKey | None:
    scheme = info.data.get("scheme")
    if value is None:
        return None
    kind = KEY_SCHEMES.get(scheme or "")
    if scheme is not None and kind is None:
        message = f"an exchange of scheme {scheme} has no public key"
        raise UnusableValueError(message, "remove it; secret says where the secret lies")
    return read_public_key(pem_or_path(value), kind=kind)


Scheme = Annotated[ExchangeScheme, text_read_by(_scheme)]
BaseUrl = Annotated[str, text_read_by(read_exchange_url)]
Identifier = Annotated[str, PlainValidator(_identifier)]
ExchangeSecret = Annotated[KvReference | TransitReference, PlainValidator(_secret)]
VerifyingKey = Annotated[PublicKey | None, PlainValidator(_verifying_key)]
AppSecret = Annotated[KvReference, PlainValidator(_app_secret)]
