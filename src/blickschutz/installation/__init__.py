"""An installation is an id and a folder: where its data lie, who holds them, and who may look into them.

Promises: one process holds a folder; what lies in it only its owner reads; a folder of another installation or of a newer
version is not touched; where data are known to lie elsewhere no empty folder takes their place. Never asks what the place is
called, and never knows what the files in the folder mean.
"""
