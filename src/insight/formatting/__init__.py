"""Names, plots and styles shared by the HTML reports."""
