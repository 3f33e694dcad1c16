"""A site whose databases are on a PostgreSQL server, as it is run: prepared, started within its walls, without the server for a while."""

from __future__ import annotations

import json

import httpx
import pytest

from tests.live.system import until
from tests.live.test_folder import Running, site, told

__all__ = ["site"]


@pytest.fixture
def served(site, cluster):
    """The site file with `[storage]`, and the database that it names: made, and empty."""
    name = "live"
    cluster.sql(f"CREATE DATABASE {name} OWNER blickschutz_owner")
    storage = f'[storage]\ndatabase = "postgresql://blickschutz@/{name}?host={cluster.folder}"\n\n'
    site.write_text(site.read_text(encoding="utf-8").replace("[site]\n", f"{storage}[site]\n"), encoding="utf-8")
    yield site, name
    cluster.sql(f"DROP DATABASE {name} WITH (FORCE)")


def entries(cluster, name):
    rows = cluster.sql("SELECT text FROM control.log ORDER BY number", database=name)
    return [json.loads(text)["event"] for (text,) in rows]


def knock(running):
    """The answer to somebody whom nobody knows: it reads accounts and is written into the log."""
    form = {"person": "nobody", "password": "something or other"}
    return httpx.post(f"http://127.0.0.1:{running.port}/sign-in", data=form, timeout=60).status_code


@pytest.mark.long
@pytest.mark.timeout(400)
def test_it_is_prepared_started_and_outlives_its_server(served, cluster, tmp_path):
    site, name = served
    refused = told("run", "--site", site)
    assert refused.returncode == 1
    assert "blickschutz database prepare" in refused.stderr
    assert "Traceback" not in refused.stderr
    for _ in range(2):
        prepared = told("database", "prepare", "--site", site, "--owner", "blickschutz_owner")
        assert prepared.returncode == 0, prepared.stderr
    same = told("database", "prepare", "--site", site, "--owner", "blickschutz")
    assert same.returncode == 1

    running = Running(site)
    try:
        until(lambda: "system-started" in entries(cluster, name), 60)
        refusal = knock(running)
        assert refusal != 503
        assert told("users", "invite", "--site", site, "dsb").returncode == 0
        cluster.stop()
        try:
            assert knock(running) == 503
            # What needs no row is there, and cells go on.
            assert httpx.get(f"http://127.0.0.1:{running.port}/sign-in", timeout=60).status_code == 200
            assert running.process.poll() is None
        finally:
            cluster.start()
        until(lambda: knock(running) == refusal, 60)
    finally:
        running.end()
    told_of = entries(cluster, name)
    assert "system-started" in told_of
    assert told_of[-1] == "system-ended", "what was written after the server was back is there"
    assert sorted(path.name for path in (tmp_path / "daten").glob("*.db*")) == []
    assert told("check", "--site", site, "--json").returncode in {0, 1, 3}
    for person in ("aufsicht", "dsb"):
        assert told("users", "recovery", "--site", site, person).returncode == 0
    made = told("backup", tmp_path / "a.backup", "--site", site)
    assert made.returncode == 0, made.stderr
    tried = told("restore", tmp_path / "a.backup", "--try", "--site", site)
    assert tried.returncode == 0, tried.stderr
    assert entries(cluster, name)[-2:] == ["backup-made", "restore-tried"]

    # A server that was made anew is not taken for a first start: the witness in the data folder knows more.
    cluster.sql(f"DROP DATABASE {name} WITH (FORCE)", f"CREATE DATABASE {name} OWNER blickschutz_owner")
    assert told("database", "prepare", "--site", site, "--owner", "blickschutz_owner").returncode == 0
    assert "database-missing" in told("accept-loss", "--site", site).stdout
