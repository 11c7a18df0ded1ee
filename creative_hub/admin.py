"""Generations in Django admin: read-mostly, with their provider jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin

from creative_hub import catalogue, registry
from creative_hub.models import Generation, ProviderJob, ProviderSwitch
from wevion.lib.admin import LookOnly

if TYPE_CHECKING:
    _Jobs = admin.TabularInline[ProviderJob, Generation]
    _SwitchAdmin = admin.ModelAdmin[ProviderSwitch]
else:
    _Jobs = admin.TabularInline
    _SwitchAdmin = admin.ModelAdmin


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
        "sent_at",
        "looks",
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


@admin.register(ProviderJob)
class ProviderJobAdmin(LookOnly[ProviderJob]):
    """The upstream calls themselves: what is unknown, and what the provider said of it."""

    list_display = (
        "external_id",
        "provider",
        "state",
        "sent_at",
        "looks",
        "next_action_at",
        "deadline_at",
        "raw_code",
        "raw_message",
    )
    list_filter = ("state", "provider", "is_sandbox")
    search_fields = ("=external_id", "=upstream_id", "=generation__id")
    list_select_related = ("generation",)
    ordering = ("-id",)
    # The result's link is signed: whoever has it has the file.
    exclude = ("result_url",)


@admin.register(ProviderSwitch)
class ProviderSwitchAdmin(_SwitchAdmin):
    """Open, draining, closed; places at the provider; and what an operator has to mend."""

    list_display = ("label", "mode", "slots", "served_by", "needs_you", "problem_at")
    list_display_links = ("label",)
    list_editable = ("mode", "slots")
    fields = (
        "provider",
        "mode",
        "slots",
        "served_by",
        "needs_you",
        "problem_message",
        "problem_at",
    )
    readonly_fields = (
        "provider",
        "served_by",
        "needs_you",
        "problem_message",
        "problem_at",
    )

    def formfield_for_dbfield(self, db_field: Any, request: Any, **options: Any) -> Any:
        if db_field.name == "slots":
            options["min_value"] = 1
        return super().formfield_for_dbfield(db_field, request, **options)

    @admin.display(description="provider")
    def label(self, switch: ProviderSwitch) -> str:
        return catalogue.provider_label(switch.provider)

    @admin.display(description="served by")
    def served_by(self, switch: ProviderSwitch) -> str:
        served = registry.availability(provider=switch.provider)
        if served.is_sandbox:
            return "the sandbox: its keys are not set"
        return "the provider" if served.is_available else served.hint

    @admin.display(description="needs you")
    def needs_you(self, switch: ProviderSwitch) -> str:
        if not switch.problem:
            return ""
        return registry.remedy(provider=switch.provider, error_class=switch.problem)

    def has_add_permission(self, request: object) -> bool:
        return False

    def has_delete_permission(self, request: object, obj: object = None) -> bool:
        return False
