"""A pool that counts what Vault is asked, and how long its answers take. Nothing of a question is kept but what kind it was."""

import time
from collections import Counter, defaultdict

from vaultsigner.custody.metrics_protocol import VaultOperation
from vaultsigner.custody.vault.endpoint import VaultEndpoint
from vaultsigner.custody.vault.held_token import HeldToken
from vaultsigner.custody.vault.pool import AskedAhead, VaultPool, VaultQuestion
from vaultsigner.errors import CustodyError
from vaultsigner.telemetry.measures import Histogram, Times

UNUSED = "unused"
"""How a question ended that was asked ahead, and whose answer nobody wanted."""


class MeasuredPool(VaultPool):
    """See `VaultPool`."""

    def __init__(self, endpoint: VaultEndpoint, token: HeldToken) -> None:
        super().__init__(endpoint, token)
        self._outcomes: Counter[tuple[VaultOperation, str]] = Counter()
        self._times: defaultdict[VaultOperation, Histogram] = defaultdict(Histogram)

    def ask(self, question: VaultQuestion) -> None:
        """See `VaultPool`."""
        super().ask(_Measured(self, question))

    def ask_ahead(self, question: VaultQuestion) -> AskedAhead:
        """See `VaultPool`."""
        measured = _Measured(self, question, ahead=True)
        return _MeasuredAhead(super().ask_ahead(measured), measured)

    def ended(self, operation: VaultOperation, outcome: str, seconds: float | None) -> None:
        """Called by a question. `seconds` is None where nobody waited for it."""
        self._outcomes[operation, outcome] += 1
        if seconds is not None:
            self._times[operation].observe(seconds)

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._connections)

    def outcomes(self) -> tuple[tuple[str, str, int], ...]:
        """How many questions ended how, by operation."""
        return tuple((*key, count) for key, count in sorted(self._outcomes.items()))

    def times(self) -> tuple[tuple[str, Times], ...]:
        """How long was waited, by operation."""
        return tuple((operation, each.times()) for operation, each in sorted(self._times.items()))


class _Measured:
    """A question that tells the pool how it ended; see `VaultQuestion`."""

    def __init__(self, pool: MeasuredPool, question: VaultQuestion, *, ahead: bool = False) -> None:
        self.method, self.path, self.body = question.method, question.path, question.body
        self.with_token, self.what = question.with_token, question.what
        self._pool = pool
        self._question = question
        self._began = None if ahead else time.monotonic()

    def needed(self) -> None:
        """From now on somebody waits for it."""
        if self._began is None:
            self._began = time.monotonic()

    def answered(self, body: memoryview) -> None:
        self._tell("ok")
        self._question.answered(body)

    def failed(self, error: CustodyError) -> None:
        self._tell(UNUSED if self._began is None else error.code)
        self._question.failed(error)

    def _tell(self, outcome: str) -> None:
        seconds = None if self._began is None else time.monotonic() - self._began
        self._pool.ended(operation_of(self.method, self.path), outcome, seconds)


class _MeasuredAhead:
    """See `AskedAhead`."""

    def __init__(self, asked: AskedAhead, measured: _Measured) -> None:
        self._asked = asked
        self._measured = measured

    def let_in(self) -> None:
        self._measured.needed()
        self._asked.let_in()

    def drop(self) -> None:
        self._asked.drop()


def operation_of(method: str, path: str) -> VaultOperation:
    """What kind of request this is; mounts may have any names."""
    if path.startswith("sys/"):
        return "status"
    if path.startswith("auth/"):
        return "log_in"
    if method == "GET":
        return _reading(path)
    if "/sign/" in path:
        return "sign"
    return "hmac" if "/hmac/" in path else "other"


def _reading(path: str) -> VaultOperation:
    places: tuple[tuple[str, VaultOperation], ...] = (
        ("/data/", "read_secret"),
        ("/subkeys/", "find_secret"),
        ("/keys/", "read_key"),
    )
    found = [(path.find(part), operation) for part, operation in places if part in path]
    return min(found)[1] if found else "other"
