"""People and teams in Django admin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.account.decorators import secure_admin_login
from allauth.account.models import EmailAddress
from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.contrib.auth.models import Group

from wevion.lib.admin import BoundedPaginator
from workspaces.models import Membership, User, Workspace

if TYPE_CHECKING:
    _WorkspaceAdmin = admin.ModelAdmin[Workspace]
    _Members = admin.TabularInline[Membership, Workspace]
else:
    _WorkspaceAdmin, _Members = admin.ModelAdmin, admin.TabularInline

# Rights are roles in a workspace, and an address stands on its user: one place for each.
admin.site.unregister(Group)
admin.site.unregister(EmailAddress)

# The admin's door is the product's own sign-in page, with its throttle.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]


class UserForm(AdminUserCreationForm):  # type: ignore[type-arg]
    class Meta:
        model = User
        fields = ("email",)


@admin.register(User)
class UserAdmin(DjangoUserAdmin):  # type: ignore[type-arg]
    paginator = BoundedPaginator
    show_full_result_count = False
    add_form = UserForm
    ordering = ("email",)
    list_display = ("email", "first_name", "last_name", "is_active", "is_staff")
    search_fields = ("email", "first_name", "last_name")
    fieldsets = (
        (None, {"fields": ("email", "password")}),
        ("Person", {"fields": ("first_name", "last_name")}),
        ("Rights", {"fields": ("is_active", "is_staff", "is_superuser")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "usable_password", "password1", "password2")}),)


class MembershipForm(forms.ModelForm):  # type: ignore[type-arg]
    """The person of a membership stays: its ledger and its generations are theirs."""

    class Meta:
        model = Membership
        fields = ("user", "role", "is_active")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["user"].disabled = self.instance.pk is not None


class MembershipInline(_Members):
    model = Membership
    form = MembershipForm
    extra = 1
    can_delete = False
    raw_id_fields = ("user",)


@admin.register(Workspace)
class WorkspaceAdmin(_WorkspaceAdmin):
    """Workspaces with their members; their caps are on the workspace's credit account."""

    paginator = BoundedPaginator
    show_full_result_count = False
    list_display = ("name", "slug", "timezone", "created_at")
    search_fields = ("name", "slug", "memberships__user__email")
    prepopulated_fields = {"slug": ("name",)}
    inlines = (MembershipInline,)

    def has_delete_permission(self, request: object, obj: object = None) -> bool:
        # Its ledger is permanent; members are switched off instead.
        return False
