"""What a load balancer asks: alive, and ready to serve."""

from __future__ import annotations

import sqlalchemy as sa
from flask import Flask

from app import clock, jobs
from app.extensions import db
from tests.visitor import Visitor


def answer(app: Flask) -> tuple[int, str]:
    response = Visitor(app).get("/readyz")
    return response.status_code, (response.get_json() or {}).get("code", "")


def test_without_a_worker_it_is_alive_and_not_ready(app: Flask) -> None:
    assert Visitor(app).get("/healthz").status_code == 200
    assert answer(app) == (503, "no_worker")


def test_with_a_worker_seen_it_is_ready(app: Flask) -> None:
    jobs.tick(clock.now(), "worker")
    assert answer(app) == (200, "")


def test_behind_a_migration_it_is_not_ready(app: Flask) -> None:
    jobs.tick(clock.now(), "worker")
    db.session.execute(sa.text("UPDATE alembic_version SET version_num = '0001'"))
    db.session.commit()
    assert answer(app) == (503, "not_migrated")
