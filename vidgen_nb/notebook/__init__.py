"""What a person touches in Jupyter: the controller and its panel."""
