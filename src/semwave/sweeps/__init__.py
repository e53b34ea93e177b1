"""Sweeps that ship with the package, as TOML files beside this one."""
