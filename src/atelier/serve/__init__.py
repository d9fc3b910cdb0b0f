"""The web application, and what is kept of its use: requests, feedback, comparisons, drift."""
