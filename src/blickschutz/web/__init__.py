"""The pages of the control room: server-rendered, German first, live video by WebSocket.

Promises: shows redacted video only, because it is given nothing else; loads nothing from outside; every
decision works without script. Never holds a raw picture or a key that opens a clip.
"""
