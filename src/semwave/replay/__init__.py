"""Captures through receivers: frames out of a recording, and where they go (lines, CSV, pcap, annotations, report)."""
