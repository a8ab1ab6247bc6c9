"""How long each way to fail authentication takes, asked many times in a random order: can a caller tell them apart?"""

import asyncio
import math
import random
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from benchmarks.signed_requests import RsaForger, Signer
from vaultsigner.config.settings import ListenAddress
from vaultsigner.dev.service import Service

PATH = "/api/auth/check"
EXPIRED_MS = 120_000
AT_ONCE = 4
UNKNOWN, WRONG, WRONG_RSA, EXPIRED = (
    "unknown API key",
    "wrong signature of an HMAC client",
    "wrong signature of an RSA client",
    "outside the window",
)
CONFIDENT = 1.96
"""Standard errors of a mean to either side that hold it 95 times of 100."""
CERTAIN = 3.89
"""Of a difference: 99.99 times of 100, so that what is called told apart is."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Of one kind of failure, in milliseconds; `margin_ms` to either side holds the true mean with 95 % confidence."""

    runs: int
    mean_ms: float
    margin_ms: float

    def differs_from(self, other: "Timing") -> bool:
        """Whether the two means are certainly not the same."""
        error = math.hypot(self.margin_ms, other.margin_ms) / CONFIDENT
        return abs(self.mean_ms - other.mean_ms) > CERTAIN * error


async def measure_failures(
    service: Service, signer: Signer, rsa_api_key: str, runs: int
) -> dict[str, Timing]:
    """Fail so many times in each way, over a few connections, and see how long each answer took.

    Args:
        signer: a client whom the service knows.
        rsa_api_key: another one, whose key is RSA with 2048 bits.
    """
    listen = service.installation.settings.server.listen
    kinds = _kinds(signer, rsa_api_key, str(listen))
    waiting = [kind for kind in kinds for _ in range(runs)]
    random.shuffle(waiting)
    taken: dict[str, list[float]] = {kind: [] for kind in kinds}
    await asyncio.gather(*(_fail(listen, kinds, waiting, taken) for _ in range(AT_ONCE)))
    return {kind: _timing(seconds) for kind, seconds in taken.items()}


def _kinds(signer: Signer, rsa_api_key: str, host: str) -> Mapping[str, Callable[[], bytes]]:
    nobody = Signer("vs_benchmark_nobody", signer.secret)
    forger = Signer(signer.api_key, "not the secret at all")
    rsa_forger = RsaForger(rsa_api_key)
    return {
        UNKNOWN: lambda: nobody.get(PATH, host),
        WRONG: lambda: forger.get(PATH, host),
        WRONG_RSA: lambda: rsa_forger.get(PATH, host),
        EXPIRED: lambda: signer.get(PATH, host, age_ms=EXPIRED_MS),
    }


async def _fail(
    listen: ListenAddress,
    kinds: Mapping[str, Callable[[], bytes]],
    waiting: list[str],
    taken: dict[str, list[float]],
) -> None:
    reader, writer = await asyncio.open_connection(listen.host, listen.port)
    while waiting:
        kind = waiting.pop()
        request = kinds[kind]()
        started = time.perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        taken[kind].append(time.perf_counter() - started)
        if not head.startswith(b"HTTP/1.1 401"):
            raise RuntimeError(f"not refused: {head!r}")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(int(length.partition(b":")[2]))
    writer.close()


def _timing(seconds: list[float]) -> Timing:
    mean = statistics.fmean(seconds)
    error = statistics.stdev(seconds, mean) / math.sqrt(len(seconds))
    return Timing(len(seconds), 1000 * mean, 1000 * CONFIDENT * error)
