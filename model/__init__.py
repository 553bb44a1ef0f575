"""What makes a labelling model and how it is used: sides, articles, windows, the network, prediction."""
