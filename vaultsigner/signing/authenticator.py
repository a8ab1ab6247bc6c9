"""Who asks: by access token, by signed request, or by Open API token; by exactly one of them."""

import asyncio

from vaultsigner.authentication.bearer import NOT_AUTHENTICATED, TokenChecker, bearer_token, invalid_token
from vaultsigner.authentication.client_certificates import certificate_misfit
from vaultsigner.authentication.signed_requests import (
    authentication_failed,
    carries_signature,
    malformed_parameters,
)
from vaultsigner.config.settings import Settings, User
from vaultsigner.custody.client import CustodyClient
from vaultsigner.custody.protocol import AuthenticateRequest, Family, Proof
from vaultsigner.domain.principals import Principal
from vaultsigner.domain.refusals import Refusal
from vaultsigner.errors import CustodyError
from vaultsigner.signing.callers import Caller
from vaultsigner.signing.calls import Call, IpAddress
from vaultsigner.signing.strangers import Strangers
from vaultsigner.signing.trail import Trail
from vaultsigner.telemetry.passages import step

TICK_SECONDS = 0.025
"""Failed signatures are answered on this grid: how long it took to find the failure does not tell which one it was."""

FAILURES = frozenset({authentication_failed("").code, "partner_invalid_signature"})
SHAPELESS = frozenset(
    {
        "malformed_parameters",
        "partner_invalid_argument",
        "partner_invalid_recv_window",
        "partner_invalid_timestamp",
    }
)
"""What says nothing of any key, and so need not be answered on the grid; it counts like a failed signature."""

TWO_WAYS = malformed_parameters(
    "The request shows who asks in more than one way: send an access token, a signature or an Open API token, and only one"
)


class Authenticator:
    """Tokens are checked here, with the public half of Vault's key; signatures in custody, where the secrets are."""

    def __init__(
        self, settings: Settings, tokens: TokenChecker, custody: CustodyClient, strangers: Strangers
    ) -> None:
        self._clients = settings.clients
        self._tokens = tokens
        self._custody = custody
        self._strangers = strangers

    async def caller(self, trail: Trail) -> Caller | Refusal:
        """Who asks. Nothing is read of a request from an address that has failed too often, unless its access token is good.

        Raises:
            CustodyError, StateError: it cannot be found out now.
        """
        with step("authenticate"):
            return await self._caller(trail)

    async def _caller(self, trail: Trail) -> Caller | Refusal:
        call = trail.call
        given = call.credentials
        blocked = self.blocked(call.ip)
        if blocked is not None and not await self._has_good_token(call):
            return blocked
        signed = carries_signature(call.query, call.body)
        ways = (given.authorization is not None, given.api_key is not None, given.open_api_token is not None)
        if sum(ways) > 1 or (signed and given.api_key is None and any(ways)):
            return TWO_WAYS if await self._has_good_token(call) else await self.turned_away(call.ip, TWO_WAYS)
        if given.open_api_token is not None:
            return await self._client(trail, "open_api", given.open_api_token)
        if given.api_key is not None or signed:
            return await self._client(trail, "client", given.api_key or "")
        return await self._user(trail)

    def blocked(self, ip: IpAddress) -> Refusal | None:
        """The answer to an address that has failed too often, before anything is read of its request."""
        return self._strangers.blocked(ip)

    async def turned_away(self, ip: IpAddress, refusal: Refusal) -> Refusal:
        """Count a refusal against the address of a stranger; what it is told.

        Raises:
            StateError: it cannot be counted.
        """
        return await self._strangers.failed_signature(ip) or refusal

    async def verdict(self, trail: Trail, family: Family, credential: str) -> Proof | Refusal:
        """Custody's verdict on the signature of a request. A failure leaves on the grid, and counts against its address.

        Raises:
            CustodyError, StateError: there is none, or it cannot be counted.
        """
        call = trail.call
        started = asyncio.get_running_loop().time()
        answer = await self._custody.authenticate(_question(trail, family, credential))
        trail.vault_reads += answer.vault_reads
        if isinstance(answer, Proof):
            return answer
        verdict = answer.refusal
        if verdict.code not in FAILURES | SHAPELESS:
            return verdict
        refusal = await self.turned_away(call.ip, verdict)
        if verdict.code in FAILURES:
            elapsed = asyncio.get_running_loop().time() - started
            await asyncio.sleep(TICK_SECONDS - elapsed % TICK_SECONDS)
        return refusal

    async def _has_good_token(self, call: Call) -> bool:
        token = bearer_token(call.credentials.authorization)
        return token is not None and not isinstance(await self._user_of(token, call), Refusal)

    async def _user_of(self, token: str, call: Call) -> User | Refusal:
        """Whose token it is; a user of whom a certificate is wanted has shown it."""
        user = await self._tokens.user(token)
        if isinstance(user, Refusal):
            return user
        misfit = certificate_misfit(user, call.client_certificate)
        return user if misfit is None else invalid_token(f"user {user.username}: {misfit}")

    async def _user(self, trail: Trail) -> Caller | Refusal:
        token = bearer_token(trail.call.credentials.authorization)
        user = NOT_AUTHENTICATED if token is None else await self._user_of(token, trail.call)
        if isinstance(user, Refusal):
            return user
        trail.principal = Principal("user", user.username)
        return Caller(trail.principal, user, access_token=token)

    async def _client(self, trail: Trail, family: Family, credential: str) -> Caller | Refusal:
        proof = await self.verdict(trail, family, credential)
        if isinstance(proof, Refusal):
            return proof
        client = None if proof.client is None else self._clients.get(proof.client)
        if client is None:
            raise CustodyError("internal_error", "custody vouches for a client that the server does not know")
        trail.principal = Principal("client", client.name, client.scheme)
        return Caller(trail.principal, client, proof=proof)


def _question(trail: Trail, family: Family, credential: str) -> AuthenticateRequest:
    call = trail.call
    return AuthenticateRequest(
        request_id=call.request_id,
        family=family,
        credential=credential,
        operation=trail.operation,
        method=call.method,
        path=call.path,
        query=call.query,
        body=call.body,
        ip=str(call.ip),
        client_certificate=call.client_certificate,
    )
