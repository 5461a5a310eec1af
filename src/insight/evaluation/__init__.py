"""A company's evaluation: the figures, segments and moves that report, HTTP and scores file share."""
