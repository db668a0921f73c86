"""Structured logs: one JSON object a line on standard error, UTC, with the request's id.

No token, address, name or card code is logged: paths that carry one are shortened, and of an exception
only its type and where it came from are said, for messages quote the values that caused them.
"""

from __future__ import annotations

import logging
import re
import secrets
import sys
import time
import traceback
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import structlog
from flask import Flask, Response, g, request

from config import ROOT

log = structlog.get_logger()
_PRIVATE_PATH = re.compile(r".*?/(?:C|sign-in|scan/pair|wallets/apple)/", re.IGNORECASE | re.DOTALL)


def configure_logs(app: Flask) -> None:
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _say_where,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    app.logger.disabled = True  # the error page says the same without the exception's message
    if not any(isinstance(handler, _AsJson) for handler in logging.getLogger().handlers):
        logging.getLogger().addHandler(_AsJson(logging.WARNING))
    app.before_request(_begin)
    app.after_request(_end)


def shown_path(path: str) -> str:
    match = _PRIVATE_PATH.match(path)
    return f"{match[0]}…" if match else path


def where(error: BaseException) -> str:
    """ "KeyError in app/people/service.py:31": the innermost of our own lines, without the message."""
    frames = [(Path(frame.filename), frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    ours = [(path.relative_to(ROOT), line) for path, line in frames if path.is_relative_to(ROOT / "app")]
    place = f" in {ours[-1][0]}:{ours[-1][1]}" if ours else ""
    return f"{type(error).__name__}{place}"


def _say_where(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    error = event.pop("exc_info", None)
    chain = []
    while error is not None:
        chain.append(where(error))
        error = error.__cause__ or error.__context__
    if chain:
        event["error"] = chain
    return event


class _AsJson(logging.Handler):
    """What libraries log joins our lines."""

    def emit(self, record: logging.LogRecord) -> None:
        log.log(record.levelno, record.name, said=str(record.msg), exc_info=record.exc_info and record.exc_info[1])


def _begin() -> None:
    g.request_id = secrets.token_hex(4).upper()
    g.request_started = time.monotonic()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _end(response: Response) -> Response:
    if request.endpoint != "static":
        log.info(
            "request",
            method=request.method,
            path=shown_path(request.path),
            status=response.status_code,
            ms=round((time.monotonic() - g.request_started) * 1000, 1) if "request_started" in g else None,
        )
    response.headers["X-Request-Id"] = g.get("request_id", "")
    return response
