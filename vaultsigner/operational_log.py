"""The operational log on stderr, for those who run the service: JSON lines, or text where stderr is a terminal.

It is not the record, and nothing in it may be a secret: of exceptions only the type and the place get through, of library
messages only the template, and members with a secret's name are left out whatever they hold.
"""

import logging
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import EventDict, WrappedLogger

LogFormat = Literal["json", "console", "auto"]
LogLevel = Literal["debug", "info", "warning", "error", "critical"]

SECRET_WORDS = ("password", "token", "authorization", "secret", "private_key", "mnemonic")


def configure_log(
    log_format: LogFormat = "auto", level: LogLevel = "info", stream: TextIO | None = None
) -> None:
    """Set up structlog for this process, and send what libraries log through it.

    Args:
        log_format: `auto` is `console` where the stream is a terminal, else `json`.
        level: the least that is logged; libraries only from `warning` on.
        stream: stderr unless told otherwise.
    """
    stream = stream or sys.stderr
    console = log_format == "console" or (log_format == "auto" and stream.isatty())
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            exceptions_by_type_and_place,
            without_secrets,
            *(_console(stream) if console else (structlog.processors.JSONRenderer(default=_type_name),)),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(handlers=[TemplatesOnly()], level=logging.WARNING, force=True)


def without_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Leave out every member, at any depth, whose name holds one of SECRET_WORDS."""
    return {name: _clean(value) for name, value in event.items() if not _names_a_secret(name)}


def exceptions_by_type_and_place(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Put `error` and `at` in an exception's place: its text and its frames' variables may hold what a caller sent."""
    info = event.pop("exc_info", None)
    error = sys.exc_info()[1] if info is True else info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        event.update(error=type(error).__qualname__, at=place(error.__traceback__))
    return event


def place(trace: TracebackType | None) -> str:
    """`file.py:line` where an exception arose."""
    if trace is None:
        return "unknown"
    while trace.tb_next is not None:
        trace = trace.tb_next
    return f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"


class TemplatesOnly(logging.Handler):
    """Passes on what a library logs without the values in it."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log one record of the standard library's logging."""
        structlog.get_logger().log(
            record.levelno,
            "library message",
            logger=record.name,
            template=str(record.msg).partition("\n")[0],
            exc_info=record.exc_info or None,
        )


def _names_a_secret(name: object) -> bool:
    folded = str(name).casefold().replace("-", "_")
    return any(word in folded for word in SECRET_WORDS)


def _clean(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _clean(member) for name, member in value.items() if not _names_a_secret(name)}
    if isinstance(value, list | tuple):
        return [_clean(member) for member in value]
    return value if isinstance(value, str | int | float | None) else _type_name(value)


def _type_name(value: object) -> str:
    """A representation may hold anything; a path is the only one that is worth showing."""
    return str(value) if isinstance(value, Path) else f"<{type(value).__qualname__}>"


def _console(stream: TextIO) -> tuple[structlog.typing.Processor, ...]:
    # Without a formatter of ours, rich would print the variables of every frame.
    renderer = structlog.dev.ConsoleRenderer(
        colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback
    )
    return _printable, renderer


def _printable(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Escape what would steer the terminal: a caller's text must not clear the screen or forge a line."""
    return {name: _escaped(value) if isinstance(value, str) else value for name, value in event.items()}


def _escaped(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text
    )
