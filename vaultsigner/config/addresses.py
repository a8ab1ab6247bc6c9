"""Reads listen addresses, networks and URLs, each in one spelling only. No message repeats what was read."""

import re
from ipaddress import IPv6Network, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

from vaultsigner.config.problems import UnusableValueError
from vaultsigner.config.settings import ListenAddress, Network

_LISTEN = re.compile(
    r"(?:\[(?P<six>[0-9a-fA-F:.]+)\]|(?P<host>[A-Za-z0-9.-]{1,253})):(?P<port>0|[1-9][0-9]{0,4})"
)
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_PRINTABLE = re.compile(r"[!-~]+")


def read_listen_address(text: str) -> ListenAddress:
    """`127.0.0.1:8000` or `[::1]:8000`; port 0 lets the system choose.

    Raises:
        UnusableValueError: for anything else.
    """
    match = _LISTEN.fullmatch(text)
    if match is None or int(match["port"]) > 65535:
        raise UnusableValueError(
            "this is no address to listen on", "write host:port, e.g. 127.0.0.1:8000 or [::1]:8000"
        )
    host = match["six"] or match["host"]
    if match["six"] or re.fullmatch(r"[0-9.]+", host):
        try:
            ip_address(host)
        except ValueError:
            hint = "write an IPv4 address as 127.0.0.1:8000, IPv6 as [::1]:8000"
            raise UnusableValueError("the host is no IP address", hint) from None
    return ListenAddress(host=host, port=int(match["port"]))


def read_network(text: str) -> Network:
    """An address (`10.0.0.7`) or a network (`10.0.0.0/8`, `fd00::/8`).

    Raises:
        UnusableValueError: for anything else, and for a network whose address has bits set behind the prefix: it may mean
            one address or the whole network, and the difference is who may sign.
    """
    address, slash, prefix = text.partition("/")
    if "%" in text or (slash and not re.fullmatch(r"0|[1-9][0-9]{0,2}", prefix)):
        raise UnusableValueError("this is no address or network", "write it like 10.0.0.7 or 10.0.0.0/8")
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        raise UnusableValueError(
            "this is no address or network", "write it like 10.0.0.7 or 10.0.0.0/8"
        ) from None
    if isinstance(network, IPv6Network) and network.network_address.ipv4_mapped is not None:
        hint = "write the IPv4 address or network itself"
        raise UnusableValueError("an IPv4 address in IPv6 clothes never matches a caller", hint)
    if network.network_address != ip_address(address):
        message = "the address has bits set behind its prefix"
        raise UnusableValueError(
            message, f"write {network} for the network, or {ip_address(address)} for one address"
        )
    return network


def read_vault_address(text: str) -> str:
    """Where Vault answers, without a closing slash. Plain http only for this machine: the token would travel readable.

    Raises:
        UnusableValueError: for anything else.
    """
    parts = _split_url(text, example="https://vault.example.com:8200")
    if parts.path not in ("", "/"):
        raise UnusableValueError("Vault's address has no path", "write scheme, host and port only")
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        message = "http to another machine would show the token and every key to the network"
        raise UnusableValueError(message, "write https:// and, for a private authority, vault.ca_cert")
    return text.rstrip("/")


def read_node_url(text: str) -> str:
    """A chain node's base URL without a closing slash.

    Raises:
        UnusableValueError: for anything else.
    """
    _split_url(text, example="https://dex.binance.org")
    return text.rstrip("/")


def read_collector_url(text: str) -> str:
    """Where an OpenTelemetry collector answers, without a closing slash. Plain http will do: a trace holds nothing secret.

    Raises:
        UnusableValueError: for anything else.
    """
    _split_url(text, example="http://127.0.0.1:4318")
    return text.rstrip("/")


def read_exchange_url(text: str) -> str:
    """Where an exchange answers, without a closing slash. Plain http only for this machine: orders would travel readable.

    Raises:
        UnusableValueError: for anything else, and for a path: callers' own paths are put behind this.
    """
    parts = _split_url(text, example="https://api.binance.com")
    if parts.path not in ("", "/"):
        raise UnusableValueError("this address has no path", "write scheme, host and port only")
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        message = "http to another machine would show every request, and let anybody change the answers"
        raise UnusableValueError(message, "write https://")
    return text.rstrip("/")


def read_anchor_url(text: str, *, example: str, path: bool) -> str:
    """Where an anchor takes checkpoints, without a closing slash. Plain http only for this machine: anybody between could say
    that a checkpoint is kept.

    Args:
        path: whether the address may have one.

    Raises:
        UnusableValueError: for anything else.
    """
    parts = _split_url(text, example=example)
    if not path and parts.path not in ("", "/"):
        raise UnusableValueError("this address has no path", "write scheme, host and port only")
    if any(step in (".", "..", "") for step in parts.path.strip("/").split("/")) and parts.path not in (
        "",
        "/",
    ):
        raise UnusableValueError("the path has empty steps or dots", f"write it like {example}")
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        message = "http to another machine lets anybody between answer that a checkpoint is kept"
        raise UnusableValueError(message, "write https:// and, for a private authority, ca_cert")
    return text.rstrip("/")


def _split_url(text: str, *, example: str) -> SplitResult:
    wrong = UnusableValueError("this is no http or https URL", f"write it like {example}")
    if not _PRINTABLE.fullmatch(text) or "\\" in text:
        raise wrong
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise wrong from None
    if not text.startswith(("http://", "https://")) or not parts.hostname or port == 0:
        raise wrong
    if "@" in parts.netloc:
        raise UnusableValueError("a URL must not carry a user name or a password", f"write it like {example}")
    if parts.query or parts.fragment or "?" in text or "#" in text:
        raise UnusableValueError("a base URL has no query and no fragment", f"write it like {example}")
    if not _is_host(parts.hostname):
        raise wrong
    return parts


def _is_host(host: str) -> bool:
    if ":" not in host:
        return _HOST.fullmatch(host) is not None
    try:
        ip_address(host)
    except ValueError:
        return False
    return "%" not in host


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine's own, so that nothing crosses a network in the clear."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
