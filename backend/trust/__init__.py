"""What keeps people's faces and voices theirs: consent before training, provenance on every output."""
