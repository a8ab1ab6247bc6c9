"""What the custody process says about failures: types and places, never values.

A traceback, an exception's text and asyncio's own reports can all hold what a frame held. Here they are cut down to the name
of the type and the line it came from.
"""

import asyncio
import logging
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import structlog

from vaultsigner.errors import VaultsignerError


def where_from(error: BaseException) -> str:
    """`file.py:line` of the innermost frame, which holds no data."""
    trace = error.__traceback__
    if trace is None:
        return "unknown"
    while trace.tb_next is not None:
        trace = trace.tb_next
    return f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"


def log_to_stderr() -> None:
    """JSON lines on standard error, or lines for people where that is a terminal."""
    renderer: structlog.typing.Processor = structlog.processors.JSONRenderer()
    if sys.stderr.isatty():
        renderer = structlog.dev.ConsoleRenderer()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    # asyncio and urllib3 log representations of what they handle; a warning of theirs is not worth that.
    logging.disable(logging.CRITICAL)


def guard_hooks() -> None:
    """Replace every hook through which Python itself would print an exception."""
    log = structlog.get_logger()

    def report(
        kind: type[BaseException], error: BaseException | None, _: TracebackType | None = None
    ) -> None:
        log.critical("uncaught", error=kind.__name__, at="unknown" if error is None else where_from(error))

    sys.excepthook = report
    threading.excepthook = lambda failed: report(failed.exc_type, failed.exc_value)
    sys.unraisablehook = lambda failed: report(failed.exc_type, failed.exc_value)


def report_loop_failure(loop: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
    """An event loop's exception handler that repeats nothing but the type and the place."""
    error = context.get("exception")
    name = type(error).__name__ if isinstance(error, BaseException) else "none"
    at = where_from(error) if isinstance(error, BaseException) else "unknown"
    structlog.get_logger().error("event_loop", error=name, at=at, debug=loop.get_debug())


def log_failure(event: str, error: VaultsignerError) -> None:
    """Log an error of our own, whose text is written for people and holds no secret."""
    structlog.get_logger().critical(event, code=error.code, message=str(error))
