"""What an installation may lack: weights, and programs of the user's own."""
