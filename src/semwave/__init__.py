"""semwave: a flowgraph framework for generative semantic image communication."""

__version__ = "0.1.0"
