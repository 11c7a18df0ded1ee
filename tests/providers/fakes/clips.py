"""Clips as a provider would deliver them, made once per size and length."""

import tempfile
from fractions import Fraction
from functools import lru_cache

import av
from PIL import Image

FPS = 6


@lru_cache(maxsize=64)
def mp4(*, width: int, height: int, duration_s: int, colour: tuple[int, int, int]) -> bytes:
    """An H.264 clip of exactly this size and length, its index in front (faststart)."""
    # To a named file: for its index to come first, the file is read again at the end.
    with (
        tempfile.NamedTemporaryFile(suffix=".mp4") as file,
        av.open(file.name, "w", options={"movflags": "faststart"}) as container,
    ):
        stream = container.add_stream("libx264", rate=FPS, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.time_base = Fraction(1, FPS)
        for index in range(duration_s * FPS):
            shade = tuple(min(255, part + 4 * index) for part in colour)
            frame = av.VideoFrame.from_image(Image.new("RGB", (width, height), shade))
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        container.close()
        return file.read()
