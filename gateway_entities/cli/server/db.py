"""``gateway-entities db``: administration of a gateway's database."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway_entities.cli.cells import printable
from gateway_entities.cli.command import Group, server_needed
from gateway_entities.cli.options.form import Form
from gateway_entities.cli.options.keys import key_options
from gateway_entities.cli.options.limits import limit_option
from gateway_entities.cli.options.store import exit_2_on_error, format_option, new_store_option, progress, show, store_option
from gateway_entities.cli.table import table

if TYPE_CHECKING:
    from gateway_entities.server.compactor import Compacted
    from gateway_entities.server.store.admin.backup import BackupSummary
    from gateway_entities.server.store.admin.check import Problem, Report
    from gateway_entities.server.store.crypto.key_sources import KeySource
    from gateway_entities.server.store.sql.database import Database

Sources = Callable[[], "Sequence[KeySource]"]


@click.group(
    cls=Group,
    examples=(
        "gateway-entities db check",
        "gateway-entities db compact --change-retention 2592000",
        "gateway-entities db backup gateway.backup",
        "gateway-entities db restore gateway.backup --store sqlite:///other.sqlite --key-file gateway.sqlite.key",
        "GATEWAY_ENTITIES_STORE=postgresql://gateway:PASSWORD@db/gateway gateway-entities db upgrade",
    ),
)
def db() -> None:
    """Upgrade, check, compact, back up and restore a database.

    Backups of SQLite and PostgreSQL have one format and can be restored into either. Secrets stay encrypted in a backup, and
    the keys are not in it: back them up separately. The first key seals a backup, so that a restore notices changes of it.

    Exit codes: 0 success; 1 check found problems; 2 the operation failed, or a usage error.
    """


@db.command()
@store_option
@new_store_option
@format_option
def upgrade(store: str, new_store: bool, form: Form) -> None:
    """Migrate the tables to this release's revision, creating missing ones. Servers do so at start."""
    with _database(store) as database:
        from gateway_entities.server.store.open import upgrade_database

        before, after = upgrade_database(database, new_store=new_store)
        place = database.location
    change = "already at" if before == after else f"upgraded from {f'revision {before}' if before else 'empty'} to"
    text = f"{place}: {change} revision {after}."
    show(printable(text), {"store": place, "before": before, "after": after}, form)


@db.command()
@store_option
@key_options
@format_option
def check(store: str, form: Form, keys: Sources) -> None:
    """Check the schema, the database's integrity, every reference and every row. Safe while servers run.

    With keys it also decrypts the secrets, which shows whether the address of one was altered. No value is shown.
    """
    with _database(store) as database, progress("checking") as bar:
        from gateway_entities.server.store.admin.check import check as check_database
        from gateway_entities.server.store.open import available_keys, open_database

        open_database(database, create=False)
        report = check_database(database, bar, available_keys(database, keys()))
    show(_report_text(report), _report_json(report), form)
    click.get_current_context().exit(1 if report.problems else 0)


@db.command()
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@store_option
@key_options
@format_option
def backup(file: Path, store: str, form: Form, keys: Sources) -> None:
    """Write a consistent snapshot of the store to a new FILE of mode 0600. Safe while servers run.

    The first key seals it; without any key it has no seal. A temporary file beside FILE is renamed when complete. The format
    is gzipped JSON lines with a digest; see the module gateway_entities.server.store.admin.backup.
    """
    if str(file) == "-":
        raise click.UsageError("FILE is the name of a new file; a backup is not written to standard output.")
    with _database(store) as database, progress("writing") as bar:
        from gateway_entities.server.store.admin.backup import write_backup
        from gateway_entities.server.store.open import available_keys, open_database

        open_database(database, create=False)
        saved = write_backup(database, file, bar, available_keys(database, keys()))
    show(_saved_text(f"{file} written", saved), _saved_json(saved, file, database), form)


@db.command()
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option(
    "--accept-unsealed",
    is_flag=True,
    help="Restore a backup without a seal, or with one of a key that is not configured. Its tokens and addresses may be "
    "those of an attacker.",
)
@click.option(
    "--max-line-mib",
    type=click.IntRange(1, 1024),
    default=16,
    show_default=True,
    help="Maximum size of a line, one row of a table, in MiB. Reading it takes up to ten times as much memory.",
)
@store_option
@key_options
@format_option
def restore(*, file: Path, accept_unsealed: bool, max_line_mib: int, store: str, form: Form, keys: Sources) -> None:
    """Restore a backup FILE into an empty database or a new SQLite file.

    Rejected are damaged backups, those of newer releases, and those without the seal of one of the keys. The restore is
    atomic. The store gets a new id, so page tokens of the old one are refused. Stop the servers of a SQLite file first.
    """
    with _database(store) as database, progress("restoring") as bar:
        from gateway_entities.server.store.admin.restore import restore_backup
        from gateway_entities.server.store.open import available_keys

        saved = restore_backup(
            database,
            file,
            bar,
            available_keys(database, keys()),
            accept_unsealed=accept_unsealed,
            max_line_bytes=max_line_mib * 1024 * 1024,
        )
    show(_saved_text(f"{database.location} restored", saved), _saved_json(saved, file, database), form)


@db.command()
@store_option
@limit_option("change_retention_s")
@limit_option("max_changes")
@click.option(
    "--vacuum",
    is_flag=True,
    help="Rewrite the database without free space. Writers wait meanwhile, on PostgreSQL readers too. Needs as much free "
    "disk space as the store has.",
)
@format_option
def compact(store: str, change_retention_s: float, max_changes: int, form: Form, *, vacuum: bool) -> None:
    """Delete what has outlived its retention, and give free space back. Safe while servers run, which do so once a minute.

    Old changes are deleted from the change log, but none of the last 24 hours and never the last one. Former states of
    resources, stored responses, charges and ended budget windows are deleted after 24 hours. Resources and their etags stay
    as they are.
    """
    with _database(store) as database:
        from gateway_entities.server.compactor import compact_database
        from gateway_entities.server.service.writes.compaction import Retention
        from gateway_entities.server.store.open import open_database, upgrade_database

        open_database(database, create=False)
        upgrade_database(database)
        done = compact_database(database, Retention(int(change_retention_s * 1000), max_changes), vacuum=vacuum)
        place = database.location
    text = f"{place}: the change log has revisions {done.oldest} to {done.revision}; {_size_text(done)}."
    sizes = {
        when: {"used_bytes": size.used_bytes, "free_bytes": size.free_bytes}
        for when, size in (("before", done.before), ("after", done.after))
    }
    show(printable(text), {"store": place, "oldest": done.oldest, "revision": done.revision, **sizes}, form)


def _size_text(done: Compacted) -> str:
    used, free = (
        f"{before / 2**20:.1f} -> {after / 2**20:.1f} MiB" for before, after in zip(done.before, done.after, strict=True)
    )
    return f"used {used}, free {free}"


@db.group(cls=Group, examples=("gateway-entities db clock accept",))
def clock() -> None:
    """Accept the clock of this machine after it has jumped (SQLite only)."""


@clock.command()
@store_option
@format_option
def accept(store: str, form: Form) -> None:
    """Declare the clock of this machine to be right, so that its servers write again. They need no restart.

    Servers refuse writes (CLOCK_JUMP) if the clock was set by more than 60 seconds, or is behind the store: what has expired
    is deleted, and a wrong clock would delete too much. First check the time with `date`.
    """
    with _database(store) as database:
        from gateway_entities.server.store.admin.clock import accept_clock

        now = accept_clock(database)
    shown = datetime.fromtimestamp(now // 1000, UTC).isoformat()
    text = f"{database.location}: the clock is accepted; it is {shown}."
    show(printable(text), {"store": database.location, "now": now}, form)


@contextmanager
def _database(url: str) -> Generator[Database]:
    with exit_2_on_error(), server_needed():
        from gateway_entities.server.store.open import find_database

        database = find_database(url)
        try:
            yield database
        finally:
            database.dispose()


def _saved_text(what: str, saved: BackupSummary) -> str:
    lines = [table(("table", "rows"), [(name, str(rows)) for name, rows in saved.rows.items()])]
    lines.append(f"{printable(what)}: {sum(saved.rows.values())} rows of revision {saved.schema}.")
    if saved.key_ids:
        keys = f"key {', key '.join(saved.key_ids)}"
        lines.append(f"Decrypting the secrets needs {printable(keys)}, which is not in the backup.")
    if saved.sealed_by is not None:
        lines.append(f"It is sealed with key {printable(saved.sealed_by)}.")
    else:
        lines.append("It has no seal of a configured key: its restore needs --accept-unsealed.")
    return "\n".join(lines)


def _saved_json(saved: BackupSummary, file: Path, database: Database) -> dict[str, Any]:
    return {
        "store": database.location,
        "file": str(file),
        "schema": saved.schema,
        "rows": dict(saved.rows),
        "keys": list(saved.key_ids),
        "sealed_by": saved.sealed_by,
    }


def _report_text(report: Report) -> str:
    lines = [f"{report.location}: revision {report.schema or '-'}, latest {report.newest}"]
    if not report.decrypted:
        lines.append("No key is configured, so the secrets were not decrypted.")
    if report.rows:
        lines.append(table(("table", "rows"), [(name, str(rows)) for name, rows in report.rows.items()]))
    lines += [f"{_where(problem)}{problem.description}" for problem in report.problems]
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
        "store": report.location,
        "schema": report.schema,
        "newest": report.newest,
        "decrypted": report.decrypted,
        "rows": dict(report.rows),
        "problems": [
            {"table": each.table, "key": None if each.key is None else list(map(str, each.key)), "problem": each.description}
            for each in report.problems
        ],
    }
