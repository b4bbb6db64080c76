"""What becomes of a clip from its beginning to its end."""
