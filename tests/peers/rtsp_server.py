"""A real RTSP server (GStreamer's) with a moving picture. Runs under the system's Python; prints its port.

    python3 rtsp_server.py h264|h265 [--size WxH] [--drop SHARE] [--gop N] [--host H] [--port P] [--resize-after S]
        [--tls PEM] [--account USER:PASSWORD] [--way tcp|udp] [--pattern NAME] [--small WxH]
        [--file PATH] [--small-file PATH] [--rate N]

--tls serves RTSPS with the key and certificate in PEM, --account asks for it by digest (MD5).
--small serves the same picture in that size at /small. --file and --small-file play files of that codec (Annex B) over and over instead.
--way allows that transport alone. --drop loses that share of the RTP packets; --resize-after doubles the picture's size after S seconds.
"""

import argparse
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gio, GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402 - after the versions are chosen

ENCODERS = {
    "h264": ("x264enc tune=zerolatency speed-preset=ultrafast key-int-max={gop}", "rtph264pay"),
    "h265": ("x265enc tune=zerolatency speed-preset=ultrafast key-int-max={gop}", "rtph265pay"),
}
WAYS = {
    "tcp": GstRtsp.RTSPLowerTrans.TCP,
    "udp": GstRtsp.RTSPLowerTrans.UDP,
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("codec", choices=ENCODERS)
    parser.add_argument("--size", default="320x240")
    parser.add_argument("--drop", type=float, default=0.0)
    parser.add_argument("--gop", type=int, default=10)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--resize-after", type=float, default=0.0)
    parser.add_argument("--tls", default="")
    parser.add_argument("--account", default="")
    parser.add_argument("--way", choices=WAYS)
    parser.add_argument("--pattern", default="ball")
    parser.add_argument("--small", default="")
    parser.add_argument("--file", default="")
    parser.add_argument("--small-file", default="")
    parser.add_argument("--rate", type=int, default=10)
    options = parser.parse_args()
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address(options.host)
    server.set_service(str(options.port))
    factory = GstRtspServer.RTSPMediaFactory()
    if options.tls or options.account:
        auth = GstRtspServer.RTSPAuth()
        if options.tls:
            auth.set_tls_certificate(Gio.TlsCertificate.new_from_file(options.tls))
        if options.account:
            token = GstRtspServer.RTSPToken()
            token.set_string("media.factory.role", "viewer")
            auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
            auth.add_digest(*options.account.split(":", 1), token)
            permissions = GstRtspServer.RTSPPermissions()
            permissions.add_permission_for_role("viewer", "media.factory.access", True)
            permissions.add_permission_for_role("viewer", "media.factory.construct", True)
            factory.set_permissions(permissions)
        server.set_auth(auth)
    encoder, payloader = ENCODERS[options.codec]
    # Loss is made between the encoder and the payloader's parser: whole slices go missing, as on a bad link.
    loss = f"identity drop-probability={options.drop} ! " if options.drop else ""

    def launch(size):
        width, height = size.split("x")
        return (
            f"( videotestsrc is-live=true pattern={options.pattern} background-color=0xff808080 ! "
            f"capsfilter name=size caps=video/x-raw,format=I420,width={width},height={height},framerate=10/1 ! "
            f"{encoder.format(gop=options.gop)} ! {loss}{payloader} config-interval=1 name=pay0 pt=96 )"
        )

    def play(path):
        caps = f"video/x-{options.codec},stream-format=byte-stream,framerate={options.rate}/1"
        return (
            f'( multifilesrc location="{path}" loop=true caps="{caps}" ! {options.codec}parse ! '
            f"identity datarate=0 ! {payloader} config-interval=1 name=pay0 pt=96 )"
        )

    factory.set_launch(play(options.file) if options.file else launch(options.size))
    factory.set_shared(True)
    if options.way:
        factory.set_protocols(WAYS[options.way])

    def configure(_, media):
        if not options.resize_after:
            return

        def resize():
            width, height = (int(side) for side in options.size.split("x"))
            size = media.get_element().get_by_name("size")
            size.set_property(
                "caps",
                Gst.Caps.from_string(f"video/x-raw,format=I420,width={2 * width},height={2 * height},framerate=10/1"),
            )
            return False

        GLib.timeout_add(int(options.resize_after * 1000), resize)

    factory.connect("media-configure", configure)
    server.get_mount_points().add_factory("/stream", factory)
    if options.small or options.small_file:
        small = GstRtspServer.RTSPMediaFactory()
        small.set_launch(play(options.small_file) if options.small_file else launch(options.small))
        small.set_shared(True)
        server.get_mount_points().add_factory("/small", small)
    if not server.attach(None):
        sys.exit("the port is taken")
    print(server.get_bound_port(), flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()
