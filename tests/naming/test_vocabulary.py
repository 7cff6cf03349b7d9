"""Known architectures and datasets, and how a text splits into two of them."""

import pytest

from naming import VOCABULARY, parse_name
from naming.vocabulary import split_pair


def test_a_vocabulary_is_extended_without_touching_the_shared_one():
    more = VOCABULARY.extended(["my_net"], ["my_data"])
    name = "rsst_x_l1_my_net_my_data"
    assert parse_name(name, vocabulary=more).fields["arch"] == "my_net"
    assert parse_name(name).fields is None
    assert parse_name("rsst_x_l1_a_my_data", vocabulary=more).fields["dataset"] == "my_data"
    both = VOCABULARY.extended(datasets=["data", "my_data"])
    assert parse_name("rsst_x_l1_a_my_data", vocabulary=both).fields["dataset"] == "my_data"
    assert more.family("my_net") == "other"
    assert VOCABULARY.extended(["res18"]).family("res18") == "cnn"


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("res18_2_cifar10_trigger", [("res18_2", "cifar10_trigger")]),
        ("vit_small_imagenet", [("vit_small", "imagenet")]),
        ("vit_small_imagenet_food101", [("vit_small_imagenet", "food101")]),
        ("vit_small_cifar100_c", [("vit_small", "cifar100_c")]),
        ("my_net_cifar100_c", [("my", "net_cifar100_c"), ("my_net", "cifar100_c")]),
        ("vit_small_cifar100_cc", []),
        ("res18", []),
        ("cifar10", []),
        ("cifar10_res18", []),
        ("net", []),
        ("_net_", []),
        ("a_b\n", []),
    ],
)
def test_how_a_text_splits(text, pairs):
    found = split_pair(text, VOCABULARY)
    assert found[: len(pairs)] == pairs
    assert bool(found) == bool(pairs)
