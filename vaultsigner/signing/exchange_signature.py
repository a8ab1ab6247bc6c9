"""One signed request to an exchange: asked of custody, and checked against our own encoding of what was asked for."""

import hashlib
import re
from urllib.parse import unquote

from vaultsigner.authentication.request_signatures import ed25519_fits, rsa_fits
from vaultsigner.config.settings import Exchange
from vaultsigner.custody.client import CustodyClient
from vaultsigner.custody.exchange_protocol import ExchangeSignature, SignExchangeRequest
from vaultsigner.domain.decisions import Decision
from vaultsigner.errors import CustodyError
from vaultsigner.formats.exchange.encoding import SignedExchangeRequest, finish, prepare
from vaultsigner.signing.exchange_admission import ExchangeCall

_IN_FORM = re.compile(r"&signature=([^&]*)\Z")
_IN_MESSAGE = re.compile(r'"signature":"([^"\\]*)"')


class ExchangeSigner:
    """Custody's answer is not taken on trust: it must be the request that was asked for, and nothing else."""

    def __init__(self, custody: CustodyClient) -> None:
        self._custody = custody

    async def sign(
        self,
        request: ExchangeCall,
        decision: Decision,
        clock_offset_ms: int,
        retry_of: ExchangeSignature | None = None,
    ) -> ExchangeSignature:
        """Have custody sign the request, under the policy set that decided it.

        Args:
            clock_offset_ms: the exchange's clock less ours.
            retry_of: what the exchange refused for its time.

        Raises:
            CustodyError: custody refused, Vault could not be used, or the answer is not what was asked for.
        """
        ticket = None if request.caller.proof is None else request.caller.proof.ticket
        if retry_of is not None and ticket is not None:
            ticket = retry_of.retry_ticket
        answer = await self._custody.sign_exchange(
            SignExchangeRequest(
                request_id=request.call.request_id,
                principal=request.principal,
                operation=request.operation,
                exchange=request.exchange.name,
                request=request.wanted,
                clock_offset_ms=clock_offset_ms,
                ip=str(request.call.ip),
                policy=decision.policy,
                access_token=request.caller.access_token,
                ticket=ticket,
            )
        )
        request.trail.key_used(answer.vault_request_id)
        _check(request, answer)
        return answer


def _check(request: ExchangeCall, answer: ExchangeSignature) -> None:
    exchange = request.exchange
    unsigned = prepare(request.wanted, timestamp_ms=answer.timestamp_ms, api_key=exchange.api_key)
    signature = _signature_in(answer.signed, json_body=bool(request.wanted.json_body))
    same = signature is not None and answer.signed == finish(unsigned, signature)
    if not same or answer.payload_sha256 != hashlib.sha256(unsigned.payload).hexdigest():
        raise CustodyError(
            "internal_error", "custody signed something else than was asked for; it was dropped"
        )
    if signature is not None and not _fits(exchange, unsigned.payload, signature.encode()):
        raise CustodyError(
            "wrong_key",
            f"what {exchange.secret} signs does not verify with the public_key of {exchange.name}",
        )


def _signature_in(signed: SignedExchangeRequest, *, json_body: bool) -> str | None:
    """Wherever it stands: in a message, in a form, or in the query."""
    if not signed.method:
        found = _IN_MESSAGE.search(signed.body.decode("ascii"))
        return None if found is None else found[1]
    in_query = json_body or not signed.body
    found = _IN_FORM.search(signed.target if in_query else signed.body.decode("ascii"))
    return None if found is None else unquote(found[1])


def _fits(exchange: Exchange, payload: bytes, signature: bytes) -> bool:
    """Whether it verifies; where config.yml has no public key to verify with, the exchange alone can tell."""
    if exchange.public_key is None:
        return True
    fits = rsa_fits if exchange.scheme == "rsa" else ed25519_fits
    return fits(exchange.public_key, payload, signature)
