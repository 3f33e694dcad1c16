"""Write the table of routes and roles: `.venv/bin/python -m scripts.permissions` (docs/permissions.md)."""

from __future__ import annotations

import tempfile
from pathlib import Path

from blickschutz.access.model import Permission, Role
from blickschutz.access.rules import PERMISSIONS, PERSONAL
from blickschutz.bootstrap.system import System
from blickschutz.config.loader import load_site
from blickschutz.kernel.clock import SystemClock
from blickschutz.web.app import API, table

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs/permissions.md"
ROLES = (Role.CONTROL_ROOM, Role.REVIEW, Role.SUPERVISION, Role.ADMINISTRATION, Role.DATA_PROTECTION)
_HEAD = """# Routes and roles

Made by `python -m scripts.permissions` from the routes of the running application and the one table in
`access/rules.py`; a test compares this file with both, and asks every route as every role.
`everybody` needs no sign-in, `signed in` any role. Addresses under `/api/v1` take a token with that scope
instead of a session; what a token can never have is marked †.

"""


def rendered() -> str:
    """The page as it should stand in the documentation."""
    lines = ["| permission | " + " | ".join(role.value for role in ROLES) + " |", "|---|" + "---|" * len(ROLES)]
    for permission in Permission:
        marks = ["✓" if role in PERMISSIONS[permission] else "" for role in ROLES]
        lines.append(f"| `{permission.value}`{' †' if permission in PERSONAL else ''} | " + " | ".join(marks) + " |")
    lines += ["", "| method | route | permission | who |", "|---|---|---|---|"]
    for method, path, permission in sorted(routes(), key=lambda row: (row[1].startswith(API), row[1], row[0])):
        lines.append(f"| {method} | `{path}` | `{permission.value}` | {who(permission)} |")
    return _HEAD + "\n".join(lines) + "\n"


def routes() -> list[tuple[str, str, Permission]]:
    """Every route of the application with its permission."""
    with tempfile.TemporaryDirectory() as folder:
        system = System(load_site(ROOT / "examples/rathaus-kaiserslautern.toml"), ROOT, SystemClock(), data=Path(folder))
        found = [(method, path, permission) for method, path, permission in table(system.app) if permission is not None]
        system.records.keeping.close()
        system.control.alerting.desk.store.close()
    return found


def who(permission: Permission) -> str:
    """Who may do it, in words."""
    if permission is Permission.PUBLIC:
        return "everybody"
    roles = PERMISSIONS[permission]
    return "signed in" if roles == frozenset(Role) else ", ".join(role.value for role in ROLES if role in roles)


if __name__ == "__main__":
    TARGET.write_text(rendered(), encoding="utf-8")
