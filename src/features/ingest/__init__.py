"""From raw tables to typed, validated rows."""
