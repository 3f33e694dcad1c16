"""Devices and files of the analysis: the model registry, the converter, the inference engine."""
