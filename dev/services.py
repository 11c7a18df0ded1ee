"""The services a stack leans on: those that the environment names, else embedded ones."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dev.postgres_server import PostgresServer
from dev.redis_server import RedisServer


class Services:
    """Start what `environment` does not name; `stop` ends only what was started here."""

    def __init__(
        self,
        *,
        directory: Path,
        environment: Mapping[str, str],
        is_durable: bool,
        max_connections: int,
    ) -> None:
        self._postgres: PostgresServer | None = None
        self._redis: RedisServer | None = None
        if not environment.get("DATABASE_URL"):
            self._postgres = PostgresServer(
                directory=directory / "postgres",
                is_durable=is_durable,
                max_connections=max_connections,
            )
        if not environment.get("REDIS_URL"):
            self._redis = RedisServer(directory=directory / "redis")

    def names(self) -> str:
        """What `start` starts, for a progress line; empty for nothing."""
        parts = (("PostgreSQL", self._postgres), ("Redis", self._redis))
        return " and ".join(name for name, server in parts if server is not None)

    def start(self) -> dict[str, str]:
        """The variables that lead to what was started. Stops everything again if one fails."""
        found: dict[str, str] = {}
        try:
            if self._postgres:
                found["DATABASE_URL"] = self._postgres.start()
            if self._redis:
                found["REDIS_URL"] = self._redis.start()
        except BaseException:
            self.stop()
            raise
        return found

    def ended(self) -> str | None:
        """The service that ended by itself, if one did."""
        parts = (("PostgreSQL", self._postgres), ("Redis", self._redis))
        return next((name for name, server in parts if server and server.has_ended()), None)

    def pids(self) -> dict[str, int]:
        servers = (("postgres", self._postgres), ("redis", self._redis))
        return {name: server.pid for name, server in servers if server and server.pid}

    def stop(self) -> None:
        """Redis first, then PostgreSQL: nobody who uses them runs any more. Safe to repeat."""
        try:
            if self._redis:
                self._redis.stop()
        finally:
            if self._postgres:
                self._postgres.stop()
