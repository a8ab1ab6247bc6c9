"""The outer fence: the words of `permissions` in config.yml, and which operation needs which."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Permission(StrEnum):
    """One word of a `permissions` list."""

    TRADE = "trade"
    TRANSFER = "transfer"
    FREEZE = "freeze"
    RESYNC = "resync"
    VOTE = "vote"


PERMISSION_FOR_MESSAGE: Mapping[str, Permission] = MappingProxyType(
    {
        "order": Permission.TRADE,
        "cancel_order": Permission.TRADE,
        "transfer": Permission.TRANSFER,
        "freeze": Permission.FREEZE,
        "unfreeze": Permission.FREEZE,
        "vote": Permission.VOTE,
    }
)
"""What a message kind needs in the wallet's list and in the user's list for that wallet."""
