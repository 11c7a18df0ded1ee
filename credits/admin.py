"""Credits in Django admin: look, cap, price, top up. Nobody edits a balance by hand."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.forms.models import BaseInlineFormSet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html

from credits import ledger, services
from credits.models import Account, Entry, Hold, MemberAllowance, Price
from wevion.lib.admin import BoundedPaginator, LookOnly

# Django's classes take their type argument in the stubs only.
if TYPE_CHECKING:
    _AccountAdmin = admin.ModelAdmin[Account]
    _PriceAdmin = admin.ModelAdmin[Price]
    _Allowances = admin.TabularInline[MemberAllowance, Account]
    _FormSet = BaseInlineFormSet[MemberAllowance, Account, forms.ModelForm[MemberAllowance]]
else:
    _AccountAdmin = _PriceAdmin = admin.ModelAdmin
    _Allowances = admin.TabularInline
    _FormSet = BaseInlineFormSet


class TopUpForm(forms.Form):
    """The reference is made with the form, so that sending it twice is one top-up."""

    credits = forms.IntegerField(
        min_value=1, max_value=1_000_000_000, help_text="Whole credits; 1 credit = $0.001."
    )
    note = forms.CharField(max_length=200, help_text="Why; kept in the ledger.")
    reference = forms.CharField(max_length=60, widget=forms.HiddenInput)


class AllowanceFormSet(_FormSet):
    """Offers the workspace's own members only."""

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        field = form.fields["membership"]
        field.queryset = field.queryset.filter(workspace_id=self.instance.pk).select_related(
            "user", "workspace"
        )


class AllowanceInline(_Allowances):
    model = MemberAllowance
    formset = AllowanceFormSet
    extra = 1
    can_delete = False
    verbose_name = "member's monthly cap"
    verbose_name_plural = "members' monthly caps (empty: no cap)"


@admin.register(Account)
class AccountAdmin(_AccountAdmin):
    """Balances to look at, caps to set, and a top-up with its reason."""

    paginator = BoundedPaginator
    show_full_result_count = False
    list_display = ("workspace", "available", "held", "monthly_cap", "ledger_link")
    list_select_related = ("workspace",)
    search_fields = ("workspace__name", "workspace__slug")
    fields = ("workspace", "available", "held", "monthly_cap", "ledger_link")
    readonly_fields = ("workspace", "available", "held", "ledger_link")
    inlines = (AllowanceInline,)
    actions = ("top_up",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Account | None = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path(
                "<uuid:account_id>/ledger/", view(self.ledger_view), name="credits_account_ledger"
            ),
            path("<uuid:account_id>/top-up/", view(self.top_up_view), name="credits_account_topup"),
            *super().get_urls(),
        ]

    @admin.display(description="ledger")
    def ledger_link(self, account: Account) -> str:
        return format_html(
            '<a href="{}">Ledger</a> · <a href="{}">Top up</a>',
            reverse("admin:credits_account_ledger", args=[account.pk]),
            reverse("admin:credits_account_topup", args=[account.pk]),
        )

    @admin.action(description="Top up the selected account", permissions=["change"])
    def top_up(self, request: HttpRequest, accounts: Any) -> HttpResponse | None:
        chosen = list(accounts[:2])
        if len(chosen) != 1:
            self.message_user(request, "Choose one account to top up.", messages.WARNING)
            return None
        return HttpResponseRedirect(reverse("admin:credits_account_topup", args=[chosen[0].pk]))

    def top_up_view(self, request: HttpRequest, account_id: uuid.UUID) -> HttpResponse:
        """Ask for credits and a reason, then add them once."""
        account = self._account(request, account_id)
        if not self.has_change_permission(request, account):
            raise Http404
        form = TopUpForm(request.POST or None, initial={"reference": f"admin:{uuid.uuid4()}"})
        if form.is_valid():
            is_new = services.top_up(
                workspace_id=account.pk,
                amount=form.cleaned_data["credits"],
                reference=form.cleaned_data["reference"],
                note=form.cleaned_data["note"],
                actor_id=request.user.pk,
                now=timezone.now(),
            )
            said = "Added" if is_new else "This top-up was made before; not added again:"
            self.message_user(request, f"{said} {form.cleaned_data['credits']:,} credits.")
            return HttpResponseRedirect(reverse("admin:credits_account_ledger", args=[account_id]))
        return self._page(request, "top_up", account, title=f"Top up {account}", form=form)

    def ledger_view(self, request: HttpRequest, account_id: uuid.UUID) -> HttpResponse:
        """Every movement of the account's credits, newest first."""
        account = self._account(request, account_id)
        rows = ledger.movements(workspace_id=account.pk)
        return self._page(request, "ledger", account, title=f"Ledger of {account}", rows=rows)

    def save_model(self, request: HttpRequest, obj: Account, form: Any, change: bool) -> None:
        services.set_workspace_cap(workspace_id=obj.pk, cap=form.cleaned_data["monthly_cap"])

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        formset.save(commit=False)
        for allowance in (*(one for one, _ in formset.changed_objects), *formset.new_objects):
            services.set_member_cap(
                membership_id=allowance.membership_id, cap=allowance.monthly_cap
            )

    def _account(self, request: HttpRequest, account_id: uuid.UUID) -> Account:
        account = Account.objects.select_related("workspace").filter(pk=account_id).first()
        if account is None or not self.has_view_permission(request, account):
            raise Http404
        return account

    def _page(
        self, request: HttpRequest, name: str, account: Account, **context: Any
    ) -> HttpResponse:
        base = self.admin_site.each_context(request)
        base |= {"opts": self.opts, "account": account, **context}
        return render(request, f"admin/credits/account/{name}.html", base)


@admin.register(Entry)
class EntryAdmin(LookOnly[Entry]):
    list_display = ("created_at", "account", "kind", "amount", "balance_after", "reference", "note")
    list_select_related = ("account__workspace",)
    list_filter = ("kind",)
    search_fields = ("reference", "account__workspace__slug", "membership__user__email")
    ordering = ("-id",)


@admin.register(Hold)
class HoldAdmin(LookOnly[Hold]):
    list_display = (
        "created_at",
        "account",
        "membership",
        "state",
        "amount",
        "charged",
        "reference",
    )
    list_select_related = ("account__workspace", "membership__user", "membership__workspace")
    list_filter = ("state",)
    search_fields = ("reference", "account__workspace__slug", "membership__user__email")
    ordering = ("-id",)


@admin.register(Price)
class PriceAdmin(_PriceAdmin):
    """The dated price list. A price that was in force stays as it was: jobs point to it."""

    list_display = ("item", "unit", "list_price_usd", "credits", "effective_from")
    list_filter = ("item",)
    ordering = ("item", "-effective_from")

    def has_change_permission(self, request: HttpRequest, obj: Price | None = None) -> bool:
        return super().has_change_permission(request, obj) and not _is_past(obj)

    def has_delete_permission(self, request: HttpRequest, obj: Price | None = None) -> bool:
        return super().has_delete_permission(request, obj) and obj is not None and not _is_past(obj)

    def get_form(self, request: Any, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, form=PriceForm, **kwargs)


class PriceForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Price
        fields = ("item", "unit", "list_price_usd", "effective_from")

    def clean(self) -> Any:
        item, unit = self.cleaned_data.get("item"), self.cleaned_data.get("unit")
        known = dict(Price.objects.values_list("item", "unit"))
        if item not in known:
            raise forms.ValidationError({"item": f"The price list has {', '.join(sorted(known))}."})
        if unit != known[item]:
            raise forms.ValidationError({"unit": f"{item} is priced per {known[item]}."})
        return self.cleaned_data

    def clean_effective_from(self) -> Any:
        day = self.cleaned_data["effective_from"]
        if day <= timezone.now().date():
            raise forms.ValidationError(
                "A price holds from tomorrow at the earliest: what was ordered today keeps the"
                " price that was shown for it."
            )
        return day


def _is_past(price: Price | None) -> bool:
    return price is not None and price.effective_from <= timezone.now().date()
