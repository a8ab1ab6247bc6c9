"""Reading the question for a signature on a checkpoint; see `strict_members`. Pure."""

import re

from vaultsigner.custody.checkpoint_protocol import SignCheckpointRequest
from vaultsigner.custody.strict_members import bad_question, read_bytes, read_counter, read_members, read_text
from vaultsigner.domain.merkle import HASH_BYTES
from vaultsigner.strict_json import JsonDocument

_MEMBERS = {"chain", "size", "root", "head", "old_size", "path", "not_before_us"}
_CHAIN = re.compile(r"[0-9a-f]{16}\Z")
_HEAD = re.compile(r"[0-9a-f]{64}\Z")
_LONGEST_PATH = 128
"""Twice the height of the largest tree that there can be."""


def read_sign_checkpoint(payload: bytearray) -> SignCheckpointRequest:
    """The question for a signature on a checkpoint."""
    members = read_members(payload, _MEMBERS)
    size, old_size = read_counter(members["size"]), read_counter(members["old_size"])
    path = members["path"]
    if not isinstance(path, list) or len(path) > _LONGEST_PATH:
        raise bad_question("its path is none")
    if not old_size <= size or size == 0:
        raise bad_question("a chain does not shrink, and one without records is not signed")
    return SignCheckpointRequest(
        chain=_matching(members["chain"], _CHAIN),
        size=size,
        root=_hash(members["root"]),
        head=_matching(members["head"], _HEAD),
        old_size=old_size,
        path=tuple(map(_hash, path)),
        not_before_us=read_counter(members["not_before_us"]),
    )


def _matching(value: JsonDocument, pattern: re.Pattern[str]) -> str:
    text = read_text(value)
    if not pattern.match(text):
        raise bad_question("a name or a hash in it is none")
    return text


def _hash(value: JsonDocument) -> bytes:
    data = read_bytes(value)
    if len(data) != HASH_BYTES:
        raise bad_question("a hash in it is of another length")
    return data
