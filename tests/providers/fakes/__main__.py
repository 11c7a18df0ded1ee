"""Start the stand-in for ModelArk by hand: python -m tests.providers.fakes [--port 8790]."""

import argparse
import sys

from tests.providers.fakes.ark import API_KEY, FakeArk
from tests.providers.fakes.faults import KINDS

HELP = """\
A stand-in for ModelArk listens on {origin}. Point the project at it (environment or .env):

  ARK_API_BASE={base}
  ARK_API_KEY={key}
  FETCH_ALLOWED_ORIGINS={origin}
  SANDBOX=0

Make the next two orders fail, or only those whose prompt contains a word:

  curl -d '{{"kind": "error", "status": 429, "code": "ServerOverloaded", "times": 2}}' \\
    {origin}/__control__/faults
  curl -d '{{"kind": "drop_after", "match": "boat"}}' {origin}/__control__/faults

or write [ark:hang_after], [ark:429] or [ark:drop_after*1] (first time only) into a prompt.
Kinds: {kinds}.

  curl {origin}/__control__/requests              what was asked
  curl -X POST {origin}/__control__/expire        let every link expire
  curl -X DELETE {origin}/__control__/faults      no more faults
  curl -X POST {origin}/__control__/reset         forget everything

Ctrl-C ends it.
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.providers.fakes")
    parser.add_argument("--port", type=int, default=8790)
    ark = FakeArk(port=parser.parse_args().port)
    kinds = ", ".join(sorted(KINDS))
    sys.stdout.write(HELP.format(origin=ark.origin, base=ark.base_url, key=API_KEY, kinds=kinds))
    sys.stdout.flush()
    ark.start()
    try:
        ark.stopping.wait()
    except KeyboardInterrupt:
        sys.stdout.write("\n")
    finally:
        ark.stop()


if __name__ == "__main__":
    main()
