"""Sound files to samples, and samples to the spectrogram windows that the network reads."""
