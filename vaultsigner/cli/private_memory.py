"""For the seconds that a command holds a secret: no core file, no debugger of the same user."""

import sys

from vaultsigner.custody.hardening import forbid_core_dumps, forbid_tracing


def keep_memory_private() -> None:
    """Before the secret is made or read."""
    forbid_core_dumps()
    if sys.platform == "linux":
        forbid_tracing()
