"""Words of the shipped tagger."""

import pytest

from semwave.models.segment.words import classes_of, labels


def test_there_are_a_thousand_classes_in_the_order_of_the_classifier():
    names = [first for _, first in labels()]
    assert len(names) == 1000
    known = {0: "tench", 1: "goldfish", 207: "golden retriever", 281: "tabby", 340: "zebra", 817: "sports car"}
    known |= {948: "granny smith", 963: "pizza", 999: "toilet tissue"}
    assert {index: names[index] for index in known} == known


def test_words_name_classes():
    assert classes_of("zebra") == classes_of(" Zebras ") == [340]
    dogs = classes_of("dog")
    assert set(range(151, 269)) <= set(dogs)
    assert 281 not in dogs
    assert 934 not in dogs  # the hotdog is one word
    assert 207 in classes_of("retriever")
    assert 972 in classes_of("cliff")


def test_a_word_that_nobody_knows_gets_advice():
    with pytest.raises(ValueError, match=r"key word:zebbra: the shipped tagger knows no such word \(near it: zebra"):
        classes_of("zebbra")
    with pytest.raises(ValueError, match="a model of the hub takes any word"):
        classes_of("qqqq")
