"""Who painted this, in which style: networks, recipes, training and judging."""

import logging

# Every network is asked through a function of its own, which TensorFlow takes for one function
# that is traced again and again, and warns.
logging.getLogger("tensorflow").addFilter(lambda record: "retracing" not in record.getMessage())
