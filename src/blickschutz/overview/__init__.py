"""Many sites in one view: an application of its own, with its own accounts and log, that reads numbers of sites which allow it.

Promises: what a site tells is read into a closed form or dropped whole; a site that is away is never shown as well; no site's fault
stops another one's reading; never a picture, a name or a free text of a site.
"""
