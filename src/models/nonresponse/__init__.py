"""Who answers when asked, and what everybody would have answered."""
