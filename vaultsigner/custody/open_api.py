"""The Open API's secrets at work: tokens for calls, and what the other side has encrypted for us."""

import time
from collections.abc import Callable
from functools import partial

from vaultsigner.authentication.open_api_minting import finish_open_api_token, open_api_signing_input
from vaultsigner.config.settings import KvReference, OpenApiApp, Settings
from vaultsigner.custody.admission import Admission
from vaultsigner.custody.guesses import Guesses
from vaultsigner.custody.open_api_asked import OpeningAsked, TokenAsked
from vaultsigner.custody.open_api_decryption import decrypt_text
from vaultsigner.custody.open_api_protocol import (
    OpenApiDecryptRequest,
    OpenApiPlaintext,
    OpenApiToken,
    OpenApiTokenRequest,
)
from vaultsigner.custody.pem_key import check_pem_key, pem_key
from vaultsigner.custody.secret_view import SecretView
from vaultsigner.custody.shared_secret import shared_secret
from vaultsigner.custody.tickets import Ticket, Tickets
from vaultsigner.custody.vault.reader import VaultReader
from vaultsigner.domain.refusals import Refusal
from vaultsigner.errors import CustodyError
from vaultsigner.formats.open_api.intent import USER_DATA

SMALLEST_RSA_BITS = 1024
"""The other side chooses it, for what it encrypts."""
MOST_DECRYPTIONS_IN_A_MINUTE = 1_200
"""Each takes 1.5 ms with a key of 2,048 bits, 6 ms with one of 4,096; nothing else is answered meanwhile."""
MOST_FAILED_IN_A_MINUTE = 60
"""For each app. Decryption by trial (Bleichenbacher 1998) would need tens of millions before it learnt anything at all."""

_FAILED = Refusal(
    "decryption_failed",
    "This cannot be decrypted: it is not base64url, not encrypted for this app's key, or no text is in it",
    reason="decryption failed",
)


class OpenApi:
    """Makes tokens and decrypts, for the apps of the configuration.

    Args:
        tickets: those that `admission` knows.
        clock_ms: milliseconds since 1970.
        monotonic: seconds.
    """

    def __init__(
        self,
        settings: Settings,
        reader: VaultReader,
        admission: Admission,
        tickets: Tickets,
        *,
        clock_ms: Callable[[], int],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._apps = settings.open_api
        self._reader = reader
        self._admission = admission
        self._tickets = tickets
        self._clock_ms = clock_ms
        self._decryptions = Guesses(MOST_DECRYPTIONS_IN_A_MINUTE, monotonic)
        self._failures = {name: Guesses(MOST_FAILED_IN_A_MINUTE, monotonic) for name in self._apps}

    async def token(self, request: OpenApiTokenRequest) -> OpenApiToken:
        """A token, if everything that the server should have checked holds here too.

        Raises:
            CustodyError: bad_question, whatever `Admission.admitted` raises, or the secret cannot be had.
        """
        async with self._admission.admitted(request, partial(self._token_asked, request)) as admitted:
            asked, ts = admitted.asked, self._clock_ms() // 1000
            call = asked.call
            signing_input = open_api_signing_input(
                asked.app.access_key_id,
                ts,
                method=call.method,
                path=call.path,
                query=call.query.encode("ascii"),
                body=call.body,
            )
            token, read = await admitted.with_secret(asked.app.secret_key, partial(_finish, signing_input))
            return OpenApiToken(token, ts, read, self._ticket(asked, admitted.ticket))

    async def decrypt(self, request: OpenApiDecryptRequest) -> OpenApiPlaintext | Refusal:
        """What a ciphertext says; or a refusal, `decryption_failed` or `rate_limited`.

        Raises:
            CustodyError: as `token`; key_malformed, where the key is not an RSA key.
        """
        async with self._admission.admitted(request, partial(self._opening_asked, request)) as admitted:
            app = admitted.asked.app
            if app.private_key is None:
                raise _no_private_key(app)
            wait_seconds = self._take(app)
            if wait_seconds > 0:
                return Refusal(
                    "rate_limited",
                    "Too much has been decrypted, or has failed to be: try again in a moment",
                    retry_after_seconds=wait_seconds,
                )
            use = partial(_decrypt, admitted.asked.ciphertext)
            text, read = await admitted.with_secret(app.private_key, use)
            if text is None:
                return _FAILED
            self._failures[app.name].give_back()
            return OpenApiPlaintext(text, read)

    async def check(self, name: str) -> None:
        """Return once it is sure that this app's secrets could be used.

        Raises:
            CustodyError: there is no such app, or a secret of it cannot be had or is none.
        """
        app = self._app(name)
        await self._reader.with_secret(app.secret_key, _check_secret)
        if app.private_key is not None:
            await self._reader.with_secret(app.private_key, partial(_check_private_key, app.private_key))

    def _app(self, name: str) -> OpenApiApp:
        app = self._apps.get(name)
        if app is None:
            raise CustodyError("bad_question", "custody's configuration has no Open API app of that name")
        return app

    def _token_asked(self, request: OpenApiTokenRequest) -> TokenAsked:
        asked = TokenAsked(request.operation, self._app(request.app), request.call)
        if not asked.fits_its_operation():
            raise CustodyError("bad_question", "the operation is not one that needs this token")
        return asked

    def _opening_asked(self, request: OpenApiDecryptRequest) -> OpeningAsked:
        asked = OpeningAsked(request.operation, self._app(request.app), request.ciphertext)
        if not asked.fits_its_operation():
            raise CustodyError("bad_question", "the operation is not one that decrypts")
        return asked

    def _ticket(self, asked: TokenAsked, ticket: Ticket | None) -> str:
        """For the answer to a client's call for user data, which nobody has seen yet."""
        if ticket is None or asked.operation != USER_DATA:
            return ""
        return self._tickets.issue(
            Ticket(
                ticket.client,
                OpeningAsked(USER_DATA, asked.app).digest,
                ticket.nonce,
                ticket.expires_at_ms,
                ticket.good_from_ms,
                ticket.ip,
                ahead=None,
                counted=True,
            )
        )

    def _take(self, app: OpenApiApp) -> int:
        """0; or after how many seconds there is room for another decryption."""
        return self._decryptions.take() or self._failures[app.name].take()


def _finish(signing_input: bytes, secret: SecretView) -> tuple[str, str]:
    token = finish_open_api_token(signing_input, secret.derive(shared_secret).text)
    return token, secret.vault_request_id


def _decrypt(ciphertext: str, secret: SecretView) -> tuple[str | None, str]:
    key = secret.derive(pem_key).rsa(secret.reference, SMALLEST_RSA_BITS)
    try:
        return decrypt_text(key, ciphertext), secret.vault_request_id
    except ValueError:
        pass
    raise CustodyError(
        "key_malformed",
        f"{secret.reference} cannot be used: its numbers do not belong together; import it again",
    )


def _check_secret(secret: SecretView) -> None:
    secret.derive(shared_secret)


def _check_private_key(reference: KvReference, secret: SecretView) -> None:
    secret.derive(check_pem_key).rsa(reference, SMALLEST_RSA_BITS)


def _no_private_key(app: OpenApiApp) -> CustodyError:
    return CustodyError(
        "key_missing", f"Open API app {app.name} has no private_key in config.yml: nothing can be decrypted"
    )
