"""Flowgraphs that ship with the package, as TOML files beside this one."""

if __name__ != "semwave.flowgraphs":  # the same file under a second name would make a second set of classes
    raise ImportError("import semwave.flowgraphs, not flowgraphs (after: pip install -e .)")
