// What a JPEG file's segments before the picture tell of it: EXIF's orientation and resolution, JFIF's resolution. What
// is damaged or odd there tells nothing; the picture is decoded all the same.
#include <string.h>

#include "Picture.h"

// A TIFF structure within the file.
typedef struct {
    const uint8_t *bytes;
    size_t count;
    bool is_big_endian;
} exif;

// 0 beyond the end, where no field has a meaning.
static uint32_t number(const exif *tags, size_t at, size_t size) {
    if (at > tags->count || tags->count - at < size) return 0;
    uint32_t value = 0;
    for (size_t i = 0; i < size; i++) value = value << 8 | tags->bytes[at + (tags->is_big_endian ? i : size - 1 - i)];
    return value;
}

// The value of an entry (tag, type, count, value or its place): a SHORT, or a RATIONAL elsewhere.
static double value_of(const exif *tags, size_t entry, uint32_t type) {
    if (number(tags, entry + 2, 2) != type || number(tags, entry + 4, 4) != 1) return 0;
    if (type == 3) return number(tags, entry + 8, 2);
    size_t place = number(tags, entry + 8, 4);
    uint32_t divisor = number(tags, place + 4, 4);
    return divisor ? (double)number(tags, place, 4) / divisor : 0;
}

static void read_exif(cco_picture *picture, const uint8_t *bytes, size_t count) {
    exif tags = {bytes, count, count > 0 && bytes[0] == 'M'};
    if (number(&tags, 2, 2) != 42) return;
    size_t at = number(&tags, 4, 4), entries = number(&tags, at, 2);
    double orientation = 1, across = 0, down = 0, unit = 2;
    for (size_t i = 0, entry = at + 2; i < entries && entry < count; i++, entry += 12) {
        switch (number(&tags, entry, 2)) {
        case 274: orientation = value_of(&tags, entry, 3); break;
        case 282: across = value_of(&tags, entry, 5); break;
        case 283: down = value_of(&tags, entry, 5); break;
        case 296: unit = value_of(&tags, entry, 3); break;
        default: break;
        }
    }
    if (orientation >= 1 && orientation <= 8) picture->orientation = (int)orientation;
    if (unit == 2 || unit == 3) cco_set_resolution(picture, across, down, unit == 2 ? 25.4 : 10);
}

void cco_read_jpeg_tags(cco_picture *picture) {
    const uint8_t *bytes = picture->bytes, *jfif = NULL;
    bool has_exif = false;
    for (size_t at = 2; at + 4 <= picture->count && bytes[at] == 0xff;) {
        if (bytes[at + 1] == 0xff) {  // fill before a marker
            at++;
            continue;
        }
        uint8_t marker = bytes[at + 1];
        size_t length = (size_t)bytes[at + 2] << 8 | bytes[at + 3];
        if (marker == 0xda || length < 2 || length > picture->count - at - 2) break;
        const uint8_t *segment = bytes + at + 4;
        if (marker == 0xe0 && length >= 14 && !jfif && memcmp(segment, "JFIF", 5) == 0) jfif = segment;
        if (marker == 0xe1 && length >= 8 && !has_exif && memcmp(segment, "Exif\0", 6) == 0) {
            has_exif = true;
            read_exif(picture, segment + 6, length - 8);
        }
        at += 2 + length;
    }
    // Without a unit (0) it tells the ratio only.
    if (jfif && (jfif[7] == 1 || jfif[7] == 2)) {
        double across = jfif[8] << 8 | jfif[9], down = jfif[10] << 8 | jfif[11];
        cco_set_resolution(picture, across, down, jfif[7] == 1 ? 25.4 : 10);
    }
}
