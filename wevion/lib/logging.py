"""Logs are events with keys. Prompts, keys and signed links never reach them."""

from __future__ import annotations

import re
from typing import Any

import structlog

# Keys whose values are private whatever they hold.
PRIVATE_KEYS = frozenset({"prompt", "password", "authorization", "api_key", "secret", "token"})
# A link keeps its address and loses its query, where signatures live.
_QUERY = re.compile(r"(https?://[^\s?\"'<>]+)\?[^\s\"'<>]*")
# PostgreSQL tells the whole failing row, prompt included.
_ROW = re.compile(r"DETAIL:\s[^\n]*")


def scrub(text: str) -> str:
    """The text without the queries of links and the rows of failed statements."""
    return _ROW.sub("DETAIL: [removed]", _QUERY.sub(r"\1?[removed]", text))


def _keep_private(_: Any, __: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
    for key, value in event.items():
        if key.lower() in PRIVATE_KEYS:
            event[key] = "[removed]"
        elif isinstance(value, str):
            event[key] = scrub(value)
    return event


def logging_config(*, level: str, is_json: bool) -> dict[str, Any]:
    """The dictConfig for Django and Celery, and the matching structlog set-up."""
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    renderer: structlog.types.Processor = (
        structlog.processors.JSONRenderer()
        if is_json
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "event": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": shared,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.format_exc_info,
                    _keep_private,
                    renderer,
                ],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "event"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Django's own console handler would say everything a second time.
            "django": {"handlers": [], "propagate": True},
            # Celery tells each received and finished tick at INFO: one line a second of nothing.
            "celery": {"level": "WARNING"},
            # A refused request is an answer, not a fault of ours.
            "django_structlog": {"level": "ERROR"},
            "django.request": {"level": "ERROR"},
            "django.server": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        },
    }
