"""What a client calls itself by and proves itself with, and the lines that name it in config.yml."""

import json
import secrets
import string
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from vaultsigner.config.settings import ClientScheme, KvReference, Settings

_API_KEY_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
"""Base32 (RFC 4648, section 6), in small letters: nothing to mistake for a secret, in a URL or in YAML."""
_API_KEY_CHARACTERS = 32
_SECRET_LETTERS = string.ascii_letters + string.digits
_SECRET_CHARACTERS = 64


@dataclass(frozen=True, slots=True)
class Usable:
    """What a client may be given, by the configuration's names.

    Args:
        wallet: for the example of a permission; None where there are no wallets.
        exchanges, open_api: all that there are.
    """

    wallet: str | None = None
    exchanges: tuple[str, ...] = ()
    open_api: tuple[str, ...] = ()


def usable_in(settings: Settings | None) -> Usable:
    """What a configuration has; without one, a wallet for an example."""
    if settings is None:
        return Usable("wallet_1")
    return Usable(next(iter(settings.wallets), None), tuple(settings.exchanges), tuple(settings.open_api))


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
    name: str, api_key: str, scheme: ClientScheme, credential: KvReference | Path, usable: Usable
) -> str:
    """What to paste under `clients:`.

    Args:
        name, api_key, scheme: the client's.
        credential: where the shared secret lies, or the public key's file.
        usable: what it may be given: all exchanges and apps are named, for the reader to take away what is too much.
    """
    where = (
        f"secret: {credential}"
        if isinstance(credential, KvReference)
        else f"public_key: {json.dumps(str(credential), ensure_ascii=False)}"
    )
    return (f"  - name: {name}\n    api_key: {api_key}\n    scheme: {scheme}\n    {where}\n") + "".join(
        _given(usable)
    )


def _given(usable: Usable) -> Iterator[str]:
    if usable.wallet is not None:
        yield "    wallet_permissions:\n"
        yield (
            f"      - {{wallet_name: {usable.wallet}, permissions: [trade]}}   # of: trade, transfer, freeze, resync, vote\n"
        )
    for section, names in (("exchanges", usable.exchanges), ("open_api", usable.open_api)):
        if names:
            yield f"    {section}: [{', '.join(names)}]\n"
    if usable == Usable():
        yield "    # there is nothing yet that it could be given: wallet_permissions, exchanges or open_api\n"


def as_document(made: Mapping[str, str | None]) -> str:
    """For `--json`: what was made, without what there is none of."""
    return json.dumps({key: value for key, value in made.items() if value is not None}, indent=2)


def _random(letters: str, count: int) -> str:
    return "".join(secrets.choice(letters) for _ in range(count))
