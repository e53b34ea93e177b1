"""Fit the decoder's confidence: see semwave.training.decoder_trust."""

from semwave.training.decoder_trust import main

if __name__ == "__main__":
    main()
