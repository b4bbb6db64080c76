"""A rigged head of our own: nobody's face, 52 named actions, and a rasteriser that shows it from any camera."""
