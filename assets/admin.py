"""The library in Django admin: to look at, never to change."""

from __future__ import annotations

import uuid
from contextlib import suppress

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from assets.models import Asset
from wevion.lib.admin import LookOnly


@admin.register(Asset)
class AssetAdmin(LookOnly[Asset]):
    list_display = [
        "id",
        "kind",
        "workspace",
        "creator",
        "source",
        "is_sandbox",
        "width",
        "height",
        "bytes",
        "created_at",
    ]
    list_select_related = ["workspace", "creator__user", "creator__workspace"]
    ordering = ["-created_at"]
    # Searched in get_search_results; named here because admin shows the box for it.
    search_fields = ["source_reference"]
    search_help_text = "An asset's id, or the beginning of its source reference."

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Asset], search_term: str
    ) -> tuple[QuerySet[Asset], bool]:
        """By what has an index: the id as a UUID, the reference by its beginning."""
        term = search_term.strip()
        if not term:
            return queryset, False
        wanted = Q(source_reference__startswith=term)
        with suppress(ValueError):  # not an id
            wanted |= Q(pk=uuid.UUID(term))
        return queryset.filter(wanted), False
