"""What the exchange was asked, request by request."""

from dataclasses import dataclass

from vaultsigner.dev.exchange.requests import Pairs


@dataclass(frozen=True, slots=True)
class Received:
    """One request and what became of it.

    Args:
        method: GET, POST, PUT, DELETE; WS where it came over the WebSocket API.
        target: path and query exactly as they stood on the wire; over WebSocket the name of the method.
        headers: in their order.
        body: exactly as it came.
        parameters: decoded, in their order, the signature and all; empty where they make no sense.
        account: whose API key it named, if anybody's.
        verified: whether its signature is that account's over the raw bytes; None where it has none.
        executed: whether the exchange did what was asked, whatever it then answered.
        status: HTTP status of the answer; 0 where there was none.
        code: the exchange's code, where it refused.
        fault: what was made to go wrong, in a word.
    """

    method: str
    target: str
    headers: Pairs
    body: bytes
    parameters: Pairs
    account: str | None
    verified: bool | None
    executed: bool
    status: int
    code: int | None
    fault: str | None = None

    @property
    def path(self) -> str:
        """Without the query."""
        return self.target.partition("?")[0]

    @property
    def endpoint(self) -> str:
        """Method and path."""
        return f"{self.method} {self.path}"

    @property
    def meant(self) -> dict[str, str]:
        """The parameters that say what is wanted: without those that every signed request has."""
        signing = {"timestamp", "recvWindow", "signature", "apiKey"}
        return {name: value for name, value in self.parameters if name not in signing}

    def header(self, name: str) -> str | None:
        """The first of that name."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)
