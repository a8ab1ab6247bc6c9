"""One definition of each call, for both clients: it waits in the one, and is awaited in the other.

`SigningClient.wallets()` answers wallets, `AsyncSigningClient.wallets()` a coroutine of them: which it is, type checkers
know by the class on whose instance the name is looked up.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Coroutine
from types import MethodType
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar, overload

from vaultsigner.client.asks import Ask
from vaultsigner.client.plans import Plan
from vaultsigner.client.session import Session

P = ParamSpec("P")
T = TypeVar("T")
Method = TypeVar("Method", bound=Callable[..., Any])


class Waits(Protocol):
    """A client that carries plans out before it returns."""

    @property
    def _session(self) -> Session: ...

    def _run(self, plan: Plan[T]) -> T: ...


class Awaits(Protocol):
    """A client that carries plans out in an event loop."""

    @property
    def _session(self) -> Session: ...

    async def _run_async(self, plan: Plan[T]) -> T: ...


class Operation(Generic[P, T]):
    """A method of both clients."""

    def __init__(self, plan: Callable[Concatenate[Session, P], Plan[T]]) -> None:
        self._plan = plan
        itself = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        self._parameters = [itself, *list(inspect.signature(plan).parameters.values())[1:]]

    @overload
    def __get__(self, client: None, owner: type) -> Callable[Concatenate[Any, P], Any]: ...

    @overload
    def __get__(self, client: Waits, owner: type | None = None) -> Callable[P, T]: ...

    @overload
    def __get__(self, client: Awaits, owner: type | None = None) -> Callable[P, Coroutine[Any, Any, T]]: ...

    def __get__(self, client: Any, owner: type | None = None) -> Any:
        """The method: bound to a client, or a function whose first parameter is one."""
        asynchronous = hasattr(owner if client is None else client, "_run_async")
        method = self._awaited() if asynchronous else self._done()
        return method if client is None else MethodType(method, client)

    def _done(self) -> Callable[..., T]:
        @functools.wraps(self._plan)
        def done(client: Any, /, *args: P.args, **kwargs: P.kwargs) -> T:
            found: T = client._run(self._plan(client._session, *args, **kwargs))
            return found

        return self._shown(done)

    def _awaited(self) -> Callable[..., Coroutine[Any, Any, T]]:
        @functools.wraps(self._plan)
        async def awaited(client: Any, /, *args: P.args, **kwargs: P.kwargs) -> T:
            found: T = await client._run_async(self._plan(client._session, *args, **kwargs))
            return found

        return self._shown(awaited)

    def _shown(self, method: Method) -> Method:
        """With a client in the session's place, in `help` and wherever parameters are shown."""
        method.__signature__ = inspect.Signature(self._parameters)  # type: ignore[attr-defined]  # functions may have one
        return method


def asks(describe: Callable[P, Ask[T]]) -> Operation[P, T]:
    """The method that has one thing done."""

    def plan(session: Session, /, *args: P.args, **kwargs: P.kwargs) -> Plan[T]:
        return session.perform(describe(*args, **kwargs))

    parameters = [
        inspect.Parameter("session", inspect.Parameter.POSITIONAL_ONLY),
        *inspect.signature(describe).parameters.values(),
    ]
    functools.update_wrapper(plan, describe)
    plan.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # functions may have one
    return Operation(plan)
