"""Files of the situations: the numbers of the learned rules, which come with the package."""
