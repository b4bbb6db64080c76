"""What happens between frames, and how fast they come."""
