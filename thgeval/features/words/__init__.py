"""What was said, and what readers of lips and speech make of it."""
