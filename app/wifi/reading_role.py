"""The role by which FreeRADIUS reads PostgreSQL: two views, a second at most, no writing."""

from __future__ import annotations

import re

from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from app.errors import Refusal
from app.extensions import db


def grant_role(name: str, password: str) -> bool:
    """Make the role where there is none, with this password, and grant it what it needs; True when it was made.

    Roles belong to the whole server, so no migration makes them. Raises Refusal.
    """
    if db.engine.dialect.name != "postgresql":
        raise Refusal("no_roles", "Only PostgreSQL has roles: with SQLite, FreeRADIUS asks the web application alone.")
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name):
        raise Refusal("bad_role", f"{name!r} is not a role's name: small letters, digits and _, such as carnet_radius.")
    known = db.session.execute(
        text("SELECT rolsuper OR pg_has_role(oid, current_user, 'MEMBER') AS ours FROM pg_roles WHERE rolname = :name"),
        {"name": name},
    ).one_or_none()
    if known is not None and known.ours:
        raise Refusal("role_has_rights", f"{name} is a role with rights of its own. Name another one.")
    statements = [
        f"ALTER ROLE {name} SET statement_timeout = '1s'",
        f"ALTER ROLE {name} SET default_transaction_read_only = on",
        f"GRANT USAGE ON SCHEMA radius TO {name}",
        f"GRANT SELECT ON radius.radcheck, radius.radreply TO {name}",
    ]
    if known is None:
        statements.insert(0, f"CREATE ROLE {name} LOGIN PASSWORD '{password}'")
    try:
        for statement in statements:
            db.session.execute(text(statement))
    except ProgrammingError:
        raise Refusal(
            "may_not_make_roles",
            f"The application’s own role may not do that. Have the server’s superuser run: {'; '.join(statements)};",
        ) from None
    return known is None
