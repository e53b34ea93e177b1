"""The trained generator of the rest of a picture, in diffusers format, and pipelines from the hub behind one call."""
