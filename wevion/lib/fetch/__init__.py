"""The guarded fetcher: bring a file from an address we did not choose, and nothing else.

Used for start frames whose address a user typed and for results whose address a provider sent.
Both are treated alike: https on port 443, public addresses only, checked on the very connection
that is used; bounded in bytes, time and memory.

Where the operator allows private origins for provider results, users' own links should go through
a second Fetcher without them: whoever may name a URL may name an allowed origin too.
"""

from wevion.lib.fetch.errors import FetchError, FetchReason
from wevion.lib.fetch.fetcher import Fetcher, FetchLimits

__all__ = ["FetchError", "FetchLimits", "FetchReason", "Fetcher"]
