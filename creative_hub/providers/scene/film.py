"""Films a picture: an H.264 MP4 for the sandbox's clips.

The picture is turned into luma and chroma planes once; each frame is cut from those planes and
handed to the encoder as it is, so that neither colours nor sizes are converted frame by frame.
"""

from __future__ import annotations

import io
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from typing import BinaryIO

import av
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from PIL import Image, ImageChops, ImageOps

from creative_hub.providers.scene import SOFTWARE, paint
from creative_hub.providers.scene.motion import OVERSCAN, Box, Camera

FPS = 24
# One, as the number of threads is part of what x264 makes of a clip; the next frame is cut in a
# thread of its own meanwhile, which takes about as long.
ENCODER_THREADS = 1
COPY_BYTES = 1 << 20
# The radius of a blur that takes the grain and leaves the lines.
GRAIN_PIXELS = 0.7
_ENCODER = {
    "preset": "veryfast",
    "crf": "22",
    "profile": "high",
    # A keyframe every second, so that a player can jump anywhere at once; no B-frames, so that
    # the first frame is shown at 0 without an edit list.
    "g": str(FPS),
    "keyint_min": str(FPS),
    "sc_threshold": "0",
    "bf": "0",
    # All frames are much alike: looking ahead costs a tenth of the time and saves little.
    "rc-lookahead": "0",
    # Else a slow move stands still for a frame after each keyframe, as if it stuttered.
    "x264-params": "fast-pskip=0:no-dct-decimate=1",
    # Spends more on dark gradients, where bands would show.
    "aq-mode": "3",
}
# RGB to Y'CbCr as ITU-R BT.709 has it, in the narrow range (16..235 and 16..240).
_BT709 = (
    0.18259, 0.61423, 0.06201, 16.0,
    -0.10064, -0.33857, 0.43922, 128.0,
    0.43922, -0.39894, -0.04027, 128.0,
)  # fmt: skip

Planes = tuple[Image.Image, Image.Image, Image.Image]


def overscan(width: int, height: int) -> tuple[int, int]:
    """The size of the picture to film for a clip of width x height pixels; both even."""
    return 2 * round(width * OVERSCAN / 2), 2 * round(height * OVERSCAN / 2)


def without_grain(picture: Image.Image) -> Image.Image:
    """A drawn picture made ready: grain that moves with the scene looks like dirt on it."""
    return paint.blurred(picture, GRAIN_PIXELS)


def read_frame(content: bytes, *, width: int, height: int) -> Image.Image:
    """A start frame, ready to be filmed at width x height. Raises OSError if it is no picture."""
    with Image.open(io.BytesIO(content)) as picture:
        return ImageOps.fit(
            picture.convert("RGB"), overscan(width, height), Image.Resampling.LANCZOS
        )


def write_clip(
    picture: Image.Image,
    *,
    camera: Camera,
    width: int,
    height: int,
    duration_s: int,
    file: BinaryIO,
) -> None:
    """Write a silent MP4 of exactly this size and length, its index in front, to `file`.

    picture: RGB, of `overscan` size. The same arguments give the same bytes. Nothing but SOFTWARE
    is said in its metadata. Two frames are held at a time.
    """
    if width % 2 or height % 2:
        raise ValueError("H.264 with half-size chroma needs even sides")
    frames = _frames(picture, camera=camera, width=width, height=height, count=duration_s * FPS)
    # To a named file: for its index to come first, the file is read again at the end.
    with tempfile.NamedTemporaryFile(suffix=".mp4") as made:
        with av.open(made.name, "w", options={"movflags": "faststart"}) as container:
            container.metadata.update(title=SOFTWARE, comment=SOFTWARE, encoding_tool=SOFTWARE)
            stream = container.add_stream("libx264", rate=FPS, options=_ENCODER)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            stream.time_base = Fraction(1, FPS)
            stream.codec_context.thread_count = ENCODER_THREADS
            stream.codec_context.color_primaries = ColorPrimaries.BT709
            stream.codec_context.color_trc = ColorTrc.BT709
            stream.codec_context.colorspace = Colorspace.ITU709
            stream.codec_context.color_range = ColorRange.MPEG
            for frame in _one_ahead(frames):
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
        shutil.copyfileobj(made, file, COPY_BYTES)


def _one_ahead(frames: Iterator[av.VideoFrame]) -> Iterator[av.VideoFrame]:
    """The same frames, the next one made while the caller works on this one.

    Pillow and x264 both let go of the interpreter while they work.
    """
    with ThreadPoolExecutor(max_workers=1) as pool:
        coming = pool.submit(next, frames, None)
        while (frame := coming.result()) is not None:
            coming = pool.submit(next, frames, None)
            yield frame


def _frames(
    picture: Image.Image, *, camera: Camera, width: int, height: int, count: int
) -> Iterator[av.VideoFrame]:
    luma, *chroma = _planes(picture)
    shade = _shade(width, height, side=camera.shade_from)
    for index in range(count):
        t = index / max(1, count - 1)
        left, top, right, bottom = camera.box(t=t, size=luma.size)
        seen = _seen(luma, (left, top, right, bottom), (width, height), sharp=True)
        seen = ImageChops.multiply(seen, _shade_at(shade, t, width, side=camera.shade_from))
        half_box = (left / 2, top / 2, right / 2, bottom / 2)
        halves = (_seen(plane, half_box, (width // 2, height // 2)) for plane in chroma)
        frame = av.VideoFrame(width, height, "yuv420p")
        frame.pts, frame.time_base = index, Fraction(1, FPS)
        for plane, content in zip(frame.planes, (seen, *halves), strict=True):
            # The raw encoder pads each row to the length that the frame wants.
            plane.update(content.tobytes("raw", ("L", plane.line_size, 1)))
        yield frame


def _planes(picture: Image.Image) -> Planes:
    luma, blue, red = picture.convert("RGB", _BT709).split()
    return luma, blue.reduce(2), red.reduce(2)


def _seen(plane: Image.Image, box: Box, size: paint.Size, *, sharp: bool = False) -> Image.Image:
    """A part of a plane, cut between pixels: whole pixels would make a slow move tremble."""
    # Bilinear would blur and sharpen fine lines in turn as they pass between pixels. Nobody sees
    # that in colours, and it is faster.
    resample = Image.Resampling.BICUBIC if sharp else Image.Resampling.BILINEAR
    return plane.resize(size, resample, box=box)


def _shade(width: int, height: int, *, side: int) -> Image.Image:
    """A faint shade, twice as wide as the frame: none in one half, growing through the other."""
    row = [255 - 26 * paint.smoothstep(0.5, 1.0, x / 511) for x in range(512)]
    shade = Image.frombytes("L", (512, 1), bytes(round(v) for v in row[::side]))
    return shade.resize((2 * width, height), Image.Resampling.BICUBIC)


def _shade_at(shade: Image.Image, t: float, width: int, *, side: int) -> Image.Image:
    """The shade over one frame; at the start there is none, and then it drifts in from a side."""
    # Whole pixels will do: it has no edge that could be seen to tremble.
    left = round(width * 0.7 * t) if side > 0 else round(width * (1 - 0.7 * t))
    return shade.crop((left, 0, left + width, shade.height))
