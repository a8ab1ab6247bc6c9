"""The record: one hash-chained JSON line for each thing that happened, on disk before anyone is told.

Knows nothing of HTTP, keys or policy; what it may say is the typed fields of `audit.entries`.
"""

from vaultsigner.audit.recorder import Recorder, open_recorder

__all__ = ["Recorder", "open_recorder"]
