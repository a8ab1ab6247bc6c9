"""A server in which nothing that measures does anything."""

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from vaultsigner.custody.questions_asked import QuestionsAsked
from vaultsigner.group_commit import GroupCommit
from vaultsigner.server import edge
from vaultsigner.server.__main__ import main
from vaultsigner.signing import deciding
from vaultsigner.telemetry.measures import Histogram
from vaultsigner.telemetry.passages import step


def nothing(*_: object, **__: object) -> None:
    """Whatever it is told."""


def no_step(*_: object) -> AbstractContextManager[None]:
    """For `with`."""
    return nullcontext()


def replace(owner: type | Callable[..., object], **others: object) -> None:
    """Give a class other methods: the experiment itself."""
    for name, other in others.items():
        setattr(owner, name, other)


if __name__ == "__main__":
    vars(edge).update(dict.fromkeys(("begin", "finish", "note_outcome", "note_response"), nothing))
    vars(deciding)["note_decision"] = nothing
    replace(Histogram, observe=nothing)
    replace(QuestionsAsked, asking=no_step)
    replace(GroupCommit, _measured=no_step)
    replace(step, __init__=nothing, __enter__=nothing, __exit__=nothing)
    sys.exit(main())
