"""The 468-vertex face topology, the 52 ARKit blendshapes and the maps between them."""
