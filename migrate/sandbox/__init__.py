"""A W&B-compatible GraphQL service on loopback: for tests, for the demo, and to practise on."""

from migrate.sandbox.faults import Fault, Faults, Refusal, parse_fail
from migrate.sandbox.pace import Pace
from migrate.sandbox.sample import sample_store
from migrate.sandbox.server import Sandbox
from migrate.sandbox.store import Store, StoredRun

__all__ = [
    "Fault",
    "Faults",
    "Pace",
    "Refusal",
    "Sandbox",
    "Store",
    "StoredRun",
    "parse_fail",
    "sample_store",
]
