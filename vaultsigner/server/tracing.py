"""Opens what follows requests, if config.yml wants any followed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import vaultsigner
from vaultsigner.config.settings import TraceSettings
from vaultsigner.errors import ConfigError
from vaultsigner.server.measuring import Tracing

if TYPE_CHECKING:  # without the extra it cannot be imported
    from vaultsigner.telemetry.traces import RequestTracing

TRACES_PATH = "/v1/traces"


@asynccontextmanager
async def tracing(settings: TraceSettings | None) -> AsyncIterator[Tracing | None]:
    """What follows requests for as long as the context lasts; None where nothing does.

    Raises:
        ConfigError: traces are wanted, and the extra is missing.
    """
    if settings is None:
        yield None
        return
    opened = _open(settings)
    try:
        yield opened
    finally:
        await asyncio.to_thread(opened.close)


def _open(settings: TraceSettings) -> "RequestTracing":
    try:
        from vaultsigner.telemetry.traces import RequestTracing  # noqa: PLC0415 - an extra, and slow to import
    except ImportError as error:
        raise ConfigError(
            f"telemetry.traces needs the extra otel, and {error.name} is not installed: "
            'pip install "vaultsigner[otel]", or leave telemetry.traces out'
        ) from None
    address = settings.otlp_endpoint
    endpoint = address if address.endswith(TRACES_PATH) else f"{address}{TRACES_PATH}"
    return RequestTracing(
        endpoint,
        sample_ratio=settings.sample_percent / 100,
        version=vaultsigner.__version__,
        ca_cert=settings.ca_cert,
    )
