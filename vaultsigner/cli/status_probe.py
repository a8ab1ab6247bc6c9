"""Looks at everything that `vaultsigner status` tells, and changes nothing. Nothing that fails keeps the rest from being told."""

import asyncio
import json
import os
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp

from vaultsigner.audit.anchors.anchor import Anchor
from vaultsigner.audit.anchors.opening import open_anchors
from vaultsigner.audit.searching.overview import chains_overview
from vaultsigner.cli.status_figures import ServiceFigures, read_figures
from vaultsigner.cli.status_findings import AnchorGlance, PolicyGlance, ServiceFinding, VaultGlance
from vaultsigner.cli.status_report import StatusReport
from vaultsigner.cli.status_state import look_at_state
from vaultsigner.config import ConfigProblems
from vaultsigner.config.settings import AuditSettings, ListenAddress, Settings
from vaultsigner.config.vault_settings import VaultSettings
from vaultsigner.errors import VaultsignerError
from vaultsigner.policy import PolicySet, load

ANSWER_SECONDS = 5.0
"""How long the service, Vault and each anchor have to answer."""
LARGEST_ANSWER = 1 << 20
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where the service listens everywhere, it is asked here
_KINDS = {"wallets": "wallet", "exchanges": "exchange", "open_api": "Open API app"}
_VAULT_STATES = {
    200: "active",
    429: "standby",
    472: "standby",
    473: "standby",
    501: "not initialised",
    503: "sealed",
}
"""developer.hashicorp.com/vault/api-docs/system/health"""


def look(settings: Settings) -> StatusReport:
    """All of it, in a few seconds at most."""
    policy, policies = _policy(settings.policies)
    service, vault, anchors = asyncio.run(_ask(settings))
    chains, record_problem = _chains(settings.audit)
    return StatusReport(
        config=str(settings.source),
        at=datetime.now(UTC),
        service=service,
        vault=vault,
        policy=policy,
        state=look_at_state(settings, policies),
        record=str(settings.audit.directory),
        chains=chains,
        record_problem=record_problem,
        anchors=anchors,
    )


async def _ask(settings: Settings) -> tuple[ServiceFinding, VaultGlance, tuple[AnchorGlance, ...]]:
    timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
    async with aiohttp.ClientSession(trust_env=False, timeout=timeout) as session:
        return await asyncio.gather(
            ask_service(session, settings.server.ops_listen),
            _vault(session, settings.vault),
            _anchors(settings.audit),
        )


async def ask_service(session: aiohttp.ClientSession, listen: ListenAddress) -> ServiceFinding:
    """How the service that answers at an operations port finds itself."""
    address = str(ListenAddress(_EVERYWHERE.get(listen.host, listen.host), listen.port))
    if listen.port == 0:
        return _not_running(
            address,
            "server.ops_listen leaves the choice of a port to the system, so nobody knows where to ask",
        )
    try:
        async with session.get(f"http://{address}/readyz", allow_redirects=False) as answer:
            body = json.loads(await _body(answer))
    except TimeoutError:
        return ServiceFinding(
            address, running=True, ready=False, problems=(f"no answer within {ANSWER_SECONDS:.0f} s",)
        )
    except aiohttp.ClientError as error:
        return _not_running(address, _plainly(error))
    except ValueError:
        return _not_running(address, "what answers there is not vaultsigner")
    if not isinstance(body, dict) or body.get("status") not in ("ready", "not ready"):
        return _not_running(address, "what answers there is not vaultsigner")
    return ServiceFinding(
        address,
        running=True,
        ready=body["status"] == "ready",
        problems=_texts(body.get("problems")),
        warnings=_texts(body.get("warnings")),
        unusable=_unusable(body),
        figures=await _figures(session, address),
    )


async def _figures(session: aiohttp.ClientSession, address: str) -> ServiceFigures | None:
    """More of it; worth having, and not worth waiting for twice."""
    try:
        async with session.get(f"http://{address}/metrics", allow_redirects=False) as answer:
            return read_figures((await _body(answer)).decode("utf-8", "replace"))
    except (TimeoutError, aiohttp.ClientError):
        return None


async def _body(answer: aiohttp.ClientResponse) -> bytes:
    """All of it, but not without end."""
    body = bytearray()
    async for part in answer.content.iter_any():
        body += part
        if len(body) > LARGEST_ANSWER:
            break
    return bytes(body)


def _not_running(address: str, why: str) -> ServiceFinding:
    return ServiceFinding(address, running=False, ready=False, problems=(why,))


def _texts(listed: Any) -> tuple[str, ...]:
    return tuple(map(str, listed)) if isinstance(listed, list) else ()


def _unusable(body: Mapping[str, Any]) -> dict[str, str]:
    found = {}
    for section, kind in _KINDS.items():
        listed = body.get(section)
        for name, each in listed.items() if isinstance(listed, dict) else ():
            if isinstance(each, dict) and each.get("ready") is False:
                found[f"{kind} {name}"] = str(each.get("reason") or "no reason is told")
    return found


async def _vault(session: aiohttp.ClientSession, vault: VaultSettings) -> VaultGlance:
    """What it tells anybody; no token is used."""
    url = f"{vault.address}/v1/sys/health"
    try:
        context = (
            ssl.create_default_context(cafile=vault.ca_cert) if vault.address.startswith("https:") else False
        )
        async with session.get(url, allow_redirects=False, ssl=context) as answer:
            body = json.loads(await _body(answer))
    except TimeoutError:
        return VaultGlance(vault.address, "unknown", problem=f"no answer within {ANSWER_SECONDS:.0f} s")
    except aiohttp.ClientError as error:
        return VaultGlance(vault.address, "unreachable", problem=_plainly(error))
    except OSError as error:
        return VaultGlance(
            vault.address, "unknown", problem=f"vault.ca_cert {vault.ca_cert}: {error.strerror or error}"
        )
    except ValueError:
        body = None
    state = _VAULT_STATES.get(answer.status)
    if state is None or not isinstance(body, dict):
        return VaultGlance(
            vault.address, "unknown", problem=f"what answers there ({answer.status}) is not Vault"
        )
    version = body.get("version")
    return VaultGlance(vault.address, state, version if isinstance(version, str) else None)


def _plainly(error: aiohttp.ClientError) -> str:
    """Without addresses that were asked already."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"its certificate is not trusted: {error.certificate_error}"
    if isinstance(error, aiohttp.ClientConnectorError):
        number = error.os_error.errno
        return f"cannot be reached: {os.strerror(number) if number and number > 0 else error.os_error}"
    return f"no proper answer: {type(error).__name__}"


def _policy(directory: Path) -> tuple[PolicyGlance, PolicySet | None]:
    try:
        policies = load(directory)
    except ConfigProblems:
        problem = "these cannot be used: `vaultsigner policy check` tells why; a service that runs goes on with what it has"
        return PolicyGlance(str(directory), problem=problem), None
    return PolicyGlance(str(directory), policies.digest, len(policies.rules)), policies


def _chains(audit: AuditSettings) -> tuple[tuple[Mapping[str, Any], ...], str | None]:
    try:
        if not any(audit.directory.iterdir()):
            return (), None
    except FileNotFoundError:
        return (), None
    except OSError as error:
        return (), f"{audit.directory}: {error.strerror}"
    try:
        return tuple(chains_overview(audit.directory, None)), None
    except (VaultsignerError, OSError) as error:
        return (), str(error)


async def _anchors(audit: AuditSettings) -> tuple[AnchorGlance, ...]:
    return tuple([await _anchor(anchor) for anchor in open_anchors(audit.anchors)])


async def _anchor(anchor: Anchor) -> AnchorGlance:
    """A directory is looked into; what is elsewhere is the service's to ask."""
    try:
        if anchor.kind != "directory":
            return AnchorGlance(anchor.name, anchor.kind)
        # Whether a key that counts signed them is for `vaultsigner check`, which can ask Vault for the keys.
        held = await asyncio.wait_for(anchor.held(lambda _: True), ANSWER_SECONDS)
    except TimeoutError:
        return AnchorGlance(anchor.name, anchor.kind, problem=f"no answer within {ANSWER_SECONDS:.0f} s")
    except VaultsignerError as error:
        return AnchorGlance(anchor.name, anchor.kind, problem=str(error))
    finally:
        await anchor.close()
    newest = max((signed.checkpoint.time for signed in held.newest.values()), default=None)
    problem = "there is no checkpoint in it" if newest is None else None
    return AnchorGlance(anchor.name, anchor.kind, newest, problem)
