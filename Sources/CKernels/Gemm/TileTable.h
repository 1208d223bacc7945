/// A function for each number of rows and vectors of a tile, and a table of them by rows - 1 and vectors - 1. No include
/// guard: it serves each kind of tile, element type and ISA pass.
///
/// The includer defines SDX_TILE(R, N), the definition of one function, SDX_TILE_NAME(R, N), what it is called, and
/// SDX_TILE_TABLE, the declaration of the table.
#if SDX_NV >= 3
#define SDX_TILES(R) SDX_TILE(R, 1) SDX_TILE(R, 2) SDX_TILE(R, 3)
#define SDX_TILE_NAMES(R) {SDX_TILE_NAME(R, 1), SDX_TILE_NAME(R, 2), SDX_TILE_NAME(R, 3)}
#else
#define SDX_TILES(R) SDX_TILE(R, 1) SDX_TILE(R, 2)
#define SDX_TILE_NAMES(R) {SDX_TILE_NAME(R, 1), SDX_TILE_NAME(R, 2)}
#endif
SDX_TILES(1) SDX_TILES(2) SDX_TILES(3) SDX_TILES(4)
#if SDX_MR >= 6
SDX_TILES(5) SDX_TILES(6)
#endif
#if SDX_MR >= 8
SDX_TILES(7) SDX_TILES(8)
#endif
#if SDX_MR >= 14
SDX_TILES(9) SDX_TILES(10) SDX_TILES(11) SDX_TILES(12) SDX_TILES(13) SDX_TILES(14)
#endif

SDX_TILE_TABLE = {
    SDX_TILE_NAMES(1), SDX_TILE_NAMES(2), SDX_TILE_NAMES(3), SDX_TILE_NAMES(4),
#if SDX_MR >= 6
    SDX_TILE_NAMES(5), SDX_TILE_NAMES(6),
#endif
#if SDX_MR >= 8
    SDX_TILE_NAMES(7), SDX_TILE_NAMES(8),
#endif
#if SDX_MR >= 14
    SDX_TILE_NAMES(9), SDX_TILE_NAMES(10), SDX_TILE_NAMES(11),
    SDX_TILE_NAMES(12), SDX_TILE_NAMES(13), SDX_TILE_NAMES(14),
#endif
};
#undef SDX_TILE
#undef SDX_TILES
#undef SDX_TILE_NAME
#undef SDX_TILE_NAMES
#undef SDX_TILE_TABLE
