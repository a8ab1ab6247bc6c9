"""Words for a connection that could not be made. The error's own text would do, but says nothing of what to do."""

import os
import ssl

_NO_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE")
"""What OpenSSL says when the other side answers in plain text, before 3.2 and since."""


def why_no_vault(error: OSError, seconds: float) -> str:
    """Why Vault could not be dialled.

    Args:
        seconds: how long it was tried.
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"its certificate is not accepted ({error.verify_message}): check vault.address and vault.ca_cert"
        )
    if isinstance(error, ssl.SSLError) and error.reason in _NO_TLS:
        return "it speaks no TLS there; is vault.address http?"
    if isinstance(error, ssl.SSLError):
        return "the TLS handshake failed: check that vault.address is an https address of Vault"
    if isinstance(error, TimeoutError):
        return f"no connection within {seconds:.0f} seconds: check vault.address"
    return f"no connection ({short_reason(error)}): check vault.address and that Vault runs"


def short_reason(error: OSError) -> str:
    """The system's words alone: asyncio's own text repeats the call and its arguments."""
    return os.strerror(error.errno) if error.errno and error.errno > 0 else type(error).__name__
