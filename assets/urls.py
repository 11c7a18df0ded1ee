"""Media addresses, mounted at /media/."""

from __future__ import annotations

from django.urls import path

from assets import views

app_name = "assets"
urlpatterns = [
    path("<uuid:asset_id>", views.original, name="original"),
    path("<uuid:asset_id>/<int:width>", views.thumbnail, name="thumbnail"),
    path("<uuid:asset_id>/download", views.download, name="download"),
]
