"""Whether a caller has shown one of the TLS certificates that config.yml wants of them. Pure."""

from collections.abc import Collection
from typing import Protocol

from vaultsigner.domain.names import CertificateDigest


class Certified(Protocol):
    """A user or a client, as config.yml has them."""

    @property
    def certificates(self) -> Collection[CertificateDigest]:
        """Those that count; empty where none is wanted."""


def certificate_misfit(account: Certified, shown: CertificateDigest | None) -> str | None:
    """Why this certificate is none of the account's; None where it is, or where none is wanted.

    Args:
        account: who is said to ask.
        shown: what a trusted proxy says that they have shown to it.
    """
    if not account.certificates or shown in account.certificates:
        return None
    return "no client certificate was shown" if shown is None else "the client certificate is another one"
