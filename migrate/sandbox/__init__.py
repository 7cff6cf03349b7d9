"""A W&B-compatible GraphQL service on loopback: for tests, for the demo, and to practise on."""

from migrate.sandbox.faults import Faults, parse_fail
from migrate.sandbox.sample import sample_store
from migrate.sandbox.server import Sandbox
from migrate.sandbox.store import Store, StoredRun

__all__ = ["Faults", "Sandbox", "Store", "StoredRun", "parse_fail", "sample_store"]
