"""One module per export format, and the card of a data set."""
