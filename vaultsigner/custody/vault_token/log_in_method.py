"""What every way of logging in to Vault has in common. Each is a module of its own; `log_in_methods` chooses."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from vaultsigner.custody.wiping import wipe
from vaultsigner.errors import VaultsignerError

_PLAIN = re.compile(rb"[ !#-\[\]-~]*")
"""Printable ASCII that JSON writes as it is."""


class LogInError(VaultsignerError):
    """Custody has nothing to log in with; the message says what is missing and what to do, for people."""

    code = "vault_denied"


@dataclass(frozen=True, slots=True)
class LogInRequest:
    """What to send. The body holds a secret: whoever sends it wipes it."""

    path: str
    body: bytearray = field(repr=False)


class LogInMethod(Protocol):
    """A way of logging in."""

    remedy: str
    """What a person can do where Vault refuses the log-in."""

    async def request(self) -> LogInRequest:
        """The next log-in, with what there is to log in with now.

        Raises:
            LogInError: there is nothing.
            NoAnswerError: somebody who has to be asked first does not answer.
        """

    def offers_more(self) -> bool:
        """Whether something new has come that must not wait until the token needs it. Looks, and costs little."""


def json_object(members: Mapping[str, str | bytearray]) -> bytearray:
    """A JSON object of texts, written into a buffer that its receiver wipes.

    Raises:
        LogInError: a text has a character that would need an escape. What custody logs in with has none.
    """
    room = bytearray(b"{")
    for name, value in members.items():
        data = value if isinstance(value, bytearray) else value.encode()
        if _PLAIN.fullmatch(data) is None:
            wipe(room)
            raise LogInError(f"the {name} to log in with has characters that none has")
        # A bytearray that grows leaves what it was behind; so it is put together anew, and the old one wiped.
        grown = bytearray().join((room, b"," if len(room) > 1 else b"", f'"{name}":"'.encode(), data, b'"'))
        wipe(room)
        room = grown
    whole = room + b"}"
    wipe(room)
    return whole
