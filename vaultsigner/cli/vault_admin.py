"""The operator's way into Vault or OpenBao: hvac, the operator's own token, and errors a person can act on.

The running service never uses this; the custody process has its own token and its own reader.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import hvac
import hvac.exceptions
import requests

from vaultsigner.config.addresses import read_vault_address
from vaultsigner.config.problems import UnusableValueError
from vaultsigner.errors import VaultsignerError

TIMEOUT_SECONDS = 15
_NO_TLS = re.compile(r"WRONG_VERSION_NUMBER|wrong version number|record layer failure", re.IGNORECASE)
"""OpenSSL, when the other side answers in plain text: the first two before 3.2, the last since then."""


class VaultAccessError(VaultsignerError):
    """Vault cannot be reached, or will not do what was asked."""

    code = "vault_unavailable"


class VaultDeniedError(VaultAccessError):
    """The operator's token may not do this."""

    code = "vault_denied"


class CheckAndSetError(VaultAccessError):
    """A check-and-set write found another version than it expected."""


class OperatorVault:
    """One operator's session with Vault: paths in, `data` out."""

    def __init__(
        self, address: str, token: str, *, namespace: str | None = None, ca_cert: Path | None = None
    ) -> None:
        """
        Args:
            address: `https://host:port`; plain http only to this machine.
            token: the operator's token, held for the life of this object.
            namespace: of Vault Enterprise or OpenBao, None for the root.
            ca_cert: PEM file to trust instead of the system's store.

        Raises:
            VaultAccessError: the address is unusable.
        """
        try:
            self.address = read_vault_address(address)
        except UnusableValueError as error:
            raise VaultAccessError(f"the Vault address {address}: {error.message}; {error.hint}") from None
        session = requests.Session()
        # REQUESTS_CA_BUNDLE would override `verify`, and a proxy variable would send the token elsewhere.
        session.trust_env = False
        session.verify = str(ca_cert) if ca_cert else True
        # A redirect would carry the token, and a key being written, to a host that nobody named.
        self._client = hvac.Client(
            url=self.address,
            token=token,
            namespace=namespace,
            session=session,
            verify=session.verify,
            timeout=TIMEOUT_SECONDS,
            allow_redirects=False,
        )

    def read(self, path: str) -> Mapping[str, Any] | None:
        """GET a path, e.g. `secret/metadata/wallets/wallet_1`: its `data`, or None where there is nothing.

        Raises:
            VaultAccessError: anything but an answer or "not found".
        """
        try:
            return self._ask("get", path)
        except hvac.exceptions.InvalidPath:
            return None

    def write(self, path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """POST to a path: what Vault answered under `data`, or under `auth` for a new token.

        Raises:
            CheckAndSetError: `options.cas` named another version than Vault has.
            VaultAccessError: Vault did not do it.
        """
        try:
            return self._ask("post", path, json=body)
        except hvac.exceptions.InvalidPath:
            mount = path.partition("/")[0]
            raise VaultAccessError(
                f"Vault has nothing mounted for {path}: is the mount `{mount}/` right?"
            ) from None

    def write_wrapped(self, path: str, body: Mapping[str, Any], ttl: str) -> str:
        """POST to a path, and have the answer wrapped: a token that gives the answer to whoever comes first with it.

        Args:
            ttl: how long the wrapping lasts, as Vault writes it: `5m`.

        Raises:
            VaultAccessError: Vault did not do it.
        """
        what = f"write {path}"
        try:
            answer = self._client.adapter.request(
                "post", f"/v1/{quote(path, safe='/')}", json=body, wrap_ttl=ttl
            )
            token = answer["wrap_info"]["token"]
        except (hvac.exceptions.VaultError, requests.RequestException) as error:
            raise _explained(error, what, self.address) from None
        except (KeyError, TypeError):
            raise VaultAccessError(f"Vault's answer is not wrapped ({what})") from None
        return str(token)

    def _ask(self, method: str, path: str, **request: Any) -> Mapping[str, Any]:
        what = f"{'read' if method == 'get' else 'write'} {path}"
        try:
            answer = self._client.adapter.request(method, f"/v1/{quote(path, safe='/')}", **request)
        except hvac.exceptions.InvalidPath:
            raise
        except (hvac.exceptions.VaultError, requests.RequestException) as error:
            raise _explained(error, what, self.address) from None
        if isinstance(answer, requests.Response):
            return _without_body(answer, what, self.address)
        return answer.get("data") or answer.get("auth") or {}


def _without_body(response: requests.Response, what: str, address: str) -> Mapping[str, Any]:
    if response.is_redirect:
        raise VaultAccessError(
            f"Vault at {address} redirects instead of answering ({what}): give the active node's own address"
        )
    if response.status_code == requests.codes.no_content:
        return {}
    raise VaultAccessError(
        f"{address} answered status {response.status_code} and no JSON ({what}): is this Vault?"
    )


def _explained(error: Exception, what: str, address: str) -> VaultAccessError:
    """Vault's or the network's trouble in a sentence. hvac's own text is used only where it is Vault's `errors` list."""
    if isinstance(error, hvac.exceptions.Forbidden):
        return VaultDeniedError(
            f"Vault denies: {what}. The operator's token is expired, revoked, or its policies do not cover this path"
        )
    if isinstance(error, hvac.exceptions.InvalidRequest) and "check-and-set" in _errors_of(error):
        return CheckAndSetError(f"Vault refused to overwrite ({what}): {_errors_of(error)}")
    if isinstance(error, hvac.exceptions.VaultError):
        return VaultAccessError(_vault_trouble(error, what, address))
    return VaultAccessError(_network_trouble(error, what, address))


def _vault_trouble(error: hvac.exceptions.VaultError, what: str, address: str) -> str:
    match error:
        case hvac.exceptions.VaultDown():
            return f"Vault at {address} is sealed or in standby: unseal it, then try again"
        case hvac.exceptions.VaultNotInitialized():
            return f"Vault at {address} is not initialised: run `bao operator init` first"
        case _:
            return f"Vault refused ({what}): {_errors_of(error)}"


def _network_trouble(error: Exception, what: str, address: str) -> str:
    match error:
        case requests.exceptions.SSLError() if _NO_TLS.search(str(error)):
            return f"{address} speaks no TLS there; is it http?"
        case requests.exceptions.SSLError() if "CERTIFICATE_VERIFY_FAILED" not in str(error):
            return f"the TLS handshake with {address} failed: is this Vault's own address?"
        case requests.exceptions.SSLError():
            return f"the certificate of {address} is not trusted: give its authority with --ca-cert"
        case requests.exceptions.Timeout():
            return f"Vault at {address} did not answer within {TIMEOUT_SECONDS} s ({what})"
        case _:
            return f"Vault at {address} cannot be reached: is it running, and is the address right?"


def _errors_of(error: hvac.exceptions.VaultError) -> str:
    """In one line: Vault breaks lists of errors over several."""
    return "; ".join(" ".join(str(line).split()) for line in error.errors or ()) or type(error).__name__
