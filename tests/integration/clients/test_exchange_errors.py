"""What each library makes of our own errors: an exception of its own kinds, with our words in it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from tests.integration.clients.exchange_clients import LIBRARIES, drive, job
from tests.integration.server.conftest import NO_PROXY, serving
from tests.integration.server.recording_pipeline import RecordingPipeline
from vaultsigner.domain.refusals import Refusal
from vaultsigner.signing.calls import Answer, Call, Streamed

SAID = "Policy says no"
WAITS = Answer({"code": "approval_required", "message": SAID}, code="approval_required")
OUTCOMES: Mapping[str, Answer | Refusal] = {
    **{
        code: Refusal(code, SAID)
        for code in (
            *("policy_denied", "authentication_failed", "malformed_parameters", "limit_exceeded"),
            *("exchange_unavailable", "vault_sealed", "outcome_unknown"),
        )
    },
    "approval_required": WAITS,
}
CCXT = {
    "policy_denied": "PermissionDenied",
    "authentication_failed": "PermissionDenied",
    "malformed_parameters": "PermissionDenied",
    "approval_required": "PermissionDenied",
    "limit_exceeded": "DDoSProtection",
    "exchange_unavailable": "OperationFailed",
    "vault_sealed": "OperationFailed",
    "outcome_unknown": "RequestTimeout",
}
"""PermissionDenied is an AuthenticationError; the others are kinds of OperationFailed: try again, or look what became of it."""


@dataclass
class ByName(RecordingPipeline):
    """Answers by the name of the exchange."""

    async def forward(self, call: Call, exchange: str, path: str) -> Streamed | Answer | Refusal:
        """As the real one would that has come to this."""
        return OUTCOMES[exchange]


async def told(library: str) -> dict[str, Any]:
    """What a library raises, by the code that it was answered with."""
    async with serving(NO_PROXY, ByName()) as service:
        jobs = [
            job(f"http://127.0.0.1:{service.port}/exchange/{code}", "hmac", [{"do": "balances"}])
            for code in OUTCOMES
        ]
        results = await asyncio.to_thread(drive, library, jobs)
    return {code: result for code, (result,) in zip(OUTCOMES, results, strict=True)}


@pytest.mark.parametrize("library", LIBRARIES)
async def test_an_error_of_ours_is_an_exception_with_our_words(library: str) -> None:
    raised = await told(library)
    if not library.startswith("ccxt"):
        # To the others a 202 is an answer, which is not the one that they look for.
        raised.pop("approval_required")
    for code, result in raised.items():
        assert SAID in result["error"]["text"], (code, result)
    if library.startswith("ccxt"):
        assert {code: result["error"]["class"] for code, result in raised.items()} == CCXT
