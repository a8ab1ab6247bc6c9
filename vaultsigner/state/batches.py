"""Runs, inside one transaction, all the work that waits: what one piece does wrong harms no other."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from vaultsigner.errors import StateError
from vaultsigner.state.counting import NotCounted
from vaultsigner.state.counting_statements import count_all
from vaultsigner.state.sessions import Counting, Operation, Session, Work

Result = TypeVar("Result")


def run_batch(session: Session, batch: Sequence[Work]) -> list[object]:
    """Returns for each piece of work its result or its StateError.

    Whoever waits at the same time has no claim to an order, so all that only counts goes first, together.

    Raises:
        Exception: the engine's own: the transaction is over and nothing was done.
    """
    countings = [work for work in batch if isinstance(work, Counting)]
    counted = iter(_count(session, countings))
    return [next(counted) if isinstance(work, Counting) else _attempt(session, work.run) for work in batch]


def run_reads(session: Session, batch: Sequence[Work]) -> list[object]:
    """The same where all the work only reads, which needs no transaction."""
    return [_read(session, work) for work in batch if isinstance(work, Operation)]


def _read(session: Session, operation: Operation) -> object:
    try:
        return operation.run(session)
    except StateError as error:
        return error


def _count(session: Session, countings: Sequence[Counting]) -> Sequence[NotCounted | StateError | None]:
    """Together; one by one if one of them cannot be counted at all."""
    if not countings:
        return ()
    answers = _attempt(session, partial(count_all, countings=countings))
    if not isinstance(answers, StateError):
        return answers
    if len(countings) == 1:
        return (answers,)
    return [_count(session, [each])[0] for each in countings]


def _attempt(session: Session, run: Callable[[Session], Result]) -> Result | StateError:
    session.tell("SAVEPOINT operation")
    result: Result | StateError
    try:
        result = run(session)
    except StateError as error:
        session.tell("ROLLBACK TO operation")
        result = error
    session.tell("RELEASE operation")
    return result
