"""What the admin pages of several apps share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

M = TypeVar("M", bound=Model)

# Django's classes take their type argument in the stubs only.
if TYPE_CHECKING:
    _Paginator = Paginator[Any]

    class _ModelAdmin(admin.ModelAdmin[M]): ...
else:
    _Paginator = Paginator

    class _ModelAdmin(admin.ModelAdmin, Generic[M]): ...


class BoundedPaginator(_Paginator):
    """Counts no further than an admin pages; a COUNT(*) over millions of rows takes seconds."""

    MOST = 10_000

    @cached_property
    def count(self) -> int:
        rows = self.object_list
        return rows[: self.MOST].count() if isinstance(rows, QuerySet) else len(rows)


class LookOnly(_ModelAdmin[M]):
    """A list and a page to look at, also for superusers: nothing is added, changed or deleted."""

    paginator = BoundedPaginator
    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
