"""What a request to be forwarded asks of an exchange: read alike by the server and by custody. Pure."""

from vaultsigner.authentication.parameters import Parameter, malformed_parameters, read_sent_parameters
from vaultsigner.authentication.signed_requests import read_milliseconds
from vaultsigner.domain.refusals import Refusal
from vaultsigner.formats.exchange.requests import (
    DEFAULT_RECV_WINDOW_MS,
    LONGEST_RECV_WINDOW_MS,
    ExchangeRequest,
    from_parameters,
)

_RECV_WINDOW = b"recvWindow"


def read_forwarded(method: str, path: str, query: bytes, body: bytes) -> ExchangeRequest | Refusal:
    """The request, or `malformed_request` or `malformed_parameters`.

    Args:
        method: of HTTP.
        path: at the exchange, as `domain.paths.forwarded_place` has it.
        query: what follows the first question mark, as received; parameters of the caller's own signature may be in it.
        body: as received: empty, JSON, or a form.
    """
    sent = read_sent_parameters(query, body)
    if isinstance(sent, Refusal):
        return sent
    window = _window(sent.parameters)
    if isinstance(window, Refusal):
        return window
    pairs = ((parameter.name, parameter.value) for parameter in sent.parameters)
    return from_parameters(method, path, pairs, sent.json_body, recv_window_ms=window)


def _window(parameters: tuple[Parameter, ...]) -> int | Refusal:
    given = next((parameter for parameter in parameters if parameter.name == _RECV_WINDOW), None)
    window = DEFAULT_RECV_WINDOW_MS if given is None else read_milliseconds(given)
    if window is None or not 1 <= window <= LONGEST_RECV_WINDOW_MS:
        return malformed_parameters(
            f"recvWindow must be milliseconds from 1 to {LONGEST_RECV_WINDOW_MS}, in digits"
        )
    return window
