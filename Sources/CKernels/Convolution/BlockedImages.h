/// Images of one output pixel each, in one ISA pass; after BlockedDensePlan.h. No include guard.
///
/// Such images are the pixels of one row, so that each weight that is loaded serves as many of them as a tile has pixels.
/// They lie far apart in x and y: what the taps read of them is copied side by side, [tap][image][8] for each block of
/// channels, and the outputs are summed in scratch, [k / 8][image][8].

/// Copies what images [c->ow0, c->ow1) read of one block of channels; x is the block in the first image.
static void SDX_FN(images_copy)(
    const SDX_FN(dense_plan) * plan, const SDX_FN(dense_piece) * c, const float *x, float *to) {
    const sdx_conv_params *p = plan->original;
    int64_t image = p->c * plan->in_pixels, count = c->ow1 - c->ow0;
    for (int64_t d = 0, tap = 0; d < p->kernel[0]; d++)
        for (int64_t h = 0; h < p->kernel[1]; h++)
            for (int64_t w = 0; w < p->kernel[2]; w++, tap++) {
                int64_t place[3] = {d, h, w}, pixel = 0;
                bool inside = true;
                for (int i = 0; i < 3; i++) {
                    place[i] = place[i] * p->dilation[i] - p->pad_begin[i];
                    inside &= place[i] >= 0 && place[i] < p->in[i];
                    pixel = pixel * p->in[i] + place[i];
                }
                float *row = to + tap * plan->width * 8;
                if (!inside) memset(row, 0, (size_t)(count * 8) * sizeof(float));
                for (int64_t i = 0; inside && i < count; i++)
                    memcpy(row + i * 8, x + (c->ow0 + i) * image + pixel * 8, 8 * sizeof(float));
            }
}

/// The images' values of the piece's lanes: from `tensor`, which lies as y, to scratch, or back.
static void SDX_FN(images_gather)(
    const SDX_FN(dense_plan) * plan, const SDX_FN(dense_piece) * c, const float *tensor, float *sums) {
    int64_t k = plan->params.k, width = c->ow1 - c->ow0;
    for (int64_t lane = c->lane0; lane < c->lane1; lane += 8, sums += width * 8)
        for (int64_t i = 0; i < width; i++)
            memcpy(sums + i * 8, tensor + (c->ow0 + i) * k + lane, 8 * sizeof(float));
}
static void SDX_FN(images_scatter)(
    const SDX_FN(dense_plan) * plan, const SDX_FN(dense_piece) * c, const float *sums, float *tensor) {
    int64_t k = plan->params.k, width = c->ow1 - c->ow0;
    for (int64_t lane = c->lane0; lane < c->lane1; lane += 8, sums += width * 8)
        for (int64_t i = 0; i < width; i++)
            memcpy(tensor + (c->ow0 + i) * k + lane, sums + i * 8, 8 * sizeof(float));
}
