"""The node stand-in in a thread of its own."""

from contextlib import AbstractContextManager
from typing import Any

from tests.threads import in_thread
from vaultsigner.dev.beacon_node import BeaconNode, run_beacon_node


def running_beacon_node(**options: Any) -> AbstractContextManager[BeaconNode]:
    """A node as `run_beacon_node(**options)` makes it. Its plain data may be read and set from any thread."""
    return in_thread("beacon-node", lambda: run_beacon_node(**options))
