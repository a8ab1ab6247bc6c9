"""Custody that stops as soon as it knows that a request is refused."""

from vaultsigner.custody.__main__ import main
from vaultsigner.custody.request_proofs import RequestProofs


async def _no_work(*_: object, **__: object) -> None:
    """Nothing is done for nothing."""


if __name__ == "__main__":
    RequestProofs._same_work = _no_work  # type: ignore[method-assign] # the experiment itself
    raise SystemExit(main())
