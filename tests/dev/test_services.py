from __future__ import annotations

import os

import psycopg
import pytest
import redis

from dev.postgres_server import PostgresServer
from dev.processes import is_running
from dev.redis_server import ONCE, RedisServer
from dev.services import Services


@pytest.fixture
def postgres(tmp_path):
    made = PostgresServer(directory=tmp_path / "pg", is_durable=True, max_connections=20)
    yield made
    made.stop()


def test_embedded_services_start_answer_and_end(tmp_path):
    services = Services(directory=tmp_path, environment={}, is_durable=False, max_connections=20)
    found = services.start()
    pids = services.pids()

    with psycopg.connect(found["DATABASE_URL"]) as connection:
        assert connection.info.server_version >= 160000
        assert connection.execute("SHOW max_connections").fetchone() == ("20",)
    with redis.Redis.from_url(found["REDIS_URL"]) as client:
        assert client.ping() is True
    assert sorted(pids) == ["postgres", "redis"]

    services.stop()

    assert [is_running(pid) for pid in pids.values()] == [False, False]


def test_services_that_the_environment_names_are_not_started(tmp_path):
    named = {"DATABASE_URL": "postgresql://db.example/hub", "REDIS_URL": "redis://r.example/0"}
    services = Services(directory=tmp_path, environment=named, is_durable=True, max_connections=20)

    assert services.names() == ""
    assert services.start() == {}
    assert list(tmp_path.iterdir()) == []


def test_both_ask_for_a_password(postgres, tmp_path):
    url = postgres.start()
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(url.replace(url.split(":")[2].split("@")[0], "wrong"))

    server = RedisServer(directory=tmp_path / "redis")
    server.start()
    with (
        redis.Redis(host="127.0.0.1", port=server.port, retry=ONCE) as client,
        pytest.raises(redis.AuthenticationError),
    ):
        client.ping()
    server.stop()


def test_data_outlives_a_stop_and_a_run_is_durable(postgres):
    with psycopg.connect(postgres.start()) as connection:
        assert connection.execute("SHOW fsync").fetchone() == ("on",)
        connection.execute("CREATE TABLE kept AS SELECT 'a paid clip' AS line")
    postgres.stop()

    with psycopg.connect(postgres.start()) as connection:
        assert connection.execute("SELECT line FROM kept").fetchone() == ("a paid clip",)


def test_a_lock_file_whose_number_is_a_strangers_by_now_does_not_stop_the_start(postgres):
    postgres.start()
    postgres.stop()
    # As in a new container, where the numbers begin anew: ours is alive and no PostgreSQL.
    (postgres.data / "postmaster.pid").write_text(
        f"{os.getpid()}\n{postgres.data}\n1700000000\n5432\n\n127.0.0.1\n\nready\n"
    )

    with psycopg.connect(postgres.start()) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_an_unfinished_cluster_of_a_killed_first_start_is_made_anew(postgres):
    (postgres.directory / "data.new").mkdir(parents=True)
    (postgres.directory / "data.new" / "PG_VERSION").write_text("18\n")

    with psycopg.connect(postgres.start()) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
