"""The report and the slides: facts read from the runs' own files, set by typst."""
