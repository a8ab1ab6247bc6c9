"""What a file says and where, and what is wrong with it."""

import re
from dataclasses import dataclass, field

from vaultsigner.errors import VaultsignerError

YamlValue = bool | int | str | None | list["YamlValue"] | dict[str, "YamlValue"]
YamlPath = tuple[str | int, ...]

SECRET_KEYS = frozenset(
    {"private_key", "mnemonic", "secret", "secret_key", "password", "password_hash", "token"}
)
"""Names whose values, whatever they are, are never repeated in a message."""


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a file; both numbers count from 1, columns in characters."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class YamlProblem:
    """What is wrong at one place. `hint` says what to write instead."""

    path: YamlPath
    position: Position
    message: str
    hint: str


@dataclass(slots=True)
class Document:
    """What one file says.

    Args:
        value: the root; meaningless unless `complete`.
        keys: where the key of each path stands; list entries have none.
        values: where the value of each path stands.
        problems: everything refused, in the order of the file.
        complete: False when reading had to stop before the end, so that what is missing in `value` means nothing.
    """

    value: YamlValue = None
    keys: dict[YamlPath, Position] = field(default_factory=dict)
    values: dict[YamlPath, Position] = field(default_factory=dict)
    problems: list[YamlProblem] = field(default_factory=list)
    complete: bool = True


class UnreadableError(VaultsignerError):
    """Going on makes no sense; never seen outside this package."""

    def __init__(self, position: Position, message: str, hint: str) -> None:
        super().__init__(message)
        self.problem = YamlProblem((), position, message, hint)


def names_secret(path: YamlPath) -> bool:
    """True when a value at this path must never be repeated in a message."""
    return any(part in SECRET_KEYS for part in path)


def is_plain_name(key: str) -> bool:
    """True when a key looks like a name and not like a secret, which can stand where a key belongs (one colon does it)."""
    return re.fullmatch(r"(?!.*[A-Za-z0-9]{20})[A-Za-z0-9_.$<-]{1,40}", key) is not None


def shown_key(key: str, path: YamlPath) -> str:
    """A key under `path` for a message: itself where it looks like a name, or words that give nothing away."""
    return f'"{key}"' if is_plain_name(key) and not names_secret(path) else "this key"
