"""Clips drawn when a test asks for them; no binary file stands in the repository."""

from __future__ import annotations

import struct
import tempfile
from fractions import Fraction
from functools import cache
from typing import Any

import av
from PIL import Image

from tests.assets import pictures

QUICK = {"libx264": {"preset": "ultrafast"}, "libx265": {"preset": "ultrafast"}}
QUIET = {"libx265": {"x265-params": "log-level=none"}, "libvpx-vp9": {"cpu-used": "8"}}


@cache
def clip(
    width: int = 320,
    height: int = 180,
    *,
    duration_s: float = 2,
    fps: int = 10,
    codec: str = "libx264",
    black_frames: int = 0,
    has_sound: bool = False,
    rotation: int = 0,
    sar: Fraction = Fraction(1),
    movflags: str = "faststart",
    container: str = "mp4",
    options: tuple[tuple[str, str], ...] = (),
) -> bytes:
    """A clip of `pictures.painted`, a little darker with each frame, behind frames of black."""
    # To a named file: for its index to come first, the file is read again at the end.
    with tempfile.NamedTemporaryFile(suffix=".mp4") as file:
        with av.open(file.name, "w", format=container, options={"movflags": movflags}) as out:
            chosen = {**QUICK.get(codec, {}), **QUIET.get(codec, {}), **dict(options)}
            stream: Any = out.add_stream(codec, rate=fps, options=chosen)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            stream.codec_context.thread_count = 1
            stream.sample_aspect_ratio = sar
            if rotation:
                stream.set_display_rotation(rotation)
            sound: Any = out.add_stream("aac", rate=48_000) if has_sound else None
            for index in range(round(duration_s * fps)):
                picture = pictures.painted(width, height).point(lambda v, i=index: max(0, v - i))
                if index < black_frames:
                    picture = Image.new("RGB", (width, height))
                frame = av.VideoFrame.from_image(picture)
                frame.pts, frame.time_base = index, Fraction(1, fps)
                out.mux(stream.encode(frame))
            out.mux(stream.encode())
            if sound is not None:
                _add_silence(out, sound, duration_s)
        file.seek(0)
        return file.read()


@cache
def large(*, size_bytes: int, duration_s: int, width: int = 640, height: int = 360) -> bytes:
    """A clip that plays and has about this size: the encoder fills each second up to its rate."""
    kbit_s = size_bytes * 8 // duration_s // 1000
    rate = f"nal-hrd=cbr:bitrate={kbit_s}:vbv-maxrate={kbit_s}:vbv-bufsize={kbit_s}:keyint=10"
    return clip(width, height, duration_s=duration_s, options=(("x264-params", rate),))


@cache
def sound(duration_s: float = 2) -> bytes:
    """An MP4 of silence without any picture."""
    with tempfile.NamedTemporaryFile(suffix=".mp4") as file:
        with av.open(file.name, "w") as out:
            _add_silence(out, out.add_stream("aac", rate=48_000), duration_s)
        file.seek(0)
        return file.read()


def box(kind: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def patched(data: bytes, table: bytes, offset: int, content: bytes) -> bytes:
    """The clip with bytes of its first table of that name replaced; offset: behind the name."""
    at = data.index(table) + len(table) + offset
    return data[:at] + content + data[at + len(content) :]


def with_box_cut(data: bytes, keep_bytes: int) -> bytes:
    """A clip whose index promises all frames, whose last box (mdat) really ends earlier."""
    at = data.index(b"mdat") - 4
    return data[:at] + box(b"mdat", data[at + 8 : at + 8 + keep_bytes])


def _add_silence(out: Any, stream: Any, duration_s: float) -> None:
    for index in range(round(duration_s * 48_000 / 1024)):
        frame = av.AudioFrame(format="fltp", layout="stereo", samples=1024)
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        frame.sample_rate, frame.pts, frame.time_base = 48_000, index * 1024, Fraction(1, 48_000)
        out.mux(stream.encode(frame))
    out.mux(stream.encode())
