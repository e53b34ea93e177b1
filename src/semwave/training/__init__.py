"""Training of the shipped models: one self-contained, resumable module each."""
