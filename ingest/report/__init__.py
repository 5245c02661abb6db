"""What a run did, as one HTML file for a person to look at."""
