"""``gateway-entities db``: the database that a gateway keeps its configuration in."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway_entities.cli.command import Group, server_needed
from gateway_entities.cli.options.store import format_option, progress, refusals, show, store_option
from gateway_entities.cli.output import printable, table

if TYPE_CHECKING:
    from gateway_entities.server.store.admin.backup import Saved
    from gateway_entities.server.store.admin.check import Problem, Report
    from gateway_entities.server.store.sql.database import Database


@click.group(
    cls=Group,
    examples=(
        "gateway-entities db check",
        "gateway-entities db backup gateway.backup",
        "gateway-entities db restore gateway.backup --store sqlite:///other.sqlite",
        "GATEWAY_ENTITIES_STORE=postgresql://gateway:PASSWORD@db/gateway gateway-entities db upgrade",
    ),
)
def db() -> None:
    """Upgrade, check, back up and restore a gateway's database. None of it needs a key.

    A backup is the same from SQLite and PostgreSQL, and may be restored into either. It holds all but the keys: secrets stay
    encrypted in it, so keep their keys too, and apart from it.

    Exit codes: 0 all is well; 1 check found something; 2 it could not be done, or the command line is wrong.
    """


@db.command()
@store_option
@format_option
def upgrade(store: str, form: str) -> None:
    """Bring the tables to this release's revision, making what does not exist. A server does so itself when it starts."""
    with _database(store) as database:
        from gateway_entities.server.store.open import upgrade_database

        before, after = upgrade_database(database)
        place = database.place
    change = "already" if before == after else f"now; it was {f'at {before}' if before else 'empty'}"
    text = f"{place} is at revision {after} {change}."
    show(printable(text), {"store": place, "before": before, "after": after}, form)


@db.command()
@store_option
@format_option
def check(store: str, form: str) -> None:
    """Check the tables, the database's own structure, every reference and every row. Servers go on meanwhile.

    No value is shown and no key is used: `keys check` decrypts.
    """
    with _database(store) as database, progress("checking") as bar:
        from gateway_entities.server.store.admin.check import check as check_database
        from gateway_entities.server.store.open import open_database

        open_database(database, create=False)
        report = check_database(database, bar)
    show(_report_text(report), _report_json(report), form)
    click.get_current_context().exit(1 if report.problems else 0)


@db.command()
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@store_option
@format_option
def backup(file: Path, store: str, form: str) -> None:
    """Write all that the store holds at one moment to a new FILE of mode 0600. Servers go on meanwhile.

    It is made beside FILE and gets its name when it is complete. The format is that of the module
    gateway_entities.server.store.admin.backup: JSON lines with a digest, in gzip.
    """
    with _database(store) as database, progress("writing") as bar:
        from gateway_entities.server.store.admin.backup import write_backup
        from gateway_entities.server.store.open import open_database

        open_database(database, create=False)
        saved = write_backup(database, file, bar)
    show(_saved_text(f"{file} is written", saved), _saved_json(saved, file, database), form)


@db.command()
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@store_option
@format_option
def restore(file: Path, store: str, form: str) -> None:
    """Fill an empty database, or a SQLite file that does not exist yet, from a backup FILE.

    A damaged backup, or one of a newer release, is refused. All of it is restored, or nothing.
    """
    with _database(store) as database, progress("restoring") as bar:
        from gateway_entities.server.store.admin.restore import restore_backup

        saved = restore_backup(database, file, bar)
    show(_saved_text(f"{database.place} is restored", saved), _saved_json(saved, file, database), form)


@contextmanager
def _database(url: str) -> Generator[Database]:
    with refusals(), server_needed():
        from gateway_entities.server.store.open import find_database

        database = find_database(url)
        try:
            yield database
        finally:
            database.dispose()


def _saved_text(what: str, saved: Saved) -> str:
    lines = [table(("table", "rows"), [(name, str(rows)) for name, rows in saved.rows.items()])]
    lines.append(f"{printable(what)}: {sum(saved.rows.values())} rows of revision {saved.schema}.")
    if saved.key_ids:
        keys = f"key {', key '.join(saved.key_ids)}"
        lines.append(f"What is encrypted needs {printable(keys)}, which is not in the backup.")
    return "\n".join(lines)


def _saved_json(saved: Saved, file: Path, database: Database) -> dict[str, Any]:
    return {
        "store": database.place,
        "file": str(file),
        "schema": saved.schema,
        "rows": dict(saved.rows),
        "keys": list(saved.key_ids),
    }


def _report_text(report: Report) -> str:
    lines = [f"{report.place}: revision {report.schema or '-'}, the newest is {report.newest}"]
    if report.rows:
        lines.append(table(("table", "rows"), [(name, str(rows)) for name, rows in report.rows.items()]))
    lines += [f"{_where(problem)}{problem.wrong}" for problem in report.problems]
    found = len(report.problems)
    lines.append(f"{found} problem{'s' if found > 1 else ''} found." if found else "No problem found.")
    return "\n".join(printable(line) for text in lines for line in text.split("\n"))


def _where(problem: Problem) -> str:
    if problem.table is None:
        return ""
    key = "" if problem.key is None else f" {' '.join(map(str, problem.key))}"
    return f"{problem.table}{key}: "


def _report_json(report: Report) -> dict[str, Any]:
    return {
        "store": report.place,
        "schema": report.schema,
        "newest": report.newest,
        "rows": dict(report.rows),
        "problems": [
            {"table": each.table, "key": None if each.key is None else list(map(str, each.key)), "problem": each.wrong}
            for each in report.problems
        ],
    }
