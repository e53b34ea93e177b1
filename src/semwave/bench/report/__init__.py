"""Reports of sweeps: curves with confidence bands, a gallery, tables; as one HTML page, as PNG, in a notebook."""
