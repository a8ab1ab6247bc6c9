"""Where secrets come from. None is kept longer than it is used, but for what a caller hands over as text, and parsed keys."""

from collections.abc import Callable
from pathlib import Path

from vaultsigner.client.errors import CredentialsError

Secret = str | bytes | Path | Callable[[], str | bytes]
"""The secret itself, a file that holds it (read at each use, so that it may be replaced), or what fetches it."""


def read_secret(source: Secret, what: str) -> bytes:
    """The secret's bytes; of a file without the newline at its end.

    Raises:
        CredentialsError: there is none, or it is a text that has no bytes.
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
    if not isinstance(found, str):
        return found
    try:
        return found.encode()
    except UnicodeEncodeError:
        pass  # the error holds the whole secret: not even as the context of another one may it be seen
    raise CredentialsError(
        f"The {what} is no text that can be sent: a part of it was no UTF-8 where it came from"
    )


def read_secret_text(source: Secret, what: str) -> str:
    """The same as text.

    Raises:
        CredentialsError: there is none, or it is no UTF-8.
    """
    found = read_secret(source, what)
    try:
        return found.decode()
    except UnicodeDecodeError:
        pass  # as above
    raise CredentialsError(f"The {what} is no UTF-8 text")
