"""How many renames a document holds, by how long the ones before it took."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.rename.pace import FIRST, MOST, TARGET_SECONDS, Pace


def after(*documents):
    """The pace after documents of (renames, seconds)."""
    pace = Pace()
    for renames, seconds in documents:
        pace.document_took(renames, seconds)
    return pace


def test_the_first_document_is_small():
    assert Pace().size == FIRST == 10


@pytest.mark.parametrize(
    ("request_s", "upsert_s", "size"),
    [
        (0.0, 0.0, 100),
        (0.4, 0.0, 100),
        (0.0, 0.01, 100),
        (0.1, 0.03, 100),
        (0.0, 0.05, 60),
        (0.4, 0.05, 60),  # the way there and back is not the renames' time
        (0.0, 0.3, 10),
        (1.0, 0.3, 10),
        (0.0, 3.0, 1),
        (0.0, 20.0, 1),
    ],
)
def test_documents_are_sized_towards_three_seconds(request_s, upsert_s, size):
    pace = Pace()
    pace.request_took(request_s)
    for _ in range(3):
        pace.document_took(pace.size, request_s + pace.size * upsert_s)
        assert abs(pace.size - size) <= 1


def test_a_hundred_are_the_most():
    assert after((10, 0.0)).size == after((10, 0.001), (100, 0.002)).size == MOST == 100


def test_a_server_that_becomes_slow_and_quick_again():
    pace = Pace()
    pace.request_took(0.0)
    sizes = []
    for upsert_s in (0.0, 1.0, 1.0, 0.1, 0.0):
        pace.document_took(pace.size, pace.size * upsert_s)
        sizes.append(pace.size)
    assert sizes == [100, 3, 3, 29, 100]


def test_a_document_out_of_time_halves_the_next_ones_until_one_is_answered():
    pace = after((10, 0.0))
    pace.too_slow(100)
    assert pace.size == 50
    pace.too_slow(100)  # another that was under way
    assert pace.size == 50
    pace.too_slow(50)
    assert pace.size == 25
    for renames in (25, 12, 6, 3, 1, 1):
        pace.too_slow(renames)
    assert pace.size == 1
    pace.document_took(1, 0.01)
    assert pace.size == 100


def test_a_document_that_is_too_large_is_never_sent_again():
    pace = after((10, 0.0))
    pace.too_large(100)
    assert pace.size == 50
    pace.document_took(50, 0.01)
    assert pace.size == 50
    for renames in (50, 25, 12, 6, 3):
        pace.too_large(renames)
    pace.document_took(1, 0.0)
    assert pace.size == 1


def test_a_rename_that_is_too_large_alone_says_nothing_of_documents():
    pace = after((10, 0.0))
    for renames in (100, 50, 25, 12, 6, 3, 1):
        pace.too_large(renames)
    assert pace.size == MOST


def sizes_up_to(limit, documents):
    """The sizes of documents on a server that answers none that holds more than `limit`."""
    pace, sizes = after((10, 0.0)), []
    for _ in range(documents):
        sizes.append(pace.size)
        if pace.size > limit:
            pace.in_vain(pace.size)
        else:
            pace.document_took(pace.size, 0.01)
    return sizes


@pytest.mark.parametrize("limit", [1, 2, 9, 10, 40, 99])
def test_what_a_server_can_do_is_found_and_kept(limit):
    sizes = sizes_up_to(limit, 200)
    assert sizes[0] == MOST
    failed = [number for number, size in enumerate(sizes) if size > limit]
    assert len([number for number in failed if number < 20]) <= 9
    assert len([number for number in failed if number >= 20]) <= 180 / 10
    assert (
        sum(sizes[number] for number in range(20, 200) if number not in failed) >= 160 * limit * 0.9
    )


def test_a_server_that_was_away_gets_large_documents_again():
    pace, count = after((10, 0.0)), 0
    for renames in (100, 10, 1):
        pace.in_vain(renames)
    assert pace.size == 1
    while pace.size < MOST:
        pace.document_took(pace.size, 0.01)
        count += 1
    assert count == 1
    pace.in_vain(100)
    pace.in_vain(100)  # another that was under way
    assert pace.size == 10
    pace.in_vain(10)
    for _ in range(12):
        pace.document_took(pace.size, 0.01)
    assert pace.size == MOST


@pytest.mark.parametrize(
    ("apart", "least", "most"), [(1, 1, 1), (5, 2, 4), (25, 12, 24), (500, 100, 100)]
)
def test_the_closer_refused_runs_stand_the_fewer_are_sent_at_once(apart, least, most):
    pace = after((10, 0.0))
    for number in range(12):
        pace.were_accepted(apart - 1)
        pace.was_refused(apart * number)
    assert least <= pace.size <= most
    while pace.size < MOST:  # and where no more come, it takes few documents to be large again
        pace.were_accepted(pace.size)
        least += 1
    assert least <= 100 + 8


def test_how_far_apart_refused_runs_are_is_counted_in_the_plan():
    pace = after((10, 0.0))
    pace.was_refused(7)
    assert pace.size == MOST  # one alone has no distance to another
    pace.was_refused(67)
    assert pace.size == 40
    pace.was_refused(37)
    assert pace.size == 28


STEPS = st.one_of(
    st.tuples(st.just("document_took"), st.integers(1, 100), st.floats(0, 1e4)),
    st.tuples(st.just("too_slow"), st.integers(1, 100)),
    st.tuples(st.just("in_vain"), st.integers(1, 100)),
    st.tuples(st.just("too_large"), st.integers(1, 100)),
    st.tuples(st.just("request_took"), st.floats(0, 1e4)),
    st.tuples(st.just("were_accepted"), st.integers(1, 100)),
    st.tuples(st.just("was_refused"), st.integers(0, 10_000)),
)


@given(st.lists(STEPS))
def test_whatever_happens_there_is_a_next_document(steps):
    pace, limit = Pace(), MOST
    for name, *given_to in steps:
        before = pace.size
        getattr(pace, name)(*given_to)
        if name in ("too_slow", "in_vain") and given_to[0] <= before:
            assert pace.size < max(2, given_to[0])  # else the same would be sent for ever
        if name == "too_large":
            limit = min(limit, max(1, given_to[0] // 2)) if given_to[0] > 1 else MOST
        assert 1 <= pace.size <= limit
        if name == "document_took" and pace.size > 1:
            each = max(0.0, given_to[1] - pace.fastest) / given_to[0]
            assert pace.size * each <= TARGET_SECONDS * 1.001
