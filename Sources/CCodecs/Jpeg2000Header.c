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

// What the library holds for a tile, about: of each component the code blocks and the precincts of each band; and two
// bytes for each packet, as if every resolution of every component had the most precincts and layers.
typedef struct {
    size_t bytes[4];
    uint64_t precincts, resolutions, layers;
} holding;

// Its structures with their first tables and the share in the trees of the precinct; and those of a precinct.
enum { BLOCK_BYTES = 512, PRECINCT_BYTES = 192, TILE_BYTES = 6144, TILE_COMPONENT_BYTES = 1088 };

static uint64_t halved(uint64_t size, unsigned times) { return (size + ((uint64_t)1 << times) - 1) >> times; }

// The coding style of a marker segment COD or COC.
typedef struct {
    // The levels, the code blocks' exponents, and a byte for each resolution's precincts, or NULL for the greatest.
    unsigned levels, across, down;
    const uint8_t *precincts;
    uint32_t first, last;  // components
} style;

static bool read_style(const uint8_t *segment, size_t length, uint32_t components, style *found) {
    bool is_whole = segment[1] == 0x52;
    // Behind the marker and the length: the style, then of all components the order, the layers and a transform, of one
    // its number; then levels, code blocks (3), a transform, and a byte for each resolution's precincts.
    size_t levels = is_whole ? 9 : 6;
    if (length < levels + 5 || segment[levels] > 32) return false;
    bool has_precincts = segment[is_whole ? 4 : 5] & 1;
    if (has_precincts && length < levels + 5 + segment[levels] + 1) return false;
    *found = (style){
        .levels = segment[levels],
        .across = (segment[levels + 1] & 15) + 2u,
        .down = (segment[levels + 2] & 15) + 2u,
        .precincts = has_precincts ? segment + levels + 5 : NULL,
        .first = is_whole ? 0 : segment[4],
        .last = is_whole ? components : segment[4] + 1u};
    return found->last <= components;
}

// At least how many packets a style asks for on a part of the picture: one for each layer, component, resolution and
// precinct.
static uint64_t packet_count(const size_header *size, const style *coding, uint64_t layers) {
    uint64_t count = 0;
    for (uint32_t i = coding->first; i < coding->last; i++) {
        const uint8_t *part = size->parts + 3 * i;
        for (unsigned r = 0; coding->precincts && r <= coding->levels && part[1] && part[2]; r++) {
            unsigned smaller = coding->levels - r, byte = coding->precincts[r];
            uint64_t across = (uint64_t)(size->width / part[1]) >> smaller >> (byte & 15);
            uint64_t down = (uint64_t)(size->height / part[2]) >> smaller >> (byte >> 4);
            count += across * down;
        }
    }
    return cco_times(count, layers);
}

// Adds to what a tile takes what a style makes of it.
static void hold(holding *held, const size_header *tile, const style *coding, uint64_t layers) {
    if (layers > held->layers) held->layers = layers;
    if (coding->levels + 1 > held->resolutions) held->resolutions = coding->levels + 1;
    for (uint32_t i = coding->first; i < coding->last; i++) {
        const uint8_t *part = tile->parts + 3 * i;
        size_t bytes = 0;
        for (unsigned r = 0; r <= coding->levels && part[1] && part[2]; r++) {
            unsigned byte = coding->precincts ? coding->precincts[r] : 0xff, x = byte & 15, y = byte >> 4;
            uint64_t width = halved((tile->width - 1) / part[1] + 1, coding->levels - r);
            uint64_t height = halved((tile->height - 1) / part[2] + 1, coding->levels - r);
            uint64_t precincts = halved(width, x) * halved(height, y), bands = r ? 3 : 1;
            if (precincts > held->precincts) held->precincts = precincts;
            // Above the smallest resolution three bands of half its size share a precinct.
            unsigned half = r && x && y ? 1 : 0;
            unsigned across = coding->across < x - half ? coding->across : x - half;
            unsigned down = coding->down < y - half ? coding->down : y - half;
            uint64_t blocks = halved(halved(width, half), across) * halved(halved(height, half), down);
            bytes += bands * (precincts * PRECINCT_BYTES + blocks * BLOCK_BYTES);
        }
        if (bytes > held->bytes[i]) held->bytes[i] = bytes;
    }
}

// The markers that the library knows in headers, besides those of the frame.
static bool is_known(uint8_t marker) {
    static const uint8_t markers[] = {0x50, 0x51, 0x52, 0x53, 0x55, 0x57, 0x58, 0x59, 0x5c, 0x5d, 0x5e,
                                      0x5f, 0x60, 0x61, 0x63, 0x64, 0x74, 0x75, 0x77, 0x78, 0x90};
    return memchr(markers, marker, sizeof markers) != NULL;
}

static int not_followed(char *message) {
    return cco_fail(CCO_ERROR_DATA, message, "its header is cut short or damaged, or has unknown parts");
}

// Walks the headers of the codestream and of its tiles; each packet takes a byte or more, and the library hundreds.
// What the walk cannot follow is refused, since the library looks for the next marker that it knows. Behind a tile that
// is not so: there the library ends.
static int check_packets(
    const cco_picture *picture, size_t at, const size_header *whole, const size_header *tile, holding *held,
    char *message) {
    const uint8_t *bytes = picture->bytes;
    const size_header *size = whole;
    size_t tile_end = 0;
    uint64_t layers = 0, usual_layers = 0;
    bool is_in_tile = false;
    while (picture->count - at >= 4 && bytes[at] == 0xff && bytes[at + 1] != 0xd9) {
        uint8_t marker = bytes[at + 1];
        if (marker == 0x93 && is_in_tile) {
            // The last tile may say nothing of its length.
            if (tile_end == 0) return CCO_OK;
            if (tile_end < at + 2) return not_followed(message);
            at = tile_end;
            continue;
        }
        // Reserved markers without a length.
        if (marker >= 0x30 && marker <= 0x3f) {
            at += 2;
            continue;
        }
        size_t length = 2 + (size_t)u16be(bytes + at + 2);
        if (!is_known(marker)) return is_in_tile ? CCO_OK : not_followed(message);
        if (length < 4 || length > picture->count - at) return not_followed(message);
        if (marker == 0x90) {
            if (length != 12 || layers == 0) return not_followed(message);
            uint32_t part = u32be(bytes + at + 6);
            if (part > picture->count - at) return not_followed(message);
            if (!is_in_tile) usual_layers = layers;
            layers = usual_layers;
            tile_end = part ? at + part : 0;
            size = tile;
            is_in_tile = true;
        } else if (marker == 0x52 || marker == 0x53) {
            style coding;
            if (!read_style(bytes + at, length, whole->components, &coding)) return not_followed(message);
            if (marker == 0x52) layers = u16be(bytes + at + 6);
            uint64_t packets = packet_count(size, &coding, layers);
            if (packets > picture->count) {
                return cco_fail(
                    CCO_ERROR_DATA, message, "%zu bytes cannot hold %llu packets", picture->count,
                    (unsigned long long)packets);
            }
            hold(held, tile, &coding, layers);
        }
        at += length;
    }
    return is_in_tile ? CCO_OK : not_followed(message);
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
    holding held = {.layers = 1};
    code = check_packets(picture, at + 2, &whole, &tile, &held, message);
    if (code != CCO_OK) return code;
    size_t samples = (size_t)picture->width * picture->height * components;
    // 32 bits a sample, once decoded and once on the way there, the tiles' headers, and what is kept of one tile.
    size_t bytes = cco_plus(cco_times(samples, 8), tiles * (TILE_BYTES + components * TILE_COMPONENT_BYTES));
    for (uint32_t i = 0; i < components; i++) bytes = cco_plus(bytes, held.bytes[i]);
    size_t packets = cco_times(cco_times(held.layers, held.resolutions), cco_times(held.precincts, components));
    picture->library_bytes = cco_plus(cco_plus(bytes, picture->count), cco_times(packets, 2));
    return cco_check_expansion(picture, samples, message);
}
