"""Which lines may be handed on as JSON. The engine reads more than others do: any depth, half characters, any number."""

import json

from vaultsigner.errors import VaultsignerError
from vaultsigner.strict_json import parse

DEEPEST = 64
"""Far more than any record of ours has."""


def is_readable(line: str) -> bool:
    """Whether it is an object that every parser reads, and reads the same, and that can be written again."""
    try:
        parse(line.encode("utf-8"), max_depth=DEEPEST)
        record = json.loads(line)
        json.dumps(record, allow_nan=False)
    except (VaultsignerError, ValueError):
        return False
    return isinstance(record, dict)
