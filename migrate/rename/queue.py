"""What is still to be done of a plan, and what goes out next. Pure: the caller has the clock."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from migrate.client.runs import RunKey, RunState
from migrate.rename.pace import FIRST
from migrate.rename.plan import PlannedRename
from migrate.rename.steps import Part, Reading

FRESH_SECONDS = 5.0
"""A name that was read longer ago is read again before its run is renamed."""


@dataclass(slots=True)
class Queue:
    """The renames that are neither under way nor done.

    They go from `_unread` to `_ready` when their names are read, and from there into documents, in
    the order of the plan: runs that are refused often stand side by side in it. What is left of a
    document that failed goes before them, as `_parts`.

    Attributes:
        todo: The whole plan.
    """

    todo: Sequence[PlannedRename]
    _unread: deque[PlannedRename] = field(init=False)
    _place: dict[PlannedRename, int] = field(init=False)
    _ready: deque[PlannedRename] = field(default_factory=deque)
    _parts: deque[Part] = field(default_factory=deque)
    _probes: deque[Part] = field(default_factory=deque)
    _known: dict[RunKey, tuple[RunState, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._unread = deque(self.todo)
        self._place = {rename: place for place, rename in enumerate(self.todo)}

    def __bool__(self) -> bool:
        """Whether anything is left."""
        return bool(self._unread or self._ready or self._parts or self._probes)

    @property
    def is_settling(self) -> bool:
        """Whether the rest of a document that failed waits to be sent again."""
        return bool(self._parts)

    # What the server shows.

    def learn(self, states: Mapping[RunKey, RunState], when: float) -> None:
        """Take in what runs are, as it was read at a time of the monotonic clock."""
        self._known.update((key, (state, when)) for key, state in states.items())

    def storage_id(self, rename: PlannedRename) -> str:
        """What a rename takes; of a run whose name was read."""
        return self._known[rename.key][0].storage_id

    def is_stale(self, part: Part, now: float) -> bool:
        """Whether a name of a part was read too long ago."""
        return any(self._is_stale(rename, now) for rename in part.renames)

    def _is_stale(self, rename: PlannedRename, now: float) -> bool:
        return now - self._known[rename.key][1] > FRESH_SECONDS

    # What is next.

    def next_part(
        self, now: float, size: int, reading: Collection[Reading], *, doubtful: bool, hold: bool
    ) -> Part | None:
        """The document to send next; None while there is none, or the first is not read yet.

        Args:
            now: The monotonic clock.
            size: How many renames a new document may hold.
            reading: The names that are being read.
            doubtful: Whether it is a question if this key may write anything.
            hold: Whether no new document may begin before those that failed are settled.
        """
        if any(under_way.part.renames[0] is self.todo[0] for under_way in reading):
            return None
        if self._probes:
            return self._probes.popleft()
        probing = any(under_way.part.probe for under_way in reading)
        if doubtful and (self._ready or self._unread or probing):
            return None
        for part in self._parts:
            if part.not_before <= now:
                self._parts.remove(part)
                return part
        if hold:
            return None
        stale = {rename for rename in self._ready if self._is_stale(rename, now)}
        if stale:
            self._unread.extendleft(rename for rename in reversed(self._ready) if rename in stale)
            self._ready = deque(rename for rename in self._ready if rename not in stale)
        chosen = [self._ready.popleft() for _ in range(min(size, len(self._ready)))]
        return Part(chosen) if chosen else None

    def next_to_read(self, read_ahead: int) -> list[Part]:
        """The names to read ahead of their documents, each part in a request of its own.

        Args:
            read_ahead: How many names are to be ready at the most.
        """
        parts = []
        if not self._known:  # the first document does not wait for the names of the second
            parts.append(self._from_unread(FIRST))
        if len(self._ready) <= read_ahead // 2:
            parts.append(self._from_unread(read_ahead - len(self._ready)))
        return [part for part in parts if part.renames]

    def _from_unread(self, count: int) -> Part:
        return Part([self._unread.popleft() for _ in range(min(count, len(self._unread)))])

    def probes_to_read(self, count: int) -> list[Part]:
        """The names of some runs from all over the plan, each to be sent alone.

        Where the first runs of a plan are somebody else's, only the others tell whether this key
        may write; and alone, since a document may be undone for a single one of them.
        """
        rest = [*self._ready, *self._unread]
        if self._probes or not rest:
            return []
        chosen = rest[:: -(-len(rest) // count)]
        others = set(rest) - set(chosen)
        self._ready = deque(rename for rename in self._ready if rename in others)
        self._unread = deque(rename for rename in self._unread if rename in others)
        return [Part(chosen, probe=True)]

    # What comes back.

    def were_read(self, part: Part) -> None:
        """Take in what is to be done of names that were read ahead."""
        if part.probe:  # those first that are far from what was refused last
            probes = (Part([rename], probe=True) for rename in reversed(part.renames))
            self._probes.extend(probes)
        else:
            self.put_back(part.renames)

    def send_again(self, *parts: Part) -> None:
        """Send these before anything else, in this order."""
        self._parts.extendleft(part for part in reversed(parts) if part.renames)

    def send_later(self, *parts: Part) -> None:
        """Send these when their time has come."""
        self._parts.extend(parts)

    def put_back(self, renames: Iterable[PlannedRename]) -> None:
        """Let these go into new documents, in the order of the plan."""
        self._ready = deque(sorted([*self._ready, *renames], key=self._place.__getitem__))

    def stop_probing(self) -> None:
        """There is no doubt any more: what was to be tried alone goes with the others."""
        if self._probes:
            self.put_back(rename for probe in self._probes for rename in probe.renames)
            self._probes.clear()
