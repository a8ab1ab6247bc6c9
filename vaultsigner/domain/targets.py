"""What a request is about: the thing whose key or secret it wants used."""

from dataclasses import dataclass
from typing import Literal

TargetKind = Literal["wallet", "exchange", "open_api"]


@dataclass(frozen=True, slots=True)
class Target:
    """A wallet, an exchange account or an Open API app of the configuration."""

    kind: TargetKind
    name: str

    def __str__(self) -> str:
        """As policies name it: `wallet:wallet_1`."""
        return f"{self.kind}:{self.name}"
