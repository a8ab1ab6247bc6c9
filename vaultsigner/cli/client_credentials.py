"""What a client calls itself by and proves itself with, and the lines that name it in config.yml."""

import json
import secrets
import string
from collections.abc import Container, Mapping
from pathlib import Path

from vaultsigner.config.settings import ClientScheme, KvReference

_API_KEY_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
"""Base32 (RFC 4648, section 6), in small letters: nothing to mistake for a secret, in a URL or in YAML."""
_API_KEY_CHARACTERS = 32
_SECRET_LETTERS = string.ascii_letters + string.digits
_SECRET_CHARACTERS = 64


def new_api_key() -> str:
    """`vs_` and 160 random bits. No secret."""
    return "vs_" + _random(_API_KEY_LETTERS, _API_KEY_CHARACTERS)


def new_secret() -> str:
    """64 letters and digits from the operating system's generator: 381 bits, more than HMAC-SHA256 can use."""
    return _random(_SECRET_LETTERS, _SECRET_CHARACTERS)


def new_name(taken: Container[str]) -> str:
    """A name for a client that was given none."""
    while (name := f"client-{_random(_API_KEY_LETTERS, 6)}") in taken:
        pass
    return name


def config_lines(
    name: str, api_key: str, scheme: ClientScheme, credential: KvReference | Path, wallet: str
) -> str:
    """What to paste under `clients:`.

    Args:
        name, api_key, scheme: the client's.
        credential: where the shared secret lies, or the public key's file.
        wallet: for the example of a permission.
    """
    where = (
        f"secret: {credential}"
        if isinstance(credential, KvReference)
        else f"public_key: {json.dumps(str(credential), ensure_ascii=False)}"
    )
    return (
        f"  - name: {name}\n"
        f"    api_key: {api_key}\n"
        f"    scheme: {scheme}\n"
        f"    {where}\n"
        f"    wallet_permissions:\n"
        f"      - {{wallet_name: {wallet}, permissions: [trade]}}   # of: trade, transfer, freeze, resync, vote\n"
    )


def as_document(made: Mapping[str, str | None]) -> str:
    """For `--json`: what was made, without what there is none of."""
    return json.dumps({key: value for key, value in made.items() if value is not None}, indent=2)


def _random(letters: str, count: int) -> str:
    return "".join(secrets.choice(letters) for _ in range(count))
