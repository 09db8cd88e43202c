/* A text as a picture: a QR code (ISO 18004, level M) in a PNG of two colours. */
#pragma once

#include "core/arena.h"
#include "core/str.h"

/* At most 2331 bytes. False: *why (longer; or libqrencode, which is loaded with the first picture, is not there). */
bool qr_png(struct arena *arena, struct str text, struct str *png, struct str *why);
