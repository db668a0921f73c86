"""The shop behind a port of its own."""

from __future__ import annotations

import logging
import threading
from wsgiref.types import WSGIApplication

from werkzeug.serving import WSGIRequestHandler, make_server

from demo.course_shop.connecting import Secrets
from demo.course_shop.site import make_app

HOST = "127.0.0.1"


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:
        logging.getLogger("demo.course_shop").debug(message, *args)


class CourseShop:
    """A running shop at `url`."""

    def __init__(self, port: int, given: Secrets) -> None:
        app: WSGIApplication = make_app(given)
        self._server = make_server(HOST, port, app, threaded=True, request_handler=_Quiet)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        self.url = f"http://{HOST}:{self._server.server_port}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
