#!/usr/bin/python3 -I
"""Health check of a container: `ctr-health URL [TEXT]` succeeds when URL answers 200 with TEXT in it.

On the standard library alone: it runs every few seconds, in images that have no curl.
"""

import sys
import urllib.request
from typing import Final

ANSWER_WITHIN_S: Final = 4
"""Less than the time that a container's health check is given."""


def main() -> int:
    """Entry point; returns the exit status."""
    url, *wanted = sys.argv[1:]
    try:
        # The address is the compose file's.
        with urllib.request.urlopen(url, timeout=ANSWER_WITHIN_S) as answer:  # noqa: S310
            content = answer.read().decode()
    except OSError as error:
        sys.stderr.write(f"{url}: {error}\n")
        return 1
    absent = [text for text in wanted if text not in content]
    if absent:
        sys.stderr.write(f"{url} does not name {absent[0]}\n")
    return 1 if absent else 0


if __name__ == "__main__":
    sys.exit(main())
