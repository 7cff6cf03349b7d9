"""Why a name that is almost in one of our formats is in neither: the place where it departs."""

from __future__ import annotations

import re
from typing import NamedTuple

from naming.match import Matcher
from naming.scheme import ARCH, DATASET, OPEN, Part, Scheme, Template
from naming.style import is_timestamp, timestamp_pattern
from naming.vocabulary import Vocabulary, known_start

_LONGEST_WORD = 7
"""A known word is made of up to so many pieces: exp_custom_exponents of 5, with the `_`."""

_WORD_ENDS = "(?![A-Za-z0-9^])"
_DIGITS = {"Y": "YYYY", "y": "YY", "m": "MM", "d": "DD", "H": "HH", "M": "MM", "S": "SS"}


class Reason(NamedTuple):
    """Why a name has no reading, or several, as values.

    Attributes:
        code: `ambiguous`, `near-miss` or `not-ours`.
        fault: Of a near miss: `case`, `white-space`, `before` or `after` (text around a name that
            is in our format), or `part` (the name departs from its template). `length` of a text
            that is too long to be looked into.
        text: The text at fault: around the name, or in place of the part that was expected.
        after: The last part that matched, empty at the start of the name.
        expected: The part that was expected next, in the guide's notation: `_reg_NUMBER`.
    """

    code: str
    fault: str = ""
    text: str = ""
    after: str = ""
    expected: str = ""

    def words(self) -> str:
        """The reason in words, without its code."""
        if self.fault == "part":
            place = f"after {self.after!r}" if self.after else "at the start"
            found = f", found {self.text!r}" if self.text else ""
            return f"{place}: expected {self.expected}{found}"
        return {
            "": "not an RSST name",
            "length": f"{self.text} characters long",
            "case": "wrong case: our names are in lower case",
            "white-space": "white space around the name",
            "before": f"text {self.text!r} before the name",
            "after": f"trailing text {self.text!r}",
        }[self.fault]


def near_miss(name: str, matcher: Matcher) -> Reason | None:
    """Where a name that has no reading departs from our formats; None if it is close to none."""
    scheme = matcher.scheme
    if name != name.lower() and matcher.read(name.lower())[1]:
        return Reason("near-miss", "case")
    if name != name.strip() and matcher.read(name.strip())[1]:
        return Reason("near-miss", "white-space")
    for word in scheme.new:
        start = name.find(f"_{word}_") + 1
        if start and matcher.read(name[start:])[1]:
            return Reason("near-miss", "before", name[:start])
    template = _nearly_new(name, scheme)
    if template is None and _is_nearly_old(name, matcher.vocabulary, scheme):
        template = scheme.old
    return None if template is None else _Departure(name, template, matcher).reason()


# How close a name is.


def _nearly_new(name: str, scheme: Scheme) -> Template | None:
    """The template of new names that a name mostly follows; None if it follows none of them.

    Such a name has two of the template's marks, or three if it does not begin as it should.
    """
    text = f"{name.lower()}_"
    template, enough = scheme.new.get(text.partition("_")[0]), 2
    if template is None:
        first, *others = scheme.new.values()
        # The first mark of a template tells it from the others.
        template, enough = next((other for other in others if other.marks[0] in text), first), 3
    return template if sum(mark in text for mark in template.marks) >= enough else None


def _is_nearly_old(name: str, vocabulary: Vocabulary, scheme: Scheme) -> bool:
    """Whether a name has three of the parts of an old name, in any order, and none twice.

    One of them must be a word that no other name has: a schedule or the criteria.
    """
    parts = scheme.old.fields
    found = _fields_of_words(name, vocabulary, scheme)
    if tuple(found[: len(parts)]) == parts:
        return True
    known = [field for field in found if field is not None]
    telling = {*parts} - {scheme.chosen_by, ARCH, DATASET}
    return 3 <= len(known) == len(set(known)) and not telling.isdisjoint(known)


def _fields_of_words(name: str, vocabulary: Vocabulary, scheme: Scheme) -> list[str | None]:
    """The words of a name, the longest that are known: which field's each is, if any."""
    closed = {word: field for field, kind in scheme.old.valued for word in kind.words}
    pieces = re.split("([^A-Za-z0-9^])", name)
    found: list[str | None] = []
    place = 0
    while place < len(pieces):
        for size in range(_LONGEST_WORD, 0, -1):
            word = "".join(pieces[place : place + size])
            field = closed.get(word)
            if field is None and word in vocabulary.architectures:
                field = ARCH
            if field is None and word in vocabulary.datasets:
                field = DATASET
            if field is not None:
                break
        found.append(field)
        place += size + 1
    return found


# Where it departs.


class _Place(NamedTuple):
    """How far a name has been followed: where the last part begins, and where it ends."""

    start: int
    end: int


class _Departure(NamedTuple):
    """A name, and the template that it departs from somewhere."""

    name: str
    template: Template
    matcher: Matcher

    def reason(self) -> Reason:
        """The reason: the first step, from the left, that is not as the template has it."""
        fields: dict[str, str | None] = {}
        family = ""
        here = _Place(0, 0)
        before: dict[str, tuple[Part, _Place]] = {}
        last = self.template.steps[-1]
        for step in self.template.steps:
            before[step.name] = step, here
            if step.kind is OPEN:
                start = here.end + len(step.mark)
                end = self._end_of_pair(step, start)
                if not self.name.startswith(step.mark, here.end):
                    return self._expected(step, here)
                pairs = self.matcher.split(self.name[start:end], self.template)[0]
                if not pairs:
                    return self._no_pair(step, here, self.name[start:end])
                family = self.matcher.vocabulary.family(pairs[0][0])
                here = _Place(start, end)
            elif step.kind is not None or step is not last:
                match = re.compile(step.pattern + _WORD_ENDS, re.ASCII).match(self.name, here.end)
                if match is None or not _is_valid(step, match[step.name]):
                    return self._expected(step, here)
                fields[step.name] = match[step.name]
                here = _Place(here.start if step.optional else here.end, match.end())
        for field in self.template.conditional:
            if not field.fits(fields, family):
                misplaced, place = before[field.name]
                missing = fields[field.name] is None
                expected = misplaced if missing else self._following(misplaced)
                return self._expected(expected, place)
        if last.kind is None:
            return self._no_time(last, here)
        return Reason("near-miss", "after", self.name[here.end :])

    def _following(self, step: Part) -> Part:
        """The step after this one that names cannot lack."""
        steps = self.template.steps
        return next(after for after in steps[steps.index(step) + 1 :] if not after.optional)

    def _end_of_pair(self, step: Part, start: int) -> int:
        """Where architecture and dataset end: before the next mark, or else before any."""
        if step is self.template.steps[-1]:
            return len(self.name)
        marks = {mark for template in self.matcher.scheme.new.values() for mark in template.marks}
        following = self._following(step).mark
        place = self.name.rfind(following, start - 1) if following in marks else -1
        places = [place] if place >= 0 else [self.name.find(mark, start - 1) for mark in marks]
        return max(start, min((end for end in places if end >= 0), default=len(self.name)))

    def _no_pair(self, step: Part, here: _Place, text: str) -> Reason:
        """The reason of a name that has this text in place of an architecture and a dataset."""
        start = here.end + len(step.mark)
        after = _Place(start, start + known_start(text, self.matcher.vocabulary))
        if text in self.matcher.vocabulary.architectures:
            rest = self.name[start + len(text) :]
            return Reason("near-miss", "part", _word(rest), text, "_DATASET")
        if after.end == start:
            noun = "ARCH" if text in self.matcher.vocabulary.datasets else ""
            return self._expected(step, here, noun, text)
        if step is self.template.steps[-1]:
            rest = self.name[after.end :]
            return Reason("near-miss", "after", rest.lstrip("_- ") or rest)
        return self._expected(self._following(step), after)

    def _expected(self, step: Part, here: _Place, noun: str = "", text: str = "") -> Reason:
        """The reason of a name that has something else in the place of a step.

        `noun` is what the step's value is called, if not by its kind; `text` is what there is in
        place of the value, if not a word.
        """
        if step.kind is None:
            return self._no_time(step, here)
        mark, found = step.mark, _word(self.name[here.end :])
        if mark != "_" and self.name.startswith(mark, here.end):
            here = _Place(here.end, here.end + len(mark))
            mark, found = "", text or _word(self.name[here.end :])
        elif text:
            found = mark + text
        after = self.name[here.start : here.end].lstrip("_")
        if not mark and step.kind.words:
            noun = "|".join(step.kind.words)
        noun = noun or step.kind.noun or step.name.upper()
        return Reason("near-miss", "part", found, after, mark + noun)

    def _no_time(self, step: Part, here: _Place) -> Reason:
        """The reason of a name that is as it should be up to its time."""
        found = self.name[here.end :]
        time = found[len(step.mark) :]
        ends = []
        for timestamp_format in self.matcher.style.timestamps:
            match = timestamp_pattern(timestamp_format).match(time)
            if match is not None and is_timestamp(match[0], timestamp_format):
                ends.append(match.end())
        if ends and found.startswith(step.mark):
            return Reason("near-miss", "after", time[max(ends) :])
        after = self.name[here.start : here.end].lstrip("_")
        form = self.matcher.style.timestamp_format
        noun = re.sub("%(.)", lambda directive: _DIGITS[directive[1]], form)
        return Reason("near-miss", "part", found, after, step.mark + noun)


def _is_valid(step: Part, text: str | None) -> bool:
    try:
        return text is None or step.kind is None or step.kind.parse(text) is not None
    except ValueError:  # a number that no float can hold
        return False


def _word(text: str) -> str:
    """The word that a text begins with, and a `_` before it."""
    return text[: text.find("_", 1)] if "_" in text[1:] else text
