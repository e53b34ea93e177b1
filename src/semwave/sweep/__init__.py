"""Sweeps: many points over SNR, channel, modulation, rate, scheme, picture and seed, computed once each.

A sweep file names axes; :mod:`plan` makes points of them, each with a hash of all that it depends on; :mod:`runner`
has them computed, here or on a Dask cluster; :mod:`store` keeps the results in one SQLite file.
"""
