"""The types of single settings of `vault.auth`."""

import re
from typing import Annotated, get_args

from vaultsigner.config.addresses import read_anchor_url
from vaultsigner.config.fields import text_read_by
from vaultsigner.config.literal_secrets import kind_of_secret
from vaultsigner.config.problems import UnusableValueError, suggestion
from vaultsigner.config.vault_settings import AuthMethod

_METHODS: tuple[AuthMethod, ...] = get_args(AuthMethod)
_ROLE = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,126}[A-Za-z0-9_])?")
_ROLE_ID = re.compile(r"[A-Za-z0-9_.:-]{1,256}")
_MOUNT = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}(?:/[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}){0,7}")
_SERVER_ID = re.compile(r"[A-Za-z0-9_.:/-]{1,256}")


def _method(text: str) -> AuthMethod:
    for method in _METHODS:
        if text == method:
            return method
    raise UnusableValueError("there is no such method", suggestion(text, _METHODS))


def _mount(text: str) -> str:
    if _MOUNT.fullmatch(text.removesuffix("/")) is None:
        hint = "write it as it stands behind auth/, e.g. approle or clusters/eu"
        raise UnusableValueError("this is no mount of a log-in method", hint)
    return text.removesuffix("/")


def _role(text: str) -> str:
    if _ROLE.fullmatch(text) is None or kind_of_secret(text) is not None:
        raise UnusableValueError("this is no role's name", "write 1 to 128 letters, digits, and _ . -")
    return text


def _role_id(text: str) -> str:
    if _ROLE_ID.fullmatch(text) is None or kind_of_secret(text) is not None:
        hint = (
            "write the role's id, e.g. vaultsigner-desk-1; `vaultsigner vault setup` gives the role that id"
        )
        raise UnusableValueError("this is no role id", hint)
    return text


def _server_id(text: str) -> str:
    """It becomes a header's value."""
    if _SERVER_ID.fullmatch(text) is None:
        hint = "write what Vault has as iam_server_id_header_value, e.g. vault.example.com"
        raise UnusableValueError("this is no server id", hint)
    return text


def _sts_endpoint(text: str) -> str:
    return read_anchor_url(text, example="https://sts.eu-west-1.amazonaws.com", path=False)


Method = Annotated[AuthMethod, text_read_by(_method)]
Mount = Annotated[str, text_read_by(_mount)]
Role = Annotated[str, text_read_by(_role)]
RoleId = Annotated[str, text_read_by(_role_id)]
ServerId = Annotated[str, text_read_by(_server_id)]
StsEndpoint = Annotated[str, text_read_by(_sts_endpoint)]
