/// The sizes of register tiles and cache blocks of one ISA pass. No include guard: on purpose.
#undef SDX_MR
#undef SDX_NV
#if SDX_TARGET_AVX512
#define SDX_MR 14
#define SDX_NV 2
#elif SDX_TARGET_AVX2
#define SDX_MR 6
#define SDX_NV 2
#elif SDX_TARGET_NEON
#define SDX_MR 8
#define SDX_NV 3
#else
#define SDX_MR 4
#define SDX_NV 2
#endif

// A panel of B (K × columns) stays in L1, a block of A (rows × K) and one of B (K × columns) in L2, about 200 KB each.
#undef SDX_BLOCK_K_BYTES
#undef SDX_BLOCK_ROW_PANELS
#undef SDX_BLOCK_COLUMN_PANELS
#define SDX_BLOCK_K_BYTES (SDX_TARGET_AVX512 ? 1024 : 1536)
#define SDX_BLOCK_ROW_PANELS (160 / SDX_MR)
#define SDX_BLOCK_COLUMN_PANELS (256 / (SDX_NV * SDX_V))

// A convolution with few values of k takes wider blocks, up to the same bytes, to read longer pieces of each channel.
#undef SDX_MOST_PIXEL_PANELS
#define SDX_MOST_PIXEL_PANELS (1024 / (SDX_NV * SDX_V))

// The least multiply-adds that are worth a chunk of their own: about 10 µs.
#undef SDX_CHUNK_WORK
#define SDX_CHUNK_WORK 1.5e6

// Chunks enough to balance the threads of a device: fewer mean less packing of the same values.
#undef SDX_ENOUGH_CHUNKS
#define SDX_ENOUGH_CHUNKS 16

// Products alone: a block of A (rows × K) stays in L2, a panel of B (K × columns) streams through L1. A quarter of
// the chunks are had at any cost, the others while a cut costs at most SDX_CUT_COST.
#undef SDX_PRODUCT_K_BYTES
#undef SDX_PACKED_K_BYTES
#undef SDX_PRODUCT_A_BYTES
#undef SDX_PRODUCT_CHUNKS
#undef SDX_CUT_COST
#define SDX_PRODUCT_K_BYTES 3072 // of k that add up in registers
#define SDX_PACKED_K_BYTES 8192  // the same where B comes packed
#define SDX_PRODUCT_A_BYTES (SDX_TARGET_AVX512 ? 512 << 10 : 256 << 10)
#define SDX_PRODUCT_CHUNKS 32
#define SDX_CUT_COST 0.26
#undef SDX_PACKING_PANELS
#undef SDX_PACKING_ROWS
#define SDX_PACKING_PANELS (512 / (SDX_NV * SDX_V)) // of columns, for which rows that meet in L1 are packed
#define SDX_PACKING_ROWS 512
#undef SDX_READING_ROWS
#define SDX_READING_ROWS 16

// At most this many rows read B where it lies, pieces of SDX_FEW_K rows and SDX_FEW_PANELS column panels at least;
// others, a B of at most SDX_DENSE_BYTES. A chunk has at most SDX_MOST_PANELS column panels.
#undef SDX_FEW_ROWS
#undef SDX_FEW_K
#undef SDX_FEW_PANELS
#undef SDX_DENSE_BYTES
#undef SDX_MOST_PANELS
#define SDX_FEW_ROWS 4
#define SDX_FEW_K 32
#define SDX_DENSE_BYTES (128 << 10)
#define SDX_MOST_PANELS 64
#define SDX_FEW_PANELS 16

// One row by a packed matrix: sums for each column, and how far ahead of their use its bytes are fetched.
#undef SDX_ROW_PHASES
#undef SDX_ROW_AHEAD
#define SDX_ROW_PHASES 4
#define SDX_ROW_AHEAD 2048

// How many bytes ahead rows are fetched that are packed as columns.
#undef SDX_PACK_AHEAD
#define SDX_PACK_AHEAD 768
