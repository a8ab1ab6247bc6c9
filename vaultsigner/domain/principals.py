"""Who asks."""

from dataclasses import dataclass
from typing import Literal

PrincipalKind = Literal["user", "client", "partner"]
BY_API_KEY = "api_key"
"""The scheme of a client that is only named, by its API key, where the exchange asks for no more either: nothing is proved."""


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller whose identity is proved. `scheme` is how: `token` for users with an access token, a client's own for clients."""

    kind: PrincipalKind
    name: str
    scheme: str = "token"

    def __str__(self) -> str:
        """As policies name it: `user:sam`."""
        return f"{self.kind}:{self.name}"
