from django.urls import path

from creative_hub import views

app_name = "creative_hub"

urlpatterns = [
    path("", views.home, name="home"),
    path("image-studio", views.image_studio, name="image_studio"),
    path("image-studio/generate/", views.generate, name="image_generate"),
    path("image-studio/quote/", views.quote, name="image_quote"),
    path("video-studio", views.video_studio, name="video_studio"),
    path("poll/", views.poll, name="poll"),
    path("jobs/<uuid:generation_id>/cancel/", views.cancel, name="cancel"),
    path("jobs/<uuid:generation_id>/remove/", views.remove, name="remove"),
    path("jobs/<uuid:generation_id>/restore/", views.restore, name="restore"),
    path("jobs/<uuid:generation_id>/download/", views.download_set, name="download_set"),
    path("assets/<uuid:asset_id>", views.asset_detail, name="asset_detail"),
]
