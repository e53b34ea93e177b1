"""GNU Radio's stock OFDM packets, both ways: interoperable with ``digital.ofdm_tx`` and ``digital.ofdm_rx``."""
