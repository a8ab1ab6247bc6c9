"""What a client does, step by step, without doing it: the same plan is carried out by threads that wait and by an event loop.

A plan is a generator. It yields what is to be done, is sent what came of it, and returns the answer.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeVar

from vaultsigner.client.asks import Request

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Send:
    """Send a request; a `Reply` comes back, or NotSentError or ConnectionLostError is raised where it was yielded."""

    request: Request


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait."""

    seconds: float


@dataclass(frozen=True, slots=True)
class LogIn:
    """Log in, unless somebody has done so since the token was `stale`: one log-in serves all who wait for one.

    Args:
        plan: what makes the token. Carried out by one at a time.
        is_needed: asked once it is this one's turn.
    """

    is_needed: Callable[[], bool]
    plan: Callable[[], "Plan[None]"]


Step = Send | Pause | LogIn
Plan = Generator[Step, Any, T]
