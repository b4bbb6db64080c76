"""What frames are and what they look like, whoever is in them."""
