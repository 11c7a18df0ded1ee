"""Where everything is mounted."""

from allauth.account import urls as allauth_urls
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from wevion import health, shell
from wevion.api import api

admin.site.site_header = "Wevion administration"
admin.site.site_title = "Wevion"
admin.site.index_title = "Workspaces, credits and jobs"

# Of allauth's pages only those of signing in: addresses are changed by administrators.
SIGN_IN = [
    page
    for page in allauth_urls.urlpatterns
    if page.name and not page.name.startswith(("account_email", "account_confirm_email"))
]

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="creative_hub:home")),
    path("favicon.ico", shell.favicon),
    path("livez", health.livez),
    path("readyz", health.readyz),
    path("creative-hub/", include("creative_hub.urls")),
    path("media/", include("assets.urls")),
    path("account/", include("workspaces.urls")),
    path("account/", include(SIGN_IN)),
    path("api/v1/", api.urls),
    path("admin/", admin.site.urls),
]
