"""The types of single settings: pydantic's view of the readers of this package."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import bech32
from pydantic import BaseModel, ConfigDict, PlainValidator, ValidationInfo

from vaultsigner.config.addresses import (
    read_collector_url,
    read_listen_address,
    read_network,
    read_node_url,
    read_vault_address,
)
from vaultsigner.config.literal_secrets import kind_of_secret
from vaultsigner.config.password_hashes import read_password_hash
from vaultsigner.config.problems import UnusableValueError, suggestion
from vaultsigner.config.references import read_kv_reference, read_transit_reference
from vaultsigner.config.settings import KvReference, ListenAddress, Network
from vaultsigner.config.state_options import ReplicationKind, read_replication
from vaultsigner.config.state_urls import read_state_url
from vaultsigner.domain.permissions import Permission

T = TypeVar("T")
_ADDRESS_BYTES = 20
_NAME = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9_.-]{1,64}")
"""`.` and `..` would be resolved away in URLs and Vault paths."""


class StrictModel(BaseModel):
    """No unknown members, no conversions, and no input in pydantic's own messages."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


def text_read_by(read: Callable[[str], T]) -> PlainValidator:
    """A validator that takes text only and hands it to `read`."""

    def validate(value: Any) -> T:
        if not isinstance(value, str):
            raise UnusableValueError(
                "this must be text", "write text; numbers and words like true need quotes"
            )
        return read(value)

    return PlainValidator(validate)


def _key_reference(value: Any, info: ValidationInfo) -> KvReference:
    """A wallet's key. The wallet's name, read before, goes into the hint."""
    name = info.data.get("name") or "wallet_1"
    example = f"{info.field_name}: vault:secret/wallets/{name}#{info.field_name}"
    how = f"run `vaultsigner keys import {name}`, then write `{example}`"
    better = f"; better still, make a new key with `vaultsigner keys create {name}` and move the funds to it"
    if not isinstance(value, str):
        raise UnusableValueError("a reference to Vault belongs here", how)
    kind = kind_of_secret(value)
    if kind is not None:
        raise UnusableValueError(
            f"this is {kind} itself; a key in a file counts as known to others", how + better
        )
    if not value.startswith(("vault:", "transit:")):
        raise UnusableValueError("this is no reference; the key itself never belongs here", how)
    return read_kv_reference(value, example=f"`{example}`")


def _password_hash(value: Any) -> str:
    """A number is told like a password: "put it in quotes" would be bad advice here."""
    return read_password_hash(value if isinstance(value, str) else "")


def read_name(text: str) -> str:
    """The name of a wallet, a user, a client or an environment.

    Raises:
        UnusableValueError: it is none.
    """
    if _NAME.fullmatch(text) is None or kind_of_secret(text) is not None:
        raise UnusableValueError("this is no usable name", "write 1 to 64 letters, digits, and _ . -")
    return text


def _path(text: str) -> Path:
    if not text or len(text) > 1024:
        raise UnusableValueError("this is no path", "write a path; it counts from the working directory")
    return Path(text)


def _wallet_address(text: str) -> str:
    prefix, data = bech32.bech32_decode(text)
    raw = bech32.convertbits(data, 5, 8, False) if data else None
    if prefix is None or raw is None or len(raw) != _ADDRESS_BYTES or text != text.lower():
        hint = "write the wallet's own, as `vaultsigner check` shows it, or leave it out"
        raise UnusableValueError("this is no address", hint)
    return text


def _namespace(text: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9_.-]{1,64}(?:/[A-Za-z0-9_.-]{1,64}){0,15}/?", text) is None:
        raise UnusableValueError("this is no Vault namespace", "write it like desk or desk/trading, or null")
    return text


def _permission(text: str) -> Permission:
    try:
        return Permission(text)
    except ValueError:
        raise UnusableValueError("there is no such permission", suggestion(text, list(Permission))) from None


def _whitelist_entry(text: str) -> Network | None:
    return None if text == "*" else read_network(text)


def _chain_id(text: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9_.-]{1,50}", text) is None:
        raise UnusableValueError("this is no chain id", "write it like Binance-Chain-Tigris")
    return text


def _address_prefix(text: str) -> str:
    if re.fullmatch(r"[a-z]{1,16}", text) is None:
        raise UnusableValueError("this is no address prefix", "write lower-case letters, like bnb")
    return text


Name = Annotated[str, text_read_by(read_name)]
FilePath = Annotated[Path, text_read_by(_path)]
Listen = Annotated[ListenAddress, text_read_by(read_listen_address)]
TrustedNetwork = Annotated[Network, text_read_by(read_network)]
WhitelistEntry = Annotated[Network | None, text_read_by(_whitelist_entry)]
WalletAddress = Annotated[str, text_read_by(_wallet_address)]
VaultAddress = Annotated[str, text_read_by(read_vault_address)]
VaultNamespace = Annotated[str, text_read_by(_namespace)]
NodeUrl = Annotated[str, text_read_by(read_node_url)]
CollectorUrl = Annotated[str, text_read_by(read_collector_url)]
ChainId = Annotated[str, text_read_by(_chain_id)]
AddressPrefix = Annotated[str, text_read_by(_address_prefix)]
StateUrl = Annotated[str, text_read_by(read_state_url)]
Replication = Annotated[ReplicationKind, text_read_by(read_replication)]
PermissionWord = Annotated[Permission, text_read_by(_permission)]
KeyReference = Annotated[KvReference, PlainValidator(_key_reference)]
PasswordHash = Annotated[str, PlainValidator(_password_hash)]


def transit_key(example: str) -> PlainValidator:
    """A validator for a Transit reference, with the reference that would be right for the hint."""
    return text_read_by(lambda text: read_transit_reference(text, example=example))
