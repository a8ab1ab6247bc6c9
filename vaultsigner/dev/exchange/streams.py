"""Listen keys: the API key alone, no signature, as every product has them."""

import secrets
from collections.abc import Callable

from vaultsigner.dev.exchange.calls import Call
from vaultsigner.dev.exchange.endpoints import Endpoint, reads
from vaultsigner.dev.exchange.refusals import Json, RefusedError


class Streams:
    """Who has which listen key."""

    def __init__(self) -> None:
        self.keys: dict[tuple[str, str], str] = {}

    def endpoints(self) -> tuple[Endpoint, ...]:
        """What it serves: spot and margin name the key in the request, futures have one an account."""
        named = ("/api/v3/userDataStream", "/sapi/v1/userDataStream")
        alone = ("/fapi/v1/listenKey", "/dapi/v1/listenKey")
        rows = [
            Endpoint("POST", path, self._start(path), "key", parameters=reads("")) for path in named + alone
        ]
        for method in ("PUT", "DELETE"):
            for path in named:
                change = self._change(path, named=True, ends=method == "DELETE")
                rows.append(Endpoint(method, path, change, "key", parameters=reads("listenKey")))
            for path in alone:
                change = self._change(path, named=False, ends=method == "DELETE")
                rows.append(Endpoint(method, path, change, "key", parameters=reads("listenKey")))
        return tuple(rows)

    def _start(self, path: str) -> Callable[[Call], Json]:
        def start(call: Call) -> Json:
            key = self.keys.setdefault((path, call.account.name), secrets.token_hex(32))
            return {"listenKey": key}

        return start

    def _change(self, path: str, *, named: bool, ends: bool) -> Callable[[Call], Json]:
        def change(call: Call) -> Json:
            whose = (path, call.account.name)
            key = self.keys.get(whose)
            if key is None or (named and call.text("listenKey") != key):
                raise RefusedError(-1125, "This listenKey does not exist.")
            if ends:
                del self.keys[whose]
            return {}

        return change
