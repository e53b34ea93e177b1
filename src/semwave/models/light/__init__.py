"""Models in fewer bits and with small adapters: weight-only quantisation, LoRA, and their files."""
