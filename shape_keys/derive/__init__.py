"""How the files in `shape_keys/data` were made; run once by hand, never at run time.

These modules alone in `shape_keys` may use mediapipe, OpenCV and Matplotlib, and import them where they need them.
"""
