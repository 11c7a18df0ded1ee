"""Generations in Django admin: read-mostly, with their provider jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin

from creative_hub.models import Generation, ProviderJob
from wevion.lib.admin import LookOnly

if TYPE_CHECKING:
    _Jobs = admin.TabularInline[ProviderJob, Generation]
else:
    _Jobs = admin.TabularInline


class ProviderJobInline(_Jobs):
    model = ProviderJob
    extra = 0
    can_delete = False
    # The result's link is signed: whoever has it has the file.
    fields = (
        "variant",
        "state",
        "attempt",
        "waits",
        "upstream_id",
        "external_id",
        "next_action_at",
        "deadline_at",
        "error_code",
        "raw_code",
        "raw_message",
        "request_id",
        "asset",
    )
    readonly_fields = fields
    show_change_link = False

    def has_add_permission(self, request: object, obj: object = None) -> bool:
        return False


@admin.register(Generation)
class GenerationAdmin(LookOnly[Generation]):
    list_display = (
        "created_at",
        "id",
        "workspace",
        "membership",
        "kind",
        "provider",
        "status",
        "error_code",
        "credits_estimated",
        "credits_charged",
    )
    list_select_related = ("workspace", "membership__user", "membership__workspace")
    list_filter = ("status", "kind", "provider", "is_sandbox")
    search_fields = ("=id", "membership__user__email", "workspace__slug", "jobs__upstream_id")
    ordering = ("-created_at",)
    inlines = (ProviderJobInline,)
