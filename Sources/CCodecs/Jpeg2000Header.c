// What the headers of a JPEG 2000 file ask for, judged before OpenJPEG allocates it: it takes kilobytes for each tile
// and hundreds of bytes for each packet that a header merely names.
#include <string.h>

#include "Picture.h"

static uint32_t u32be(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

// Where the codestream begins: in a JP2 file after the head of its box "jp2c". The end where there is none.
static size_t codestream(const cco_picture *picture) {
    const uint8_t *bytes = picture->bytes;
    size_t count = picture->count, at = 0;
    if (bytes[0] != 0) return 0;
    while (count - at >= 16) {
        uint64_t length = u32be(bytes + at);
        size_t head = length == 1 ? 16 : 8;
        if (memcmp(bytes + at + 4, "jp2c", 4) == 0) return at + head;
        if (length == 1) length = (uint64_t)u32be(bytes + at + 8) << 32 | u32be(bytes + at + 12);
        if (length < head || length > count - at) break;
        at += length;
    }
    return count;
}

static uint16_t u16be(const uint8_t *p) { return (uint16_t)(p[0] << 8 | p[1]); }

// The sizes that the header gives: of the picture, and how far apart each component's samples are.
typedef struct {
    uint32_t width, height, components;
    const uint8_t *parts;
} size_header;

// At least how many packets a marker segment COD or COC asks for on a part of the picture: one for each layer,
// component, resolution and precinct.
static uint64_t packet_count(const size_header *size, const uint8_t *segment, size_t length, uint64_t layers) {
    bool is_whole = segment[1] == 0x52;
    // Behind the marker and the length: the style, then of all components the order, the layers and a transform, of one
    // its number; then levels, code blocks (3), a transform, and a byte for each resolution's precincts.
    size_t levels = is_whole ? 9 : 6, precincts = levels + 5;
    if (length <= levels || segment[levels] > 32 || !(segment[is_whole ? 4 : 5] & 1)) return 0;
    uint64_t count = 0;
    for (uint32_t i = is_whole ? 0 : segment[4]; i < size->components; i++) {
        const uint8_t *part = size->parts + 3 * i;
        for (size_t r = 0; r <= segment[levels] && precincts + r < length && part[1] && part[2]; r++) {
            unsigned smaller = segment[levels] - (unsigned)r, byte = segment[precincts + r];
            uint64_t across = (uint64_t)(size->width / part[1]) >> smaller >> (byte & 15);
            uint64_t down = (uint64_t)(size->height / part[2]) >> smaller >> (byte >> 4);
            count += across * down;
        }
        if (!is_whole) break;
    }
    return cco_times(count, layers);
}

// Walks the headers of the codestream and of its tiles; each packet takes a byte or more, and the library hundreds.
// `block` becomes the fewest samples that the library keeps apart.
static int check_packets(
    const cco_picture *picture, size_t at, const size_header *whole, const size_header *tile, size_t *block,
    char *message) {
    const uint8_t *bytes = picture->bytes;
    const size_header *size = whole;
    size_t tile_end = 0;
    uint64_t layers = 1;
    while (picture->count - at >= 4 && bytes[at] == 0xff && bytes[at + 1] != 0xd9) {
        if (bytes[at + 1] == 0x93) {
            if (tile_end <= at) return CCO_OK;
            at = tile_end;
            continue;
        }
        size_t length = 2 + (size_t)u16be(bytes + at + 2);
        if (length < 4 || length > picture->count - at) return CCO_OK;
        if (bytes[at + 1] == 0x90 && length >= 12) {
            uint32_t part = u32be(bytes + at + 6);
            tile_end = part > picture->count - at ? 0 : at + part;
            size = tile;
        }
        if (bytes[at + 1] == 0x52 && length >= 10) layers = u16be(bytes + at + 6);
        bool is_style = bytes[at + 1] == 0x52 || bytes[at + 1] == 0x53;
        size_t codes = at + (bytes[at + 1] == 0x52 ? 10 : 7);
        if (is_style && codes + 1 < at + length) {
            size_t samples = (size_t)1 << ((bytes[codes] & 15) + (bytes[codes + 1] & 15) + 4);
            if (samples < *block) *block = samples;
        }
        uint64_t packets = is_style ? packet_count(size, bytes + at, length, layers) : 0;
        if (packets > picture->count) {
            return cco_fail(
                CCO_ERROR_DATA, message, "%zu bytes cannot hold %llu packets", picture->count,
                (unsigned long long)packets);
        }
        at += length;
    }
    return CCO_OK;
}

int cco_check_jpeg2000(cco_picture *picture, char *message) {
    size_t at = codestream(picture);
    const uint8_t *head = picture->bytes + at;
    // The markers SOC and SIZ, then the length, the profile, eight sizes and the number of components.
    if (picture->count - at < 42 || memcmp(head, "\xff\x4f\xff\x51", 4) != 0) {
        return cco_fail(CCO_ERROR_DATA, message, "its header is cut short or damaged");
    }
    uint32_t sizes[8], components = (uint32_t)head[40] << 8 | head[41];
    for (int i = 0; i < 8; i++) sizes[i] = u32be(head + 8 + 4 * i);
    uint64_t tiles = 1;
    for (int i = 0; i < 2; i++) {
        uint32_t end = sizes[i], start = sizes[2 + i], tile = sizes[4 + i], first = sizes[6 + i];
        if (start >= end || first > start || tile == 0 || (uint64_t)first + tile <= start) {
            return cco_fail(CCO_ERROR_DATA, message, "its picture or tiles have an impossible size");
        }
        tiles *= (end - first - 1) / tile + 1;
    }
    int code = cco_set_size(picture, sizes[0] - sizes[2], sizes[1] - sizes[3], message);
    if (code != CCO_OK) return code;
    if (components < 1 || components > 4) {
        return cco_fail(CCO_ERROR_UNSUPPORTED, message, "it has %u components; 1 to 4 make a picture", components);
    }
    // Each tile begins with the markers SOT (12 bytes) and SOD (2).
    if (tiles > picture->count / 14) {
        return cco_fail(
            CCO_ERROR_DATA, message, "%zu bytes cannot hold %llu tiles", picture->count, (unsigned long long)tiles);
    }
    size_header whole = {picture->width, picture->height, components, head + 42}, tile = whole;
    if (picture->count - at < 42 + 3 * components) return cco_fail(CCO_ERROR_DATA, message, "it is cut short");
    if (sizes[4] < tile.width) tile.width = sizes[4];
    if (sizes[5] < tile.height) tile.height = sizes[5];
    size_t block = 4096;
    code = check_packets(picture, at + 2, &whole, &tile, &block, message);
    if (code != CCO_OK) return code;
    size_t samples = (size_t)picture->width * picture->height * components;
    // 32 bits a sample, once decoded and once on the way there, and what is kept of each code block.
    picture->library_bytes = cco_plus(cco_times(samples, 8), cco_times(samples / block, 512));
    return cco_check_expansion(picture, samples, message);
}
