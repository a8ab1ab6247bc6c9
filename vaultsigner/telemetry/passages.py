"""A request on its way through the service: how long its steps took, and what was decided. Whoever takes a step says so with
`step`, wherever that is; outside a request nothing is measured.
"""

import time
from collections.abc import Mapping
from contextvars import ContextVar
from types import TracebackType
from typing import Literal, Protocol

StepName = Literal["authenticate", "decide", "count", "state", "audit", "custody", "dispatch"]


class Span(Protocol):
    """A step of a trace that has begun."""

    def end(self, *, failed: bool) -> None:
        """It is over."""


class Trace(Protocol):
    """What is told elsewhere of one request."""

    def begin(self, name: str) -> Span:
        """A step begins, inside the one that is under way."""

    def end(self, name: str, facts: Mapping[str, str], *, failed: bool) -> None:
        """The request is answered.

        Args:
            name: of what was asked for.
            facts: names of ours alone.
            failed: the fault is on this side.
        """


class Watcher(Protocol):
    """Gathers what passages tell."""

    def stepped(self, step: StepName, seconds: float) -> None:
        """A step took so long."""

    def decided(self, operation: str, effect: str, rule: str | None) -> None:
        """Policy has spoken."""


class Passage:
    """One request. `rule` is the one that decided it, where one did.

    Args:
        watcher: is told of every step.
        trace: None where nobody follows this request.
    """

    __slots__ = ("_token", "began", "over", "rule", "trace", "watcher")

    def __init__(self, watcher: Watcher, trace: Trace | None = None) -> None:
        self.watcher = watcher
        self.trace = trace
        self.rule: str | None = None
        self.over = False
        self.began = time.perf_counter()
        self._token = _CURRENT.set(self)

    def leave(self) -> None:
        """What follows in this task is no part of it. To be called where it was made."""
        _CURRENT.reset(self._token)


_CURRENT: ContextVar[Passage | None] = ContextVar("passage", default=None)


def current_passage() -> Passage | None:
    """The request that this is done for; None where it is done for none, or for one that is answered."""
    passage = _CURRENT.get()
    return None if passage is None or passage.over else passage


def note_decision(operation: str, effect: str, rule: str | None) -> None:
    """Say what policy decided of the request under way.

    Args:
        effect: `allow`, `deny`, or `approval` where others must agree first.
        rule: the id of the rule that decided; None: no rule matched.
    """
    passage = current_passage()
    if passage is not None:
        passage.rule = rule
        passage.watcher.decided(operation, effect, rule)


class step:  # noqa: N801 - used like a function
    """For `with`: a step of the request under way, if one is.

    Args:
        name: which.
        detail: what exactly, a name of ours; for traces.
    """

    __slots__ = ("_began", "_detail", "_name", "_passage", "_span")

    def __init__(self, name: StepName, detail: str = "") -> None:
        self._name = name
        self._detail = detail
        self._passage: Passage | None = None
        self._span: Span | None = None

    def __enter__(self) -> None:
        """It begins."""
        passage = self._passage = current_passage()
        if passage is not None:
            if passage.trace is not None:
                self._span = passage.trace.begin(f"{self._name} {self._detail}".strip())
            self._began = time.perf_counter()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """It is over."""
        if self._passage is not None:
            self._passage.watcher.stepped(self._name, time.perf_counter() - self._began)
        if self._span is not None:
            self._span.end(failed=kind is not None)
