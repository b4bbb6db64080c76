"""What making a clip took, from the records that generators leave beside them."""
