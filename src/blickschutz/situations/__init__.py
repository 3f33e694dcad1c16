"""Find situations in the history of scenes of one camera.

Promises: each rule is a pure function of that history; a rule that fails is reported and the others go on.
Never knows who somebody is, never looks at a pixel, never names an intent.
"""
