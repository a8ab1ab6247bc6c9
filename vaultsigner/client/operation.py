"""One definition of each call, for both clients: it waits in the one, and is awaited in the other.

`SigningClient.wallets()` answers wallets, `AsyncSigningClient.wallets()` a coroutine of them: which it is, type checkers
know by the class on whose instance the name is looked up.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, Self, TypeVar, overload

from vaultsigner.client.asks import Ask
from vaultsigner.client.plans import Plan
from vaultsigner.client.session import Session

P = ParamSpec("P")
T = TypeVar("T")


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
        functools.update_wrapper(self, plan)
        signature = inspect.signature(plan)
        itself = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        rest = list(signature.parameters.values())[1:]
        self.__signature__ = signature.replace(
            parameters=[itself, *rest], return_annotation=inspect.Signature.empty
        )

    def __call__(self, client: Any, *args: P.args, **kwargs: P.kwargs) -> Any:
        """As it is called through the class."""
        return self.__get__(client)(*args, **kwargs)

    @overload
    def __get__(self, client: None, owner: type | None = None) -> Self: ...

    @overload
    def __get__(self, client: Waits, owner: type | None = None) -> Callable[P, T]: ...

    @overload
    def __get__(self, client: Awaits, owner: type | None = None) -> Callable[P, Coroutine[Any, Any, T]]: ...

    def __get__(self, client: Any, owner: type | None = None) -> Any:
        """The method, bound to a client."""
        if client is None:
            return self
        if hasattr(client, "_run_async"):

            @functools.wraps(self._plan)
            async def awaited(*args: P.args, **kwargs: P.kwargs) -> T:
                found: T = await client._run_async(self._plan(client._session, *args, **kwargs))
                return found

            return _shown(awaited, self)

        @functools.wraps(self._plan)
        def done(*args: P.args, **kwargs: P.kwargs) -> T:
            found: T = client._run(self._plan(client._session, *args, **kwargs))
            return found

        return _shown(done, self)


def _shown(method: Callable[P, Any], operation: Operation[P, Any]) -> Callable[P, Any]:
    """Without the session among its parameters, in `help` and wherever signatures are shown."""
    parameters = list(operation.__signature__.parameters.values())[1:]
    method.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # functions may have one
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
