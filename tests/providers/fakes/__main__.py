"""Start the stand-ins for all providers by hand: `make fakes`, which prints how to use them.

`make fakes ARGS="--port 9000 --render-s 20"`; see `--help`. Ctrl-C ends them.
"""

import argparse
import signal
import sys
import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path

from tests.providers.fakes import ark_answers, faults, kling_faults, vertex_faults, vertex_rules
from tests.providers.fakes.ark import FakeArk
from tests.providers.fakes.kling import FakeKling
from tests.providers.fakes.vertex import FakeVertex

HELP = """\
Stand-ins for ModelArk, Kling and Vertex AI listen. Point the project at them, by .env or by the
environment of `make run`:

ARK_API_BASE={ark.base_url}
ARK_API_KEY={ark.api_key}
KLING_API_BASE={kling.base_url}
KLING_ACCESS_KEY={kling.access_key}
KLING_SECRET_KEY={kling.secret_key}
VEO_API_BASE={vertex.origin}
VEO_PROJECT={project}
VEO_CREDENTIALS={credentials}
VEO_STORAGE_URI=gs://{bucket}/clips
VEO_STORAGE_API_BASE={vertex.origin}
FETCH_ALLOWED_ORIGINS={ark.origin},{kling.origin}
SANDBOX=0

Without VEO_STORAGE_URI, Veo's clips come inside the answers, and a lost one cannot be looked up.

Make the next two orders fail, or only those whose prompt contains a word:

  curl -d '{{"kind": "error", "status": 429, "code": "QuotaExceeded", "where": "create", \
"times": 2}}' {ark.origin}/__control__/faults
  curl -d '{{"kind": "error", "code": 1303, "times": 2}}' {kling.origin}/__control__/faults
  curl -d '{{"kind": "drop_after", "match": "boat"}}' {vertex.origin}/__control__/faults

or write it into a prompt, with *1 for the first time only: [ark:drop_after*1] [kling:1303*2]
[kling:fail_risk] [vertex:filtered] [vertex:poll_503*2].

ModelArk  where: {ark_places}
          (image unless told; create is a clip)
          {ark_kinds}
Kling     where: {kling_places} (create unless told)
          {kling_kinds}
Vertex    where: {vertex_places} (create unless told)
          {vertex_kinds}

  curl ORIGIN/__control__/requests             what was asked
  curl -X DELETE ORIGIN/__control__/faults     no more faults
  curl -X POST ORIGIN/__control__/expire       let every link expire (not Vertex)
  curl -X POST ORIGIN/__control__/reset        forget everything, times to render included
  curl -d '{{"queue_s": 5, "render_s": 20, "slots": 2}}' {kling.origin}/__control__/settings

Ctrl-C ends them.
"""


def main() -> None:
    given = _parser().parse_args()
    # SIGTERM as well, and from the start: what is written below is removed in any case.
    is_over = threading.Event()
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, lambda *_: is_over.set())
    with ExitStack() as stack:
        ports = [given.port + step if given.port else 0 for step in range(3)]
        ark = stack.enter_context(FakeArk.running(port=ports[0]))
        kling = stack.enter_context(FakeKling.running(port=ports[1]))
        vertex = stack.enter_context(FakeVertex.running(port=ports[2]))
        ark.queue_s, ark.render_s = given.queue_s, given.render_s
        kling.set(queue_s=given.queue_s, render_s=given.render_s)
        vertex.render_s = given.queue_s + given.render_s
        if given.credentials is None:
            directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="wevion-fakes-"))
            given.credentials = Path(directory) / "veo.json"
        vertex.write_credentials(given.credentials)
        sys.stdout.write(_help(ark, kling, vertex, given.credentials.resolve()))
        sys.stdout.flush()
        is_over.wait()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.providers.fakes")
    parser.add_argument(
        "--port",
        type=int,
        default=8790,
        help="of ModelArk; Kling and Vertex take the next two. 0: any free ones (8790)",
    )
    parser.add_argument(
        "--credentials",
        type=Path,
        help="where to write the service account's key file (a place that is removed at the end)",
    )
    parser.add_argument("--queue-s", type=float, default=0.0, help="seconds until a clip begins")
    parser.add_argument("--render-s", type=float, default=0.0, help="seconds a clip takes then")
    return parser


def _help(ark: FakeArk, kling: FakeKling, vertex: FakeVertex, credentials: Path) -> str:
    def listed(names: set[str]) -> str:
        return ", ".join(sorted(names))

    return HELP.format(
        ark=ark,
        kling=kling,
        vertex=vertex,
        credentials=credentials,
        project=vertex_rules.PROJECT,
        bucket=vertex_rules.BUCKET,
        ark_places=listed(ark_answers.WHERE),
        ark_kinds=listed(faults.KINDS | ark_answers.CREATE_ONLY),
        kling_places=listed(kling_faults.WHERE),
        kling_kinds=listed(kling_faults.KINDS),
        vertex_places=listed(set(vertex_faults.PLACES)),
        vertex_kinds=listed(vertex_faults.BEFORE | vertex_faults.AFTER | vertex_faults.ENDINGS)
        + ", rpc_<number of google.rpc.Code>",
    )


if __name__ == "__main__":
    main()
