"""Runs in .venv-exchange-clients: signs and sends with ccxt's and python-binance's own code, unmodified.

Reads one JSON document on standard input: library (ccxt or python-binance), url, api_key, secret (HMAC, or a private key in PEM)
and calls, each with method, path, parameters and tamper (change a byte after signing). Writes a list with the status and body of
each answer.
"""

import json
import sys
from typing import Any

import ccxt
from binance.client import Client
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter

PARAMETER = "price"
"""Its value is what tampering changes, in the query or in the body."""


class Wire(HTTPAdapter):
    """The library's own way to the server, watched. Changes the first digit of the price where that is wanted."""

    def __init__(self) -> None:
        super().__init__()
        self.tamper = False
        self.answer: dict[str, Any] = {}

    def send(self, request: PreparedRequest, *arguments: Any, **options: Any) -> Response:
        """Send, perhaps something else than was signed, and keep what came back."""
        if self.tamper:
            assert request.url
            before = (request.url, request.body)
            request.url = changed(request.url)
            if request.body:
                text = request.body.decode() if isinstance(request.body, bytes) else str(request.body)
                request.body = changed(text)
            assert (request.url, request.body) != before
        response = super().send(request, *arguments, **options)
        self.answer = {"status": response.status_code, "body": response.json()}
        return response


def changed(text: str) -> str:
    """The text with another price in it, as long as before."""
    return text.replace(f"{PARAMETER}=0", f"{PARAMETER}=9")


def by_ccxt(job: dict[str, Any], wire: Wire, call: dict[str, Any]) -> None:
    """What every signed method of ccxt does: sign(), then fetch()."""
    exchange = ccxt.binance({"apiKey": job["api_key"], "secret": job["secret"]})
    exchange.urls["api"]["private"] = job["url"] + "/api"
    exchange.session.mount("http://", wire)
    path = call["path"].removeprefix("/api/")
    signed = exchange.sign(path, ["private", 1], call["method"], call["parameters"])
    exchange.fetch(signed["url"], signed["method"], signed["headers"], signed["body"])


def by_python_binance(job: dict[str, Any], wire: Wire, call: dict[str, Any]) -> None:
    """What every signed method of python-binance does."""
    key = {"private_key": job["secret"]} if "PRIVATE KEY" in job["secret"] else {"api_secret": job["secret"]}
    client = Client(job["api_key"], ping=False, **key)
    client.session.mount("http://", wire)
    client._request(call["method"].lower(), job["url"] + call["path"], True, data=call["parameters"])


LIBRARIES = {"ccxt": by_ccxt, "python-binance": by_python_binance}


def main() -> None:
    """Make the calls in order."""
    job = json.load(sys.stdin)
    answers = []
    for call in job["calls"]:
        wire = Wire()
        wire.tamper = call.get("tamper", False)
        try:
            LIBRARIES[job["library"]](job, wire, call)
        except Exception as error:  # noqa: BLE001 (a library's own exception for a refusal; the answer says more)
            if not wire.answer:
                wire.answer = {"status": 0, "body": f"{type(error).__name__}: {error}"}
        answers.append(wire.answer)
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
