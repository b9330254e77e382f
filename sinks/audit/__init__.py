"""Proof that the raw log is as it was stored: a hash chain over it, anchors outside of it, signed exports."""
