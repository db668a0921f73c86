"""The role by which FreeRADIUS reads the database: two views, nothing else, a second at most."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from flask import Flask

from app.extensions import db
from app.wifi.service import create_credential
from tests.cast import Cast
from tests.command import is_refused, run
from tests.databases import PROCESS

ROLE = f"reader_{PROCESS}"
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture
def role(app: Flask) -> Iterator[str]:
    yield ROLE
    db.session.rollback()
    if db.session.scalar(sa.text("SELECT count(*) FROM pg_roles WHERE rolname = :name"), {"name": ROLE}):
        db.session.execute(sa.text(f"DROP OWNED BY {ROLE}"))
        db.session.execute(sa.text(f"DROP ROLE {ROLE}"))
        db.session.commit()


@pytest.fixture
def reader(app: Flask, cast: Cast, role: str) -> Iterator[sa.Connection]:
    """What FreeRADIUS opens."""
    create_credential(cast.alice.id, "Phone", cast.now)
    granted = run(app, "wifi", "grant-role", role)
    assert granted.exit_code == 0 and len(granted.stdout.strip()) >= 22
    engine = sa.create_engine(db.engine.url.set(username=role, password=granted.stdout.strip()))
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@on_postgresql
def test_it_reads_the_two_views(reader: sa.Connection) -> None:
    for view in ("radcheck", "radreply"):
        assert reader.scalar(sa.text(f"SELECT count(*) FROM radius.{view}")) == 1


@on_postgresql
def test_it_reads_no_table_no_other_view_and_runs_no_function_that_could(reader: sa.Connection) -> None:
    things = reader.execute(
        sa.text(
            "SELECT n.nspname || '.' || quote_ident(c.relname) FROM pg_class c JOIN pg_namespace n "
            "ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f', 'S') "
            "AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')"
        )
    ).scalars()
    others = set(things) - {"radius.radcheck", "radius.radreply"}
    assert {"public.person", "public.wifi_credential", "public.association", "radius.entitlement"} <= others
    for name in others:
        reader.rollback()
        with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
            reader.execute(sa.text(f"SELECT * FROM {name}"))
    reader.rollback()
    with_owners_rights = "SELECT count(*) FROM pg_proc WHERE prosecdef AND pronamespace <> 'pg_catalog'::regnamespace"
    assert reader.scalar(sa.text(with_owners_rights)) == 0
    with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
        reader.execute(sa.text("SELECT carnet_today()"))


@on_postgresql
def test_it_changes_nothing(reader: sa.Connection) -> None:
    for statement in (
        "UPDATE radius.radcheck SET value = 'x'", "DELETE FROM radius.radreply", "CREATE TABLE public.x (y int)",
        "CREATE TABLE radius.x (y int)", "SET ROLE carnet", "COPY radius.radcheck TO '/dev/null'",
    ):  # fmt: skip
        with pytest.raises(sa.exc.DBAPIError):
            reader.execute(sa.text(statement))
        reader.rollback()


@on_postgresql
def test_a_query_of_its_own_ends_after_a_second(reader: sa.Connection) -> None:
    assert reader.scalar(sa.text("SHOW statement_timeout")) == "1s"
    with pytest.raises(sa.exc.OperationalError, match="statement timeout"):
        reader.execute(sa.text("SELECT pg_sleep(5)"))


@on_postgresql
def test_granting_again_keeps_the_password(app: Flask, reader: sa.Connection, role: str) -> None:
    again = run(app, "wifi", "grant-role", role)
    assert again.exit_code == 0 and again.stdout == f"{role} may read radius.radcheck and radius.radreply.\n"
    assert reader.scalar(sa.text("SELECT count(*) FROM radius.radcheck")) == 1


@on_postgresql
def test_no_role_with_rights_of_its_own_is_taken(app: Flask) -> None:
    for name in ("carnet", "Robert'; DROP TABLE person", "public", ""):
        assert is_refused(run(app, "wifi", "grant-role", name))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_on_sqlite_there_are_no_roles(app: Flask) -> None:
    assert is_refused(run(app, "wifi", "grant-role", "carnet_radius"))
