"""What can be understood of what is said."""
