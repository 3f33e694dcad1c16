"""Video from the outside: RTSP cameras and files, through PyAV."""
