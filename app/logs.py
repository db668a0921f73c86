"""Structured logs: one JSON object a line on standard error, UTC, with the request's id.

No token, address, name or card code is logged: paths that carry one are shortened.
"""

from __future__ import annotations

import logging
import re
import secrets
import sys
import time

import structlog
from flask import Flask, Response, g, request

log = structlog.get_logger()
_PRIVATE_PATH = re.compile(r"^/(C|sign-in|scan/pair)/.+")


def configure_logs(app: Flask) -> None:
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    app.before_request(_begin)
    app.after_request(_end)


def shown_path(path: str) -> str:
    match = _PRIVATE_PATH.match(path)
    return f"/{match[1]}/…" if match else path


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
