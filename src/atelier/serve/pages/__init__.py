"""The pages of the application: what is shown and what happens when it is used, no model logic."""
