"""What the HTTP layer asks of the pipeline. `vaultsigner.signing.service.SigningService` is the one that answers."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from vaultsigner.domain.refusals import Refusal
from vaultsigner.signing.calls import Answer, Call, Streamed
from vaultsigner.telemetry.metrics import Metric


class Standing(Protocol):
    """Whether one wallet, exchange or app could be signed for now."""

    @property
    def ready(self) -> bool:
        """True where nothing is known to stand in the way."""

    @property
    def reason(self) -> str | None:
        """What does, for people; None where nothing does."""


class Readiness(Protocol):
    """Whether signatures can be made now, and if not, why."""

    @property
    def ok(self) -> bool:
        """True when nothing is in the way."""

    @property
    def problems(self) -> tuple[str, ...]:
        """For people; empty when all is well."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """For people: what is in the way of nothing yet."""

    @property
    def standings(self) -> Mapping[str, Mapping[str, Standing]]:
        """By `wallet`, `exchange` and `open_api`, and by name, whether each could be signed for now."""


class Pipeline(Protocol):
    """Every method answers only once its record is durable, and raises no VaultsignerError."""

    async def sign(self, call: Call) -> Answer | Refusal:
        """Sign one message."""

    async def broadcast(self, call: Call) -> Answer | Refusal:
        """Sign one message and send it to the node."""

    async def resync(self, call: Call) -> Answer | Refusal:
        """Fetch a wallet's sequence from the node."""

    async def wallets(self, call: Call) -> Answer | Refusal:
        """The wallets that the caller may use."""

    async def wallet(self, call: Call, name: str) -> Answer | Refusal:
        """One of them."""

    async def log_in(self, call: Call, body: bytearray) -> Answer | Refusal:
        """Exchange a password for an access token; wipes `body`."""

    async def check(self, call: Call) -> Answer | Refusal:
        """Who asks: `{"principal": {"type", "name", "scheme"}}`."""

    async def approvals(self, call: Call) -> Answer | Refusal:
        """What waits for approval and concerns the caller; for auditors and operators all of it."""

    async def approval(self, call: Call, approval_id: str) -> Answer | Refusal:
        """One of them, or one that is over."""

    async def decide_approval(self, call: Call, approval_id: str, *, approve: bool) -> Answer | Refusal:
        """The caller's vote."""

    async def suspensions(self, call: Call) -> Answer | Refusal:
        """What is suspended; for auditors and operators."""

    async def suspend(self, call: Call) -> Answer | Refusal:
        """Suspend something; for operators."""

    async def resume(self, call: Call, kind: str, name: str) -> Answer | Refusal:
        """End a suspension; for operators."""

    async def explain(self, call: Call) -> Answer | Refusal:
        """Why policy decides a request as it does."""

    async def audit_summary(self, call: Call) -> Answer | Refusal:
        """What happened over time; this and what follows for auditors and operators."""

    async def audit_records(self, call: Call) -> Answer | Refusal:
        """The latest records that fit the query."""

    async def audit_csv(self, call: Call) -> Streamed | Refusal:
        """All records that fit the query, as CSV."""

    async def audit_record(self, call: Call, chain: str, seq: str) -> Answer | Refusal:
        """One record in full, with its proof."""

    async def audit_chains(self, call: Call) -> Answer | Refusal:
        """How each chain and each anchor is."""

    async def audit_live(self, call: Call) -> Streamed | Refusal:
        """What is recorded from now on."""

    async def limits(self, call: Call) -> Answer | Refusal:
        """How full the limits of policy are."""

    def hang_up(self) -> None:
        """End the live streams: the service is about to stop, and would wait for them."""

    async def partner_time(self, call: Call) -> Answer | Refusal:
        """The time, in milliseconds since 1970, as a bare number."""

    async def task_completion(self, call: Call) -> Answer | Refusal:
        """Which of the partner's tasks a wallet has done: `{task: bool}`."""

    async def forward(self, call: Call, exchange: str, path: str) -> Streamed | Answer | Refusal:
        """Ask an exchange and hand back what it says; an answer of our own is that others must approve first, or the time.

        Args:
            exchange: its name, as it stands in the path.
            path: what follows that name in the path, as sent; empty, or begins with a slash.
        """

    async def sign_for_exchange(self, call: Call, exchange: str) -> Answer | Refusal:
        """The complete signed request, for the caller to send."""

    async def open_api_token(self, call: Call, app: str) -> Answer | Refusal:
        """A token for one request to an Open API."""

    async def open_api_decrypt(self, call: Call, app: str) -> Answer | Refusal:
        """What a ciphertext from an Open API says."""

    async def open_api_user_data(self, call: Call, app: str) -> Answer | Refusal:
        """A user's data, asked of an Open API and decrypted."""

    async def refused(self, call: Call, refusal: Refusal) -> Refusal:
        """Record a refusal of the HTTP layer; gives back what is to be answered, which is another where recording failed."""

    async def ready(self) -> Readiness:
        """Whether signatures can be made now."""

    async def metrics(self) -> Sequence[Metric]:
        """The numbers of this moment."""


OpenPipeline = Callable[[], AbstractAsyncContextManager[Pipeline]]
