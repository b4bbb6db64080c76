"""All generated clips against all reference clips, as two sets."""
