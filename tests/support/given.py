"""What a test of whole commands is given, and the Python of the peers where it needs their libraries."""
import argparse
import importlib.util
import os
import sys


def arguments(*more):
    """--nephron PROGRAM and whatever else is named ("--source"), as absolute paths; and what is left, for unittest."""
    p = argparse.ArgumentParser()
    for name in ("--nephron", *more):
        p.add_argument(name, required=True, type=os.path.abspath)
    known, rest = p.parse_known_args()
    return known, rest


def need_peers(*modules):
    """Goes on in the peers' Python where this one has not all of `modules`; ends as skipped where there is none."""
    if all(importlib.util.find_spec(name) for name in modules):
        return
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    peers = os.environ.get("NEPHRON_PEERS") or os.path.join(cache, "nephron/peers/bin/python")
    if os.path.exists(peers) and os.environ.get("NEPHRON_PEERS_TRIED") is None:
        os.execve(peers, [peers, *sys.argv], {**os.environ, "NEPHRON_PEERS_TRIED": "1"})
    print("skipped: no Python peers; ./nephron peers installs them, NEPHRON_PEERS names their python")
    sys.exit(77)
