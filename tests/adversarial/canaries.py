"""Secrets of every kind that were never used for anything, and the places of a request where somebody may type them."""

import secrets
from collections.abc import Iterator
from typing import Any

from tests.adversarial.memory_search import forms_of_text
from vaultsigner.cli.key_material import new_mnemonic, new_private_key

CANARIES = {
    "key": new_private_key().text,
    "mnemonic": new_mnemonic(12).text,
    "OpenBao token": f"s.{secrets.token_hex(12)}",
    "Vault token": f"hvs.CAESI{secrets.token_urlsafe(60)}",
    "password": f"Tr0ub4dor&{secrets.token_hex(8)}",
    "access token": ".".join(secrets.token_urlsafe(48) for _ in range(3)),
}
NEEDLES = {
    form: needle for name, canary in CANARIES.items() for form, needle in forms_of_text(name, canary).items()
}

HEADERS = (
    *("Authorization: {}", "Authorization: Bearer {}", "Authorization: Basic {}", "X-MBX-APIKEY: {}"),
    *("Cookie: {}", "X-Forwarded-For: {}", "Forwarded: for={}", "X-Request-Id: {}", "User-Agent: {}"),
    *("Content-Type: {}", "Content-Encoding: {}", "Transfer-Encoding: {}", "Expect: {}", "Upgrade: {}"),
    *("X-Vault-Token: {}", "Host: {}", "Referer: {}", "Accept: {}", "Connection: {}", "{}: 1", "{}"),
)

BROKEN = (
    *('{{"password": "{0}"', '{{"password": "{0}}}', "{{'password': '{0}'}}", '{{"password": {0}}}', "{0}"),
    *(
        '{{"a": "{0}", "a": "{0}"}}',
        '{{"{0}": 1, "{0}": 2}}',
        '{{"password": "{0}"}} x',
        '{{"password": "{0}\\ud800"}}',
    ),
    *('{{"password": "{0}", "n": NaN}}', '{{"password": "{0}", "n": 1e400}}', '["{0}"]', '"{0}"'),
    *('{{"password": "{0}\n"}}', "password={0}", '\ufeff{{"password": "{0}"}}', '{{"a": {{"{0}": ' * 20),
)


def with_canary(document: Any, canary: str) -> Iterator[Any]:
    """The document with the canary in every place: as each value, wrapped, and as the name of one more member."""
    if isinstance(document, dict):
        yield {**document, canary: canary}
        yield {**document, "comment": {canary: [canary]}}
        for name, value in document.items():
            yield from ({**document, name: other} for other in with_canary(value, canary))
    elif isinstance(document, list):
        yield [*document, canary]
        for index, value in enumerate(document):
            yield from (
                [*document[:index], other, *document[index + 1 :]] for other in with_canary(value, canary)
            )
    else:
        yield from (canary, [canary], {canary: canary}, f"{document}{canary}", f" {canary}")
