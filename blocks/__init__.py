"""Streaming blocks: parameters, ports, state across chunks and one call into modulation or models."""

if __name__ != "semwave.blocks":  # the same file under a second name would make a second set of classes
    raise ImportError("import semwave.blocks, not blocks (after: pip install -e .)")
