"""Clips: check, measure, draw posters. Knows no table and no store.

A demuxer and decoders see the bytes, so they are kept on a short lead: one demuxer, one thread, no
file but the one given, bounded reads, bounded pictures, bounded work. Nothing here holds more of
a clip than one packet and the frames a decoder needs.
"""

from __future__ import annotations

import io
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, BinaryIO, Final

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import Colorspace
from av.video.stream import VideoStream
from PIL import Image, ImageStat

from assets import boxes, containers, imaging
from assets.errors import Reason, RejectedFile

MAX_CLIP_BYTES: Final = 512 * 2**20
MAX_CLIP_S: Final = 60
MAX_CLIP_SIDE: Final = 4096

# What browsers play in an MP4, by libav's names.
_CODECS: Final = frozenset({"h264", "hevc", "av1", "vp9"})
# How far packets may end before the duration that the file states. Writers round and count sound.
_MISSING_S: Final = 0.5
# A poster shows the first frame that is not blank within this time.
_POSTER_WITHIN_S: Final = 1.0
# Where a frame's darkest and lightest, or all its shades, lie this close, it shows nothing.
_BLACK: Final = 32
_BLANK_DEVIATION: Final = 3.0
# Work for the check of the end, in pixels: a minute of 1080p at 30 frames a second. A clip whose
# last keyframe lies further back than that has all its packets and is believed.
_MAX_END_PIXELS: Final = 1920 * 1080 * 1800
# What libav may read until it hands something over. A keyframe of 4096 x 4096 is a few MB; a packet
# that claims to be half the file would be taken into memory whole.
_MAX_READ_BYTES: Final = 24 * 2**20
_CHUNK_BYTES: Final = 2**18
_OPTIONS: Final = {
    # Off by default; said again, because a file that names another one must never be followed.
    "enable_drefs": "0",
    "use_absolute_path": "0",
    # For the decoders that measure a stream while the file is opened.
    "max_pixels": str(MAX_CLIP_SIDE**2),
    "threads": "1",
}
_TURN: Final = {
    90: Image.Transpose.ROTATE_90,
    180: Image.Transpose.ROTATE_180,
    270: Image.Transpose.ROTATE_270,
}
# AVColorSpace; what says nothing is, as in browsers, BT.709 from 720 lines on and BT.601 below.
_UNSPECIFIED_SPACES: Final = frozenset({0, 2, 3})
_HD_LINES: Final = 720


@dataclass(frozen=True, slots=True, kw_only=True)
class ExaminedClip:
    """A clip that plays. width, height: pixels as shown, i.e. turned as the file says.

    duration_s and fps are measured from the packets. codec: h264, hevc, av1 or vp9.
    thumbnails: posters as WebP files by nominal width; a narrower clip keeps its own width.
    """

    media_type: str
    width: int
    height: int
    duration_s: float
    fps: float
    codec: str
    thumbnails: dict[int, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measured:
    """What the packets say. Times in seconds; *_dts in the stream's units."""

    first_s: float
    end_s: float
    packets: int
    first_dts: int
    last_keyframe_dts: int  # the last one at least a second before the end, or the first
    packets_since_keyframe: int


def examine(*, file: BinaryIO) -> ExaminedClip:
    """Read every packet, measure the clip, draw its posters, decode its end.

    file: seekable, read in pieces. Raises RejectedFile; an OSError is the disk's.
    """
    size_bytes = file.seek(0, os.SEEK_END)
    if not size_bytes:
        raise RejectedFile(Reason.EMPTY, "The file is empty.")
    if size_bytes > MAX_CLIP_BYTES:
        raise imaging.too_large(MAX_CLIP_BYTES)
    file.seek(0)
    if containers.media_type_of(file.read(containers.HEAD_BYTES)) != containers.MP4:
        raise unknown_type()
    boxes.check(file=file, size_bytes=size_bytes)

    source = _Source(file)
    with _refusing(), _opened(source) as container:
        stream = _best_stream(container)
        measured = _measure(container, stream, source)
        frame = _poster_frame(_frames(container, stream, source, since_dts=measured.first_dts))
        width, height = _shown_size(frame, stream)
        thumbnails = {
            nominal: _poster(frame, width, height, nominal) for nominal in imaging.THUMBNAIL_WIDTHS
        }
        del frame  # it holds a place in the decoder's memory
        _check_end(container, stream, source, measured)
        duration_s = measured.end_s - measured.first_s
        return ExaminedClip(
            media_type=containers.MP4,
            width=width,
            height=height,
            duration_s=round(duration_s, 3),
            fps=round(measured.packets / duration_s, 3),
            codec=_codec_of(stream),
            thumbnails=thumbnails,
        )


def unknown_type() -> RejectedFile:
    return RejectedFile(Reason.UNKNOWN_TYPE, "This file is not an MP4 or MOV clip.")


class _Source:
    """What libav reads: the file in pieces, and only so much of it without a result."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._left = _MAX_READ_BYTES

    def read(self, size: int) -> bytes:
        data = self._file.read(min(size, _CHUNK_BYTES))
        self._left -= len(data)
        if self._left < 0:
            raise boxes.damaged()
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def renew(self) -> None:
        """A packet came: the next one may be as large again."""
        self._left = _MAX_READ_BYTES


@contextmanager
def _refusing() -> Iterator[None]:
    """Whatever libav says about the bytes is a refusal. What our own disk says passes through."""
    try:
        yield
    except av.FFmpegError as error:
        raise boxes.damaged() from error


@contextmanager
def _opened(source: _Source) -> Iterator[InputContainer]:
    try:
        container = av.open(
            source,
            "r",
            format="mov",
            options=_OPTIONS,
            metadata_errors="replace",
            buffer_size=_CHUNK_BYTES,
        )
    except ValueError as error:
        raise boxes.damaged() from error
    with container:
        yield container


def _best_stream(container: InputContainer) -> VideoStream:
    """The largest stream that browsers play, ready to decode. Raises RejectedFile."""
    videos = [
        one
        for one in container.streams.video
        if not one.disposition & (one.disposition.attached_pic | one.disposition.timed_thumbnails)
    ]
    if not videos:
        raise RejectedFile(Reason.NO_VIDEO, "This file has no picture track.")
    playable = [one for one in videos if _codec_of(one) in _CODECS]
    if not playable:
        raise RejectedFile(
            Reason.CODEC,
            f"The clip is coded as {_codec_of(videos[0])}, which browsers do not play. H.264, HEVC,"
            " AV1 and VP9 are taken.",
        )
    best = max(playable, key=lambda one: one.width * one.height)
    _check_sides(best.width, best.height)
    # More threads hold more frames and gain nothing where clips are examined side by side.
    best.codec_context.thread_count = 1
    best.codec_context.options = {"max_pixels": _OPTIONS["max_pixels"]}
    return best


def _codec_of(stream: VideoStream) -> str:
    # None where libav has no decoder, whatever the type says.
    context: Any = stream.codec_context
    return context.codec.canonical_name if context is not None else "an unknown codec"


def _check_sides(width: int, height: int) -> None:
    if max(width, height) > MAX_CLIP_SIDE:
        raise RejectedFile(
            Reason.SIDE_TOO_LONG,
            f"The clip is {width} × {height} px; each side may have at most {MAX_CLIP_SIDE} px.",
        )


def _measure(container: InputContainer, stream: VideoStream, source: _Source) -> _Measured:
    """Read all packets of all streams. Raises RejectedFile."""
    extents: dict[int, tuple[float, float]] = {}
    times: list[float] = []
    end_s = -math.inf
    keyframes: list[tuple[float, int, int]] = []  # seconds, dts, frames shown before it
    for packet in container.demux():
        source.renew()
        if packet.is_corrupt:
            raise boxes.damaged()
        if packet.pts is None:  # the last of each stream is empty
            continue
        begins_s = float(packet.pts * packet.time_base)
        ends_s = begins_s + float((packet.duration or 0) * packet.time_base)
        first, last = extents.get(packet.stream_index, (begins_s, ends_s))
        extents[packet.stream_index] = min(first, begins_s), max(last, ends_s)
        if packet.stream_index != stream.index:
            continue
        if packet.is_keyframe:
            dts = packet.pts if packet.dts is None else packet.dts
            keyframes.append((begins_s, dts, len(times)))
        # What an edit list leaves out is not shown; what is shown may need it to be decoded.
        if not packet.is_discard:
            times.append(begins_s)
            end_s = max(end_s, ends_s)
        if times and end_s - times[0] > 2 * MAX_CLIP_S:
            break  # long enough to be refused below
    if not times or not keyframes:
        raise boxes.damaged()
    first_s = min(times)
    _check_duration(end_s - first_s)
    _check_is_whole(container, stream, {n: end - start for n, (start, end) in extents.items()})
    early = [one for one in keyframes if one[0] <= end_s - 1]
    _, last_dts, before = early[-1] if early else keyframes[0]
    return _Measured(
        first_s=first_s,
        end_s=end_s,
        packets=len(times),
        first_dts=keyframes[0][1],
        last_keyframe_dts=last_dts,
        packets_since_keyframe=len(times) - before,
    )


def _check_duration(duration_s: float) -> None:
    if duration_s <= 0:
        raise RejectedFile(Reason.NO_LENGTH, "The clip has no length.")
    if duration_s > MAX_CLIP_S:
        shown = math.ceil(duration_s * 10) / 10
        raise RejectedFile(
            Reason.TOO_LONG,
            f"The clip is {shown:.1f} s long; at most {MAX_CLIP_S} s are taken.",
        )


def _check_is_whole(
    container: InputContainer, stream: VideoStream, lengths: dict[int, float]
) -> None:
    """The packets reach as far as the file says. lengths: seconds by stream, hidden ones too."""
    stated_s = float((stream.duration or 0) * (stream.time_base or Fraction()))
    whole_s = (container.duration or 0) / av.time_base
    if (
        stated_s > lengths[stream.index] + _MISSING_S
        or whole_s > max(lengths.values()) + _MISSING_S
    ):
        raise boxes.damaged()


def _frames(
    container: InputContainer, stream: VideoStream, source: _Source, *, since_dts: int
) -> Iterator[VideoFrame]:
    container.seek(since_dts, stream=stream)
    for packet in container.demux(stream):
        source.renew()
        yield from packet.decode()


def _poster_frame(frames: Iterator[VideoFrame]) -> VideoFrame:
    """The first frame that shows something within the first second, else the first."""
    first = next(frames, None)
    if first is None or first.is_corrupt:
        raise boxes.damaged()
    frame: VideoFrame | None = first
    while frame is not None and _time_of(frame) < _time_of(first) + _POSTER_WITHIN_S:
        if not _is_blank(frame):
            return frame
        frame = next(frames, None)
    return first


def _time_of(frame: VideoFrame) -> float:
    if frame.pts is None or frame.time_base is None:
        raise boxes.damaged()
    return float(frame.pts * frame.time_base)


def _is_blank(frame: VideoFrame) -> bool:
    small = frame.reformat(64, 64, "rgb24", interpolation="AREA", threads=1)
    shades = ImageStat.Stat(_image(small).convert("L"))
    return shades.extrema[0][1] < _BLACK or shades.stddev[0] < _BLANK_DEVIATION


def _image(frame: VideoFrame) -> Image.Image:
    return frame.to_image()  # type: ignore[no-any-return, no-untyped-call]


def _shown_size(frame: VideoFrame, stream: VideoStream) -> tuple[int, int]:
    """Pixels as a browser shows them: square, and turned."""
    width = round(frame.width * (stream.sample_aspect_ratio or Fraction(1)))
    shown = (frame.height, width) if frame.rotation % 180 else (width, frame.height)
    _check_sides(*shown)
    if min(shown) < 1:
        raise boxes.damaged()
    return shown


def _poster(frame: VideoFrame, width: int, height: int, nominal: int) -> bytes:
    scale = min(1.0, nominal / width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    lying = size[::-1] if frame.rotation % 180 else size
    space = frame.colorspace
    if space in _UNSPECIFIED_SPACES:
        space = Colorspace.ITU709 if frame.height >= _HD_LINES else Colorspace.ITU601
    small = frame.reformat(
        *lying,
        "rgb24",
        src_colorspace=space,
        dst_colorspace=space,
        interpolation="LANCZOS",
        threads=1,
    )
    picture = _image(small)
    turn = _TURN.get(frame.rotation % 360)
    if turn is not None:
        picture = picture.transpose(turn)
    out = io.BytesIO()
    picture.save(out, "WEBP", quality=80, method=4)
    return out.getvalue()


def _check_end(
    container: InputContainer, stream: VideoStream, source: _Source, measured: _Measured
) -> None:
    """Decode from a keyframe to the end. Raises RejectedFile when the last second is not there."""
    pixels = stream.width * stream.height * measured.packets_since_keyframe
    if pixels > _MAX_END_PIXELS:
        return
    count, last_s = 0, -math.inf
    for frame in _frames(container, stream, source, since_dts=measured.last_keyframe_dts):
        count += 1
        last_s = max(last_s, _time_of(frame))
    # Pictures that lead a keyframe lean on what comes before it and may be left out.
    if count * 2 < measured.packets_since_keyframe or last_s < measured.end_s - 1:
        raise boxes.damaged()
