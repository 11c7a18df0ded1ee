from django.urls import path

from creative_hub import views
from creative_hub.catalogue import Kind

app_name = "creative_hub"

urlpatterns = [
    path("", views.home, name="home"),
    path("image-studio", views.studio, {"kind": Kind.IMAGE}, name="image_studio"),
    path("image-studio/generate/", views.generate, {"kind": Kind.IMAGE}, name="image_generate"),
    path("image-studio/quote/", views.quote, {"kind": Kind.IMAGE}, name="image_quote"),
    path("video-studio", views.studio, {"kind": Kind.VIDEO}, name="video_studio"),
    path("video-studio/generate/", views.generate, {"kind": Kind.VIDEO}, name="video_generate"),
    path("video-studio/quote/", views.quote, {"kind": Kind.VIDEO}, name="video_quote"),
    path("video-studio/start-frame/", views.start_frame, name="start_frame"),
    path("video-studio/frames/", views.frame_picker, name="frame_picker"),
    path("poll/", views.poll, name="poll"),
    path("jobs/<uuid:generation_id>/cancel/", views.cancel, name="cancel"),
    path("jobs/<uuid:generation_id>/remove/", views.remove, name="remove"),
    path("jobs/<uuid:generation_id>/restore/", views.restore, name="restore"),
    path("jobs/<uuid:generation_id>/download/", views.download_set, name="download_set"),
    path("assets/<uuid:asset_id>", views.asset_detail, name="asset_detail"),
]
