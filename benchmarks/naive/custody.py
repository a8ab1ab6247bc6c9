"""Custody that stops as soon as it knows that a request is refused."""

from vaultsigner.custody.__main__ import main
from vaultsigner.custody.claims import Claim
from vaultsigner.custody.protocol import AuthenticateRequest
from vaultsigner.custody.request_proofs import RequestProofs


async def _no_work(_proofs: RequestProofs, _request: AuthenticateRequest, _claim: Claim) -> None:
    """Nothing is done for nothing."""


if __name__ == "__main__":
    RequestProofs._same_work = _no_work  # type: ignore[assignment, method-assign] # the experiment itself
    raise SystemExit(main())
