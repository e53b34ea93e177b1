"""The encoder of key regions: what it refuses."""

import pytest

from semwave.blocks.semantic import SemanticEncoder


@pytest.mark.parametrize("name", ["cbr", "key_cbr"])
def test_no_share_of_the_channel_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} must be above 0 channel uses per sample, not 0"):
        SemanticEncoder(**{name: 0.0})
