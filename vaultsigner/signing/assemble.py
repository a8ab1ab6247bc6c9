"""Puts the pipeline together from the settings, and takes it apart again in the reverse order."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

import vaultsigner
from vaultsigner.audit.entries import Control
from vaultsigner.authentication.bearer import TokenChecker
from vaultsigner.config.settings import Settings
from vaultsigner.config.state_urls import is_postgresql
from vaultsigner.custody.client import CustodyClient
from vaultsigner.dispatch.beacon_node import BeaconNode
from vaultsigner.dispatch.exchange_session import STRANGERS_CONNECTIONS, exchange_session
from vaultsigner.signing.accounts import Accounts
from vaultsigner.signing.admission import Admission
from vaultsigner.signing.approvals import Approvals
from vaultsigner.signing.auditing import Auditing
from vaultsigner.signing.authenticator import Authenticator
from vaultsigner.signing.broadcasting import Broadcaster
from vaultsigner.signing.clock import Clock, SystemClock
from vaultsigner.signing.confirmations import Confirmations
from vaultsigner.signing.counting import Counting
from vaultsigner.signing.deciding import Deciding
from vaultsigner.signing.desk import Desk
from vaultsigner.signing.exchange_admission import ExchangeAdmission
from vaultsigner.signing.exchange_hosts import ExchangeHosts
from vaultsigner.signing.exchange_journal import ExchangeJournal
from vaultsigner.signing.exchange_signature import ExchangeSigner
from vaultsigner.signing.exchanges import Exchanges
from vaultsigner.signing.explaining import Explaining
from vaultsigner.signing.figures import Figures
from vaultsigner.signing.forgetting import forgetting
from vaultsigner.signing.full_limits import FullLimits
from vaultsigner.signing.journal import Journal, StatusOf
from vaultsigner.signing.key_watch import KeyWatch
from vaultsigner.signing.log_ins import LogIns
from vaultsigner.signing.open_api import OpenApi
from vaultsigner.signing.open_api_admission import OpenApiAdmission
from vaultsigner.signing.partner import PartnerTasks
from vaultsigner.signing.policies import PolicyKeeper, watching
from vaultsigner.signing.readiness import ReadinessCheck
from vaultsigner.signing.record_keeping import KeptRecord, record_kept
from vaultsigner.signing.service import SigningService
from vaultsigner.signing.signature import Signer
from vaultsigner.signing.strangers import Strangers
from vaultsigner.signing.suspensions import Suspensions, SuspensionWatch, operators
from vaultsigner.signing.vouching import Vouching
from vaultsigner.signing.wallets import WalletDirectory
from vaultsigner.state import State, open_state


@dataclass(frozen=True, slots=True)
class Parts:
    """What has to be opened and closed."""

    record: KeptRecord
    auditing: Auditing
    state: State
    watch: SuspensionWatch
    keys: KeyWatch
    custody: CustodyClient
    session: aiohttp.ClientSession
    exchange_session: aiohttp.ClientSession
    strangers_session: aiohttp.ClientSession


@asynccontextmanager
async def assembled(
    settings: Settings, custody_socket: Path, status_of: StatusOf, clock: Clock | None = None
) -> AsyncIterator[SigningService]:
    """The pipeline, for as long as the context lasts.

    Raises:
        ConfigError: there is no usable policy.
        AuditError, StateError: the record or the state cannot be opened: nothing may be signed without them.
    """
    clock = clock or SystemClock()
    async with AsyncExitStack() as stack:
        custody = await stack.enter_async_context(connected(CustodyClient(custody_socket)))
        state = await stack.enter_async_context(
            open_state(settings.state_url, settings.state_options, name=settings.audit.replica or "")
        )
        # A state in a file is of one machine, and so is its record.
        alone = not is_postgresql(settings.state_url)
        record = await stack.enter_async_context(
            record_kept(settings.audit, custody, state, clock, alone=alone)
        )
        recorder = record.recorder
        watch = SuspensionWatch(state, clock, operators(settings))
        keys = KeyWatch(settings, custody, watch, clock)
        auditing = Auditing(settings.audit.directory, recorder.chain, Vouching(record, custody, clock), clock)
        parts = Parts(
            record=record,
            auditing=await stack.enter_async_context(auditing.running()),
            state=state,
            watch=await stack.enter_async_context(watch.watching()),
            keys=await stack.enter_async_context(keys.watching()),
            custody=custody,
            session=await stack.enter_async_context(
                # No proxy from the environment, no cookies: only the nodes that the configuration names.
                aiohttp.ClientSession(trust_env=False, cookie_jar=aiohttp.DummyCookieJar())
            ),
            exchange_session=await stack.enter_async_context(exchange_session()),
            strangers_session=await stack.enter_async_context(
                exchange_session(connections=STRANGERS_CONNECTIONS)
            ),
        )
        keeper = PolicyKeeper(settings, parts.custody, recorder, clock)
        await stack.enter_async_context(forgetting(parts.state, clock))
        await recorder.record(Control("start", {"version": vaultsigner.__version__}, keeper.current.digest))
        await record.introduce(state)
        await stack.enter_async_context(watching(keeper))
        yield _service(settings, keeper, parts, status_of, clock)
        await recorder.record(Control("stop", {"version": vaultsigner.__version__}, keeper.current.digest))


@asynccontextmanager
async def connected(custody: CustodyClient) -> AsyncIterator[CustodyClient]:
    """The client, kept connected for as long as the context lasts."""
    await custody.connect()
    try:
        yield custody
    finally:
        await custody.close()


def _service(
    settings: Settings, keeper: PolicyKeeper, parts: Parts, status_of: StatusOf, clock: Clock
) -> SigningService:
    wallets = WalletDirectory(settings, parts.custody)
    tokens = TokenChecker(
        settings.users, parts.custody.access_token_keys, seconds=clock.seconds, monotonic=clock.monotonic
    )
    nodes = {
        name: BeaconNode(parts.session, environment) for name, environment in settings.environments.items()
    }
    accounts = Accounts(parts.state, nodes, clock)
    journal = Journal(parts.record.recorder, status_of)
    signer = Signer(parts.custody)
    strangers = Strangers(parts.state, settings.rate_limits, clock)
    counting = Counting(parts.state, settings.rate_limits, clock, strangers)
    confirmations = Confirmations(
        parts.state, {settings.environments[name].chain_id: node for name, node in nodes.items()}
    )
    authenticator = Authenticator(settings, tokens, parts.custody, strangers)
    desk = Desk(keeper, journal, counting, parts.keys)
    approvals = Approvals(parts.state, journal, clock)
    deciding = Deciding(desk, parts.watch, approvals, counting, clock)
    exchange_journal = ExchangeJournal(parts.record.recorder, status_of)
    full_limits = FullLimits(parts.state, settings, clock)
    readiness = ReadinessCheck(
        custody=parts.custody,
        state=parts.state,
        record=parts.record,
        policies=keeper,
        keys=parts.keys,
    )
    return SigningService(
        authenticator=authenticator,
        admission=Admission(authenticator, wallets),
        desk=desk,
        deciding=deciding,
        counting=counting,
        wallets=wallets,
        accounts=accounts,
        signer=signer,
        broadcaster=Broadcaster(
            state=parts.state,
            accounts=accounts,
            counting=counting,
            watch=parts.watch,
            signer=signer,
            journal=journal,
            clock=clock,
        ),
        exchanges=Exchanges(
            admission=ExchangeAdmission(settings, authenticator),
            hosts=ExchangeHosts(parts.exchange_session, parts.strangers_session, settings.exchanges, clock),
            desk=desk,
            deciding=deciding,
            signer=ExchangeSigner(parts.custody),
            strangers=strangers,
            watch=parts.watch,
            journal=journal,
            exchange_journal=exchange_journal,
            clock=clock,
        ),
        open_api=OpenApi(
            apps=settings.open_api,
            session=parts.exchange_session,
            admission=OpenApiAdmission(settings, authenticator),
            desk=desk,
            deciding=deciding,
            custody=parts.custody,
            journal=journal,
            exchange_journal=exchange_journal,
            clock=clock,
        ),
        journal=journal,
        log_ins=LogIns(parts.custody, strangers),
        partner_tasks=PartnerTasks(settings.partner, authenticator, counting, confirmations),
        watch=parts.watch,
        suspensions=Suspensions(parts.state, parts.watch, journal, clock, settings),
        approvals=approvals,
        explaining=Explaining(settings, clock),
        auditing=parts.auditing,
        full_limits=full_limits,
        clock=clock,
        readiness=readiness,
        figures=Figures(
            custody=parts.custody,
            state=parts.state,
            record=parts.record,
            policies=keeper,
            watch=parts.watch,
            full_limits=full_limits,
            readiness=readiness,
            clock=clock,
        ),
    )
