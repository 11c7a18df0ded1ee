"""Where everything is mounted."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from wevion import health
from wevion.api import api

admin.site.site_header = "Wevion administration"
admin.site.site_title = "Wevion"
admin.site.index_title = "Workspaces, credits and jobs"

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="creative_hub:home")),
    path("livez", health.livez),
    path("readyz", health.readyz),
    path("creative-hub/", include("creative_hub.urls")),
    path("media/", include("assets.urls")),
    path("account/", include("workspaces.urls")),
    path("account/", include("allauth.account.urls")),
    path("api/v1/", api.urls),
    path("admin/", admin.site.urls),
]
