"""What takes a while to find out of a Django project: for `easyserve check`.

Django's own checks, and what the databases say. All of it is read; a database
of SQLite that does not exist is not made.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Any, Dict, List, Optional

import easyserve_inspection as inspection
from easyserve_django_deployment import database_path, is_sqlite

# A database that answers at all does so in less.
CONNECT_SECONDS = 3
LONGEST_SECONDS = 20.0
UNANSWERED = f"it gave no answer within {LONGEST_SECONDS:.0f} seconds."

# psycopg and mysqlclient take the same name for it; others go by the deadline
# alone.
CONNECT_OPTIONS = {
    "postgresql": {"connect_timeout": CONNECT_SECONDS},
    "mysql": {"connect_timeout": CONNECT_SECONDS},
}

# What is reserved is nobody else's (PostgreSQL manual, "Connections and
# Authentication"; reserved_connections came with 16); -1 is no limit
# (pg_roles, pg_database).
POSTGRESQL_LIMITS = """
    SELECT current_setting('max_connections')::int
             - current_setting('superuser_reserved_connections')::int
             - coalesce(current_setting('reserved_connections', true), '0')::int,
           (SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user),
           (SELECT datconnlimit FROM pg_database
             WHERE datname = current_database())
"""
# max_user_connections is 0 where only the other limit holds (MySQL manual).
MYSQL_LIMITS = "SELECT @@max_connections, @@max_user_connections"


def examine(settings: Any) -> Dict[str, Any]:
    """Return Examination (src/contracts/deployment-facts.ts).

    In threads with a deadline: a check of the project's own, or a database
    behind a firewall that drops packets, may take for ever.
    """
    found: Dict[str, Any] = {"messages": [], "isComplete": False}
    asked: List[Dict[str, Any]] = []
    tasks = [threading.Thread(target=check, args=(found,), daemon=True)]
    for alias, database in settings.DATABASES.items():
        if not has_engine(database):
            continue
        facts = {"alias": alias, "unapplied": [], "failure": UNANSWERED}
        asked.append(facts)
        task = threading.Thread(
            target=examine_database, args=(facts, database), daemon=True
        )
        tasks.append(task)
    deadline = time.monotonic() + LONGEST_SECONDS
    for task in tasks:
        task.start()
    for task in tasks:
        task.join(max(0.0, deadline - time.monotonic()))
    return {**found, "databases": [dict(facts) for facts in asked]}


def has_engine(database: Dict[str, Any]) -> bool:
    """Return whether there is anything to ask."""
    engine = str(database.get("ENGINE") or "")
    return engine != "" and not engine.endswith(".dummy")


def check(found: Dict[str, Any]) -> None:
    """Fill in what Django's own checks say."""
    try:
        found["messages"] = run_checks()
    except (Exception, SystemExit) as error:
        found["failure"] = inspection.summarise(error)
    found["isComplete"] = True


def run_checks() -> List[Dict[str, Any]]:
    """Return what `manage.py check --deploy` would say, notes too."""
    from django.core import checks

    messages = checks.run_checks(include_deployment_checks=True)
    # Django keeps its checks in a set.
    messages.sort(key=lambda message: (message.id or "", str(message.msg)))
    return [
        {
            "id": message.id or "",
            "level": message.level,
            "message": describe_message(message),
            "hint": message.hint and one_line(str(message.hint)),
        }
        for message in messages
        if not message.is_silenced()
    ]


def describe_message(message: Any) -> str:
    """Return it in one line, with what it is about."""
    text = one_line(str(message.msg))
    about = message.obj
    if about is None or isinstance(about, str):
        return f"{about}: {text}" if about else text
    meta = getattr(about, "_meta", None)
    label = getattr(meta, "label", None) or str(about)
    return f"{one_line(label)}: {text}"


def one_line(text: str) -> str:
    """Return the text with its line breaks as spaces."""
    return " ".join(text.split())


def examine_database(facts: Dict[str, Any], database: Dict[str, Any]) -> None:
    """Fill in what one database says of itself, and why it says nothing."""
    failure = None
    alias = facts["alias"]
    try:
        connection = connect(alias, database)
        facts["unapplied"] = list_unapplied(alias, connection)
        if connection is not None:
            facts["maxConnections"] = count_connections(connection)
            connection.close()
            try_pool(alias)
    except Exception as error:
        failure = inspection.summarise(error)
    facts["failure"] = failure


def try_pool(alias: str) -> None:
    """Make the project's own pool, which connects to nothing yet.

    Django finds only then that psycopg's pool is not installed, or that
    CONN_MAX_AGE is set beside it: every page with a query would fail.
    """
    from django.db import connections

    getattr(connections[alias], "pool", None)


def connect(alias: str, database: Dict[str, Any]) -> Any:
    """Return a connection of our own; None where SQLite has no file yet.

    The project's would be kept open, wait as long as it likes, and make the
    file of SQLite, or turn it to a write-ahead log.
    """
    from django.db import connections

    backend = type(connections[alias])
    own = {**database, "CONN_MAX_AGE": 0}
    options = dict(database.get("OPTIONS") or {})
    options.pop("pool", None)
    if is_sqlite(str(database["ENGINE"])):
        path = database_path(str(database.get("NAME") or ""))
        if ":memory:" in str(database.get("NAME")) or not os.path.exists(path):
            return None
        own["NAME"] = f"{Path(path).as_uri()}?mode=ro"
        options.pop("init_command", None)
    options.update(CONNECT_OPTIONS.get(backend.vendor, {}))
    own["OPTIONS"] = options
    return backend(own, alias)


def list_unapplied(alias: str, connection: Any) -> List[str]:
    """Return the migrations that the database has not had: `app.name`.

    Of a database beside the first one, which often is a copy or somebody
    else's, only where it has had any.
    """
    from django.db import DEFAULT_DB_ALIAS
    from django.db.migrations.executor import MigrationExecutor
    from django.db.migrations.loader import MigrationLoader

    if connection is None:
        if alias != DEFAULT_DB_ALIAS:
            return []
        graph = MigrationLoader(None, ignore_no_migrations=True).graph
        return sorted(f"{app}.{name}" for app, name in graph.nodes)
    executor = MigrationExecutor(connection)
    applied = executor.loader.applied_migrations
    if alias != DEFAULT_DB_ALIAS and not applied:
        return []
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return sorted(f"{each.app_label}.{each.name}" for each, _ in plan)


def count_connections(connection: Any) -> Optional[int]:
    """Return how many connections the site may have; None: nobody says."""
    queries = {"postgresql": POSTGRESQL_LIMITS, "mysql": MYSQL_LIMITS}
    query = queries.get(connection.vendor)
    if query is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute(query)
        limits = [int(limit) for limit in cursor.fetchone() if limit]
    return min((limit for limit in limits if limit > 0), default=None)
