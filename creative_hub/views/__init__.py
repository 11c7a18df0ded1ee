"""The pages of the studios: authorise, parse, one service call, render."""

from creative_hub.views.cards import cancel, download_set, poll, remove, restore
from creative_hub.views.frames import frame_picker, start_frame
from creative_hub.views.pages import asset_detail, home, studio
from creative_hub.views.submitting import generate, quote

__all__ = [
    "asset_detail",
    "cancel",
    "download_set",
    "frame_picker",
    "generate",
    "home",
    "poll",
    "quote",
    "remove",
    "restore",
    "start_frame",
    "studio",
]
