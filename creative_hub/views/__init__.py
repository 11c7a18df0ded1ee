"""The pages of the studios: authorise, parse, one service call, render."""

from creative_hub.views.cards import cancel, download_set, poll, remove, restore
from creative_hub.views.pages import asset_detail, home, image_studio, video_studio
from creative_hub.views.submitting import generate, quote

__all__ = [
    "asset_detail",
    "cancel",
    "download_set",
    "generate",
    "home",
    "image_studio",
    "poll",
    "quote",
    "remove",
    "restore",
    "video_studio",
]
