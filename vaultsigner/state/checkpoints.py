"""What the state knows of the record: how far each of its chains has come, told when it begins and whenever it is signed.

The record and the state say this of each other, so that neither can be taken back to an older copy unnoticed.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NotedCheckpoint:
    """A chain had `size` records, and `head` was the hash of the last of them.

    Args:
        replica: the name of the directory that it is in; empty where directories have none.
    """

    chain: str
    size: int
    head: str
    replica: str = ""
