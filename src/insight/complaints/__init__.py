"""What customers complain about, how it is handled, and what makes them discontent or leave."""
