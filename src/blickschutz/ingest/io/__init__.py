"""Video from the outside: RTSP, pictures by HTTP, files; decoded with PyAV."""
