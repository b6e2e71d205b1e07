"""Tracked faces to pose-free geometry and evenly lit texture atlases."""
