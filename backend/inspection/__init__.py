"""What a video is made into, for people to look at, and what is wrong with it."""
