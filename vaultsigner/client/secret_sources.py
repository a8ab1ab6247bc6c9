"""Where secrets come from. None is kept longer than it is used, but for what a caller hands over as text, and parsed keys."""

from collections.abc import Callable
from pathlib import Path

from vaultsigner.client.errors import CredentialsError

Secret = str | bytes | Path | Callable[[], str | bytes]
"""The secret itself, a file that holds it (read at each use, so that it may be replaced), or what fetches it."""


def read_secret(source: Secret, what: str) -> bytes:
    """The secret's bytes; of a file without the newline at its end.

    Raises:
        CredentialsError: there is none.
    """
    if isinstance(source, Path):
        try:
            found: str | bytes = source.read_bytes().removesuffix(b"\n").removesuffix(b"\r")
        except OSError as error:
            raise CredentialsError(f"Cannot read {what}: {source}: {error.strerror}") from error
    else:
        found = source() if callable(source) else source
    if not isinstance(found, str | bytes) or not found:
        raise CredentialsError(f"There is no {what}: a text or bytes that are not empty are needed")
    return found.encode() if isinstance(found, str) else found
