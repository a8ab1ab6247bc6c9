"""The operational log on stderr: JSON lines for machines, or colours where stderr is a terminal.

Libraries log exception texts and values that a caller may have sent. From them only the message template, where it comes from
and the exception's type get through.
"""

import asyncio
import logging
import sys
from typing import Any

import structlog

log = structlog.get_logger(__name__)


def configure_log() -> None:
    """Set up structlog, and send what libraries log through it."""
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
    logging.basicConfig(handlers=[TemplatesOnly()], level=logging.WARNING, force=True)


class TemplatesOnly(logging.Handler):
    """Passes on a library's message without the values in it."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log one record of the standard library's logging."""
        exception = record.exc_info[0] if record.exc_info else None
        log.log(
            record.levelno,
            "library message",
            logger=record.name,
            template=str(record.msg).partition("\n")[0],
            exception=exception.__qualname__ if exception is not None else None,
        )


def log_loop_trouble(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What the event loop reports of callbacks and forgotten tasks; its own way would print the exception's text."""
    exception = context.get("exception")
    log.error(
        "event loop trouble",
        message=context.get("message"),
        exception=type(exception).__qualname__ if exception is not None else None,
    )
