"""What an answer of Vault that is not 200 means, and what to do about it. Pure.

Source: the HTTP API pages of Vault and OpenBao ("HTTP status codes"; KV version 2; Transit).
"""

import re
from http import HTTPStatus

from vaultsigner.errors import CustodyError

_SEALED = re.compile(rb"sealed")


def error_of(status: int, body: memoryview, what: str, remedy: str) -> CustodyError:
    """The error that a status means.

    Args:
        status: Vault's status, anything but 200.
        body: Vault's answer, looked at but never quoted.
        what: what was asked for, a reference.
        remedy: what to do when Vault refuses the token.
    """
    if status == HTTPStatus.FORBIDDEN:
        return CustodyError("vault_denied", f"Vault refused custody's token for {what}: {remedy}")
    if status == HTTPStatus.NOT_FOUND:
        return CustodyError(
            "key_missing", f"Vault has nothing at {what}: import it, or correct the reference"
        )
    if status == HTTPStatus.SERVICE_UNAVAILABLE and _SEALED.search(body):
        return sealed()
    if status == HTTPStatus.BAD_REQUEST:
        return CustodyError(
            "key_missing", f"Vault cannot use {what} for this: check that it exists and is of the right type"
        )
    return CustodyError("vault_unavailable", f"Vault answered {status} when asked for {what}")


def no_token(what: str, remedy: str) -> CustodyError:
    """Custody has no token to ask with."""
    return CustodyError("vault_denied", f"custody cannot ask Vault for {what}: {remedy}")


def sealed() -> CustodyError:
    """Vault is there, but closed."""
    return CustodyError("vault_sealed", "Vault is sealed: unseal it; custody goes on by itself then")


def unavailable(reason: str) -> CustodyError:
    """Vault could not be asked at all."""
    return CustodyError("vault_unavailable", f"Vault cannot be used: {reason}")
